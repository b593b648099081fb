"""The fault matrix of a machine that sleeps: what the rooms say when it wakes up, and what was lost."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Final

from monitord.types import RATE_HZ
from tests.bench.faults.house import MEND_S, WAIT_S, house, online
from tests.bench.faults.table import Line
from tests.bench.process import children
from tests.support.daemon.daemon import Json
from tests.support.faults.fault_feed import Feeds
from tests.support.faults.fault_matrix import ROOT, FaultSubscriber, wait
from tests.support.faults.fault_microphones import Microphones, alsa_environment
from tests.support.faults.fault_recordings import Recordings

SLEEP_S: Final = 15.0
"""Longer than the broker waits for a daemon before it tells the last will (seconds)."""
ROOMS: Final = {"phone": "stream", "cot": "microphone", "rehearsal": "recording"}
"""Kinds by source."""


def sleep(folder: Path) -> list[Line]:
    """The daemon and what decodes for it are stopped together; camera, broker and sound server are not."""
    streams, recordings = Feeds("phone"), Recordings(folder / "recordings", "rehearsal")
    microphones = Microphones(folder / "microphones", "cot")
    os.environ.update(alsa_environment(folder, microphones))
    sources = {"phone": {"stream": streams.url("phone")}, "cot": {"microphone": "cot"}, **recordings.sources}
    with (
        streams.running(),
        microphones.running(),
        recordings.running(),
        house(folder, sources) as (daemon, subscriber, _),
    ):
        online(daemon, subscriber, *ROOMS)
        lost = {source: _healths(subscriber, source)[-1]["lost"] for source in ROOMS}
        broken_s = time.monotonic()
        asleep = [daemon.pid, *children(daemon.pid)]
        for process in asleep:
            os.kill(process, signal.SIGSTOP)
        wait(lambda: time.monotonic() > broken_s + SLEEP_S, 2 * SLEEP_S)
        woken_s = time.monotonic()
        for process in reversed(asleep):
            os.kill(process, signal.SIGCONT)
        lines = [_line(subscriber, source, broken_s, woken_s, lost[source]) for source in ROOMS]
        if not wait(lambda: subscriber.first(f"{ROOT}/heartbeat", bool, woken_s) is not None, MEND_S):
            raise RuntimeError("it lives, and its heart does not beat")
        if daemon.events("started"):
            raise RuntimeError("a sleep is no cry")
        return lines


def _line(subscriber: FaultSubscriber, source: str, broken_s: float, woken_s: float, lost: int) -> Line:
    status, health = f"{ROOT}/{source}/status", f"{ROOT}/{source}/health"
    # The states are told anew to a broker that has taken the daemon for dead.
    wait(lambda: subscriber.first(status, lambda said: said == "online", woken_s) is not None, MEND_S)
    wait(lambda: subscriber.last(status) == "online" and subscriber.faults(source)[-1] == "ok", MEND_S)
    # The counts that are told then are those from before.
    captured = _healths(subscriber, source)[-1]["captured"]
    wait(
        lambda: subscriber.first(health, lambda said: json.loads(said)["captured"] > captured, woken_s) is not None,
        MEND_S,
    )
    lost_s = (_healths(subscriber, source)[-1]["lost"] - lost) / RATE_HZ
    faults = ", ".join(fault for fault in subscriber.faults(source) if fault != "ok") or "none"
    words = f"sleeps for {SLEEP_S:g} s; counted as lost: {lost_s:.1f} s; faults after it: {faults}"
    offline_at = subscriber.first(f"{ROOT}/status", lambda said: said == "offline", broken_s)
    heard_at = subscriber.first(status, lambda said: said == "online", woken_s)
    offline_s = None if offline_at is None else offline_at - broken_s
    return Line(
        ROOMS[source], words, "last will", offline_s, offline_s, None if heard_at is None else heard_at - woken_s
    )


def _healths(subscriber: FaultSubscriber, source: str) -> list[Json]:
    topic = f"{ROOT}/{source}/health"
    wait(lambda: subscriber.last(topic) is not None, WAIT_S)
    return subscriber.values(topic)
