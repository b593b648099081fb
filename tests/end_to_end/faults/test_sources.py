"""Every way in which a source can be broken, at once in one daemon: each is told, none harms another, all come back."""

import time
from functools import partial
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure
from tests.support.faults.fault_feed import Feeds
from tests.support.faults.fault_matrix import (
    MICROPHONES,
    RECORDINGS,
    ROOT,
    STREAMS,
    WELL,
    FaultSubscriber,
    Feed,
    well,
)
from tests.support.faults.fault_microphones import Microphones, alsa_environment
from tests.support.faults.fault_recordings import Recordings
from tests.support.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.e2e

LATE = "stalled"
"""May also be said, and before the fault, on a machine that has other work: a process that waits for its turn hears
nothing, and does not see why."""


def _is_offline(said: str) -> bool:
    return said == "offline"


def test_every_fault_rings_and_none_spreads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sources break in the same moment; three beside them never do; after the repair all are heard again."""
    rows = (*STREAMS, *MICROPHONES, *RECORDINGS)
    streams = Feeds("s_well", *(row.source for row in STREAMS))
    microphones = Microphones(tmp_path / "many", "m_well", *(row.source for row in MICROPHONES))
    recordings = Recordings(tmp_path / "recordings", "f_well", *(row.source for row in RECORDINGS))
    for name, value in alsa_environment(tmp_path, microphones).items():
        monkeypatch.setenv(name, value)
    sources = {name: {"stream": streams.url(name)} for name in streams.feeds}
    sources |= {name: {"microphone": name} for name in microphones.feeds}
    sources |= recordings.sources
    feeds: dict[str, Feed] = {**streams.feeds, **microphones.feeds, **recordings.feeds}
    with (
        Mosquitto(tmp_path / "broker") as broker,
        FaultSubscriber(broker) as subscriber,
        streams.running(),
        microphones.running(),
        recordings.running(),
        Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon,
    ):
        for source in sources:
            daemon.wait_for(lambda: subscriber.last(f"{ROOT}/{source}/status") == "online", source)  # noqa: B023
        broken_s = time.monotonic()
        for row in rows:
            feeds[row.source].does = row.does
        for row in rows:
            status, told = f"{ROOT}/{row.source}/status", partial(subscriber.faults, row.source)
            daemon.wait_for(lambda: bool({*row.faults} & {*told()}), f"the fault of {row}")  # noqa: B023
            daemon.wait_for(lambda: subscriber.first(status, _is_offline, broken_s) is not None, f"{row} offline")  # noqa: B023
            assert {*told()} <= {*row.faults, *WELL, LATE}, row
        repaired_s = time.monotonic()
        for row in rows:
            feeds[row.source].does = "room"
        for row in rows:
            daemon.wait_for(lambda: well(subscriber, row, repaired_s) is not None, f"{row.source} again")  # noqa: B023
            assert subscriber.alerts(row.source)[0] == ("fault", "fault"), row
            daemon.wait_for(lambda: subscriber.alerts(row.source)[-1] == ("recovered", "info"), f"{row.source} is told")  # noqa: B023
        for source in ("s_well", "m_well", "f_well"):
            assert set(subscriber.faults_since_heard(source)) <= WELL
            assert set(subscriber.statuses_since_heard(source)) == {"online"}
        assert daemon.events("started") == []
        assert daemon.stop()[0] == 0
