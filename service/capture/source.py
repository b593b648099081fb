"""What every source is to the rest of the house."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from monitord.faults import Fault
from service.capture.inbox import Inbox


class SourceState(StrEnum):
    """What the capture thread is doing."""

    STARTING = "starting"
    LIVE = "live"
    RECONNECTING = "reconnecting"
    AUTH_FAILED = "auth_failed"
    DECODE_ERROR = "decode_error"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A moment of a source's life."""

    state: SourceState
    detail: str = ""
    """For a person: what is wrong and what helps; never with a password in it."""
    reconnects: int = 0
    """How often the source was opened again since the start."""
    part: str = ""
    """What of it is heard, where it has several tracks or channels; empty where it is all of it."""
    says: Fault = "ok"
    """What the source itself knows to be wrong: a phone's page tells that its screen is off."""


class Source(Protocol):
    """One owner of one device, connection or file. The constructor opens nothing."""

    id: str
    """`[a-z0-9_]+`."""
    inbox: Inbox

    def start(self) -> None:
        """Starts the capture thread, named `capture:<id>`. Faults go to `status`, never to the caller."""

    def stop(self, timeout_s: float) -> bool:
        """Asks the thread to leave and waits at most so long; False where it was left behind (a hung device)."""

    def status(self) -> SourceStatus:
        """What the thread is doing, at any time, without waiting."""
