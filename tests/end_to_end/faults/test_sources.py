"""Every way in which a source can be broken, at once in one daemon: each is told, none harms another, all come back."""

import time
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
    provoked,
    wait,
    well,
)
from tests.support.faults.fault_microphones import Microphones, alsa_environment
from tests.support.faults.fault_recordings import Recordings
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.e2e


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
        wait(
            lambda: all(each[1] and each[2] for each in provoked(subscriber, rows, broken_s).values()),
            PATIENCE_S,
        )
        found = provoked(subscriber, rows, broken_s)
        for row in rows:
            fault, fault_s, offline_s = found[row.source]
            assert fault in row.faults, (row, fault, fault_s, daemon.words)
            assert fault_s is not None, row
            assert offline_s is not None, row
        repaired_s = time.monotonic()
        for row in rows:
            feeds[row.source].does = "room"
        for row in rows:
            daemon.wait_for(lambda: well(subscriber, row, repaired_s) is not None, f"{row.source} again")  # noqa: B023
            assert subscriber.alerts(row.source)[0] == ("fault", "fault"), row
            daemon.wait_for(lambda: subscriber.alerts(row.source)[-1] == ("recovered", "info"), f"{row.source} is told")  # noqa: B023
        for source in ("s_well", "m_well", "f_well"):
            assert set(subscriber.faults(source)) <= WELL
            told = subscriber.payloads(f"{ROOT}/{source}/status")
            assert set(told[told.index("online") :]) == {"online"}
        assert daemon.events("started") == []
        assert daemon.stop()[0] == 0
