"""What is told to the family, and how much it matters. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from service.messages.texts import Kind


class Severity(IntEnum):
    """How much a notice matters; a channel names the least that it gets."""

    INFO = 0
    """Good to know: a reason, and all that closes an alarm."""
    WARNING = 1
    """Somebody should look: a cry, a test alarm, and a disk that takes nothing."""
    CRITICAL = 2
    """Nobody answered, or a room is not heard."""


_SEVERITIES: Final[Mapping[Kind, Severity]] = {
    "started": Severity.WARNING,
    "reason": Severity.INFO,
    "escalated": Severity.CRITICAL,
    "acknowledged": Severity.INFO,
    "ended": Severity.INFO,
    "test": Severity.WARNING,
    "not_hearing": Severity.CRITICAL,
    "heard_badly": Severity.CRITICAL,
    "hearing_again": Severity.INFO,
    "not_saving": Severity.WARNING,
    "saving_again": Severity.INFO,
}
_CLOSING: Final[frozenset[Kind]] = frozenset({"acknowledged", "ended", "hearing_again", "saving_again"})


def severity_of(kind: Kind, *, alert: bool = True) -> Severity:
    """Returns how much a kind matters; without `alert` (silent profile, snoozed) a cry is good to know and no more.

    That a room is not heard matters in every profile.
    """
    if not alert and kind in {"started", "escalated"}:
        return Severity.INFO
    return _SEVERITIES[kind]


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification, for every channel."""

    kind: Kind
    source: str
    """Id of the room; empty where it is about the whole house."""
    tag: str
    """What belongs together: the episode id; one of its own for a room from `not_hearing` to `hearing_again`."""
    title: str
    message: str
    severity: Severity
    at: float
    """Wall time (Unix seconds)."""
    payload: Mapping[str, object] = field(default_factory=dict)
    """JSON values for a webhook: those of the MQTT event."""

    @property
    def urgent(self) -> bool:
        """Whether it goes at once, whatever the limit says."""
        return self.severity >= Severity.WARNING

    @property
    def closes(self) -> bool:
        """Whether it ends what an alarm began."""
        return self.kind in _CLOSING

    @property
    def rooms(self) -> frozenset[str]:
        """Ids of the rooms that it is about: two rooms that hear one cry tell it once."""
        heard_by = self.payload.get("rooms")
        others = [room for room in heard_by if isinstance(room, str)] if isinstance(heard_by, list | tuple) else []
        return frozenset([self.source, *others])

    def supersedes(self, older: "Notice") -> bool:
        """Whether an older one that still waits need not go any more.

        A reason does not take the place of the alarm that it belongs to: both go, the alarm first.
        """
        return self.tag == older.tag and (not older.urgent or self.urgent or self.closes)
