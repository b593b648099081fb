"""Whether a source is heard: what its samples, its thread and the clock say together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from monitord.faults import Fault
from service.capture.source import SourceState
from service.messages.faults import FAULTS

STALL_S: Final = 7.0
"""Seconds without a sample after which a source is stalled: a fault must be visible within 10 s, and the monitor
looks twice a second."""
GRACE_S: Final = 3.0
"""Seconds that a source may take to reconnect before it is told: a hiccup of the Wi-Fi is not worth waking for."""
STUCK_S: Final = 7.0
"""Seconds after which a worker that does not move is stuck: a round hears at most a second of each source, and takes
a hundredth of that."""
WAITING_S: Final = 5.0
"""Seconds of sound that wait for the worker from which an alarm comes late: three times what an alert may take."""
LATE_S: Final = 2.0
"""Seconds for which they wait before it is told: the burst after a stall is heard in less."""
LOSING_S: Final = 20.0
"""Seconds of sound that wait from which the source does not count as heard: the ring is about to lose some."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen of one source at one look."""

    state: SourceState
    """What its capture thread is doing."""
    samples: Fault = "ok"
    """What the samples themselves say."""
    silent_s: float = 0.0
    """Seconds since the worker last heard a sample of it, or since the start where it never did."""
    wrong_rate: bool = False
    """Whether sound comes faster or slower than its rate says."""
    waiting_s: float = 0.0
    """Seconds of sound that wait for the worker."""
    late_s: float = 0.0
    """For how long that has been `WAITING_S` or more (seconds)."""
    heard_badly: bool = False
    """Whether too little of the last minutes was heard, in too many pieces."""
    stuck: bool = False
    """Whether the worker does not move."""
    opposite: bool = False
    """Whether two of its channels carry the same in opposite phase."""
    says: Fault = "ok"
    """What the source itself knows to be wrong."""


_SAYS_ITSELF: Final[Mapping[SourceState, Fault]] = {
    SourceState.AUTH_FAILED: "auth_failed",
    SourceState.DECODE_ERROR: "decode_error",
}


def judge(signs: Signs) -> Fault:
    """Names the fault of a source: the worker's first, then its thread's, the clock's, and the samples' own."""
    if signs.stuck:
        return "stuck"
    if signs.state in _SAYS_ITSELF:
        return _SAYS_ITSELF[signs.state]
    if (silent := _why_silent(signs)) != "ok":
        return silent
    if signs.samples != "ok":
        return signs.samples
    return "wrong_rate" if signs.wrong_rate else _while_heard(signs)


def _why_silent(signs: Signs) -> Fault:
    """What keeps its sound from coming; `ok` while it comes, whatever the source says."""
    if signs.says != "ok" and not FAULTS[signs.says].heard and signs.silent_s > GRACE_S:
        return signs.says  # while its sound comes all the same, it is heard
    if signs.state is SourceState.RECONNECTING and signs.silent_s > GRACE_S:
        return "reconnecting"
    if signs.state is not SourceState.ENDED and signs.silent_s > STALL_S:
        return "stalled"
    return "ok"


def _while_heard(signs: Signs) -> Fault:
    """What may be wrong with a source that is heard all the same."""
    if signs.heard_badly:
        return "intermittent"
    if signs.late_s > LATE_S:
        return "overload"
    if signs.says != "ok" and FAULTS[signs.says].heard:
        return signs.says
    return "wiring" if signs.opposite else "ok"


def is_heard(signs: Signs, fault: Fault, *, ever: bool, enabled: bool) -> bool:
    """Whether silence from this source means that the baby is quiet: only then may `crying` be believed.

    Args:
        signs: Of this look.
        fault: What they come to.
        ever: Whether any sound of it was taken since the start.
        enabled: Whether the family wants it to be listened to.
    """
    well = FAULTS[fault].heard and signs.waiting_s < LOSING_S
    return ever and enabled and well and signs.state is not SourceState.ENDED


@dataclass(frozen=True, slots=True)
class RoomHealth:
    """The one opinion of a room: MQTT, phones, heartbeat and systemd all go by it."""

    source: str
    """Id, `[a-z0-9_]+`."""
    name: str
    """What people call it."""
    wanted: bool = True
    """Whether the family wants it to be listened to, and its recording is not over."""
    heard: bool = False
    """Whether silence from it means that the baby is quiet."""
    fault: Fault = "ok"
    heard_at: float | None = None
    """When the worker last took sound of it (monotonic seconds); None before the first."""
    crying_since: float | None = None
    """When it was first seen to cry (Unix seconds); None where nobody cries."""

    @property
    def fails(self) -> bool:
        """Whether phones are to be told, once it lasts: it is not heard, or so badly that they should know."""
        return not self.heard or FAULTS[self.fault].notify

    @property
    def words(self) -> str:
        """What is wrong with it, for a person; empty where nothing is."""
        return "" if self.fault == "ok" else FAULTS[self.fault].text
