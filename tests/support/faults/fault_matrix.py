"""The fault matrix: sources that break on purpose, and when the daemon says so on MQTT. For tests and for the bench."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tests.support.servers.mosquitto import Subscriber

ROOT: Final = "monitord/home"
WELL: Final = frozenset({"ok", "overload"})
"""What is said of a source that is heard; the second of a machine that has other work."""


class FaultSubscriber(Subscriber):
    """Also says when something was told, and what of faults."""

    def first(self, topic: str, wanted: Callable[[str], bool], after_s: float) -> float | None:
        """When the first wanted payload came on a topic after that time (monotonic seconds)."""
        wanted_s = (
            heard.at_s
            for heard in list(self.heard)
            if heard.at_s >= after_s and heard.topic == topic and wanted(heard.payload)
        )
        return next(wanted_s, None)

    def faults(self, source: str) -> list[str]:
        """The faults of a source, one after the other."""
        told = [str(one["fault"]) for one in self.values(f"{ROOT}/{source}/health")]
        return [fault for before, fault in zip(["", *told], told, strict=False) if fault != before]

    def faults_since_heard(self, source: str) -> list[str]:
        """The same from the first `ok` on: on a machine that has other work the start alone may pass for a fault."""
        told = self.faults(source)
        return told[told.index("ok") :]

    def statuses_since_heard(self, source: str) -> list[str]:
        """What a source's status was, from the first `online` on."""
        told = self.payloads(f"{ROOT}/{source}/status")
        return told[told.index("online") :]

    def alerts(self, source: str) -> list[tuple[str, str]]:
        """What was told durably of a source's faults: event type and severity, one after the other."""
        told = self.values(f"{ROOT}/{source}/fault")
        return [(str(each["event_type"]), str(each["severity"])) for each in told]


class Feed(Protocol):
    """What can be broken."""

    does: str
    """What it does now; `room` is well."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault of one source."""

    source: str
    """Id."""
    kind: str
    """`stream`, `microphone`, `recording`, `daemon`."""
    provoked: str
    """How, in words."""
    does: str
    """What its feed does then."""
    faults: tuple[str, ...]
    """What may be told, the usual one first."""


STREAMS: Final = (
    Row("s_gone", "stream", "the server hangs up and answers 503", "gone", ("reconnecting",)),
    Row("s_stall", "stream", "connected, no bytes", "stall", ("stalled", "reconnecting")),
    Row("s_mute", "stream", "hangs up; accepts, and says nothing", "mute", ("reconnecting", "stalled")),
    Row("s_zeros", "stream", "sends sound of zero", "zeros", ("digital_silence",)),
    Row("s_stuck", "stream", "one value", "stuck", ("flat",)),
    Row("s_floor", "stream", "only the last bit moves", "floor", ("flat",)),
    Row("s_clip", "stream", "clipping without a pause", "clipped", ("clipping",)),
    Row("s_dc", "stream", "offset of a quarter of full scale", "pushed", ("dc_offset",)),
    Row("s_fast", "stream", "half as fast again as it states", "fast", ("wrong_rate",)),
    Row("s_slow", "stream", "0.6 of the rate that it states", "slow", ("wrong_rate",)),
)
MICROPHONES: Final = (
    Row("m_stall", "microphone", "sends nothing", "stall", ("stalled", "reconnecting")),
    Row("m_zeros", "microphone", "exact zeros", "zeros", ("digital_silence",)),
    Row("m_stuck", "microphone", "one value", "stuck", ("flat",)),
    Row("m_floor", "microphone", "only the last bit moves", "floor", ("flat",)),
    Row("m_clip", "microphone", "clipping without a pause", "clipped", ("clipping",)),
    Row("m_dc", "microphone", "offset of a quarter of full scale", "pushed", ("dc_offset",)),
    Row("m_slow", "microphone", "0.6 of the rate that it states", "slow", ("wrong_rate",)),
)
RECORDINGS: Final = (
    Row("f_gone", "recording", "deleted while it plays in a loop", "gone", ("reconnecting",)),
    Row("f_stall", "recording", "its disk hangs: nothing is read any more", "stall", ("stalled",)),
    Row("f_damage", "recording", "damaged in the middle", "damaged", ("decode_error",)),
    Row("f_codec", "recording", "another codec in the middle", "codec", ("decode_error",)),
)

UNPLUGGED: Final = Row("m_gone", "microphone", "unplugged", "gone", ("reconnecting", "stalled"))
"""Not in one daemon with others: PortAudio may hang or abort where a device goes while it is being opened."""


def provoked(
    subscriber: FaultSubscriber, rows: Sequence[Row], at_s: float
) -> dict[str, tuple[str, float | None, float | None]]:
    """Returns for each row the fault, and when it and `offline` were told after `at_s` (monotonic seconds)."""
    found = {}
    for row in rows:
        fault_at = subscriber.first(
            f"{ROOT}/{row.source}/health", lambda said: json.loads(said)["fault"] not in WELL, at_s
        )
        offline_at = subscriber.first(f"{ROOT}/{row.source}/status", lambda said: said == "offline", at_s)
        told = [fault for fault in subscriber.faults(row.source) if fault not in WELL]
        found[row.source] = (
            told[0] if fault_at is not None else "",
            None if fault_at is None else fault_at - at_s,
            None if offline_at is None else offline_at - at_s,
        )
    return found


def well(subscriber: FaultSubscriber, row: Row, at_s: float) -> float | None:
    """Returns how long after `at_s` the row was online again and without a fault (seconds); 0 where it was before.

    A stream that has stalled may give the rest of its buffer just before it is repaired.
    """
    status, health = f"{ROOT}/{row.source}/status", f"{ROOT}/{row.source}/health"
    online_at = subscriber.first(status, lambda said: said == "online", at_s)
    ok_at = subscriber.first(health, lambda said: json.loads(said)["fault"] == "ok", at_s)
    if online_at is not None and ok_at is not None:
        return max(online_at, ok_at) - at_s
    is_well = subscriber.last(status) == "online" and subscriber.faults(row.source)[-1:] == ["ok"]
    silent = subscriber.first(status, bool, at_s) is None
    return 0.0 if is_well and silent else None


def wait(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Waits until it holds; says whether it did in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
