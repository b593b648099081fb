"""What all sources have in common: an inbox, and a capture thread that calls `_attempt`."""

from abc import ABC, abstractmethod

from service.backoff import BackOff
from service.capture.capture_thread import CaptureThread
from service.capture.inbox import Inbox
from service.capture.source import SourceStatus


class CapturedSource(ABC):
    """A `Source` on a `CaptureThread`. Opens nothing until `start`.

    Args:
        source_id: `[a-z0-9_]+`.
        inbox: Where sound goes; live sources have an overwriting one.
        back_off: Pauses between attempts; None: the usual ones.
    """

    def __init__(self, source_id: str, inbox: Inbox, *, back_off: BackOff | None = None) -> None:
        self.inbox = inbox
        self._capture = CaptureThread(source_id, self._attempt, back_off=back_off)

    @property
    def id(self) -> str:
        """The source's id."""
        return self._capture.source_id

    def start(self) -> None:
        """Starts the capture thread."""
        self._capture.start()

    def stop(self, timeout_s: float) -> bool:
        """Asks the thread to leave and waits at most so long; False where it was left behind."""
        return self._capture.stop(timeout_s)

    def status(self) -> SourceStatus:
        """What the thread is doing, without waiting."""
        return self._capture.status()

    @abstractmethod
    def _attempt(self) -> None:
        """Opens, reads and closes once, in the capture thread; see `CaptureThread`."""
