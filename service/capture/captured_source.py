"""The life of one capture thread: attempt after attempt, a pause between, one status, one log line per change."""

import logging
import threading
import traceback
from abc import ABC, abstractmethod
from dataclasses import replace

from monitord.errors import SourceError
from service.backoff import BackOff
from service.capture.child.sound import Sound
from service.capture.inbox import Inbox
from service.capture.redact import redact
from service.capture.source import SourceState, SourceStatus

AUTH_PAUSE_S = 60.0
"""Pause after a refused password (seconds): cameras lock an account after some wrong ones in a row."""

_log = logging.getLogger(__name__)


class AttemptError(SourceError):
    """An attempt is over: the state the source is in now, and for a person what is wrong and what helps."""

    def __init__(self, state: SourceState, detail: str) -> None:
        super().__init__(redact(detail))
        self.state = state


class CapturedSource(ABC):
    """A `Source` with one thread, named `capture:<id>`, that calls `_attempt` until it is told to stop.

    `_attempt` opens the source, tells `_live` while sound comes, closes, and
    - returns when it was told to stop, or when the source is over for good;
    - raises `AttemptError` when the source is to be opened again after a pause; an `OSError` is such a one too.
    Any other exception is a bug: logged with its traceback, shown as `decode_error`, and tried again all the same.

    Args:
        source_id: `[a-z0-9_]+`.
        inbox: Where sound goes; live sources have an overwriting one.
        back_off: Pauses between attempts; None: the usual ones.
        told: Whether its changes are logged for people; where not, whoever started it tells what `status` says.
    """

    def __init__(self, source_id: str, inbox: Inbox, *, back_off: BackOff | None = None, told: bool = True) -> None:
        self.id, self.inbox = source_id, inbox
        self._told = told
        self._stopping = threading.Event()  # set once the thread is to leave
        self._back_off = back_off or BackOff()
        self._status = SourceStatus(SourceState.STARTING)
        self._answered = False  # in this attempt
        self._was_live = False
        self._thread = threading.Thread(target=self._run, name=f"capture:{source_id}", daemon=True)

    @abstractmethod
    def _attempt(self) -> None:
        """Opens, reads and closes once, in the capture thread."""

    def start(self) -> None:
        """Starts the thread. Opens nothing itself."""
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Asks the thread to leave and waits at most so long; False where it was left behind."""
        self._stopping.set()
        if self._thread.ident is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def status(self) -> SourceStatus:
        """What the thread is doing, without waiting."""
        return self._status

    def _heard(self, sound: Sound, at: float) -> None:
        """Takes sound, the first of it captured at wall time `at` (Unix seconds). Called by the capture thread."""
        self.inbox.write(sound.samples, sound.rate_hz, at)
        self.inbox.opposite = sound.opposite
        self._live()
        if sound.part != self._status.part:
            # Told once: which of two channels is the louder may change with the baby's place.
            level = logging.INFO if self._told and not self._status.part else logging.DEBUG
            self._status = replace(self._status, part=sound.part)
            _log.log(level, "%s: hears %s", self.id, sound.part or "all channels")

    def _live(self) -> None:
        """Tells that sound has come. Called by the capture thread, as often as it likes."""
        if self._status.state is SourceState.LIVE:
            return
        self._answered = True
        reconnects = self._status.reconnects + self._was_live
        self._was_live = True
        self._change(SourceStatus(SourceState.LIVE, "", reconnects))

    def _report(self, state: SourceState, detail: str) -> None:
        """Tells what is wrong, before the attempt is over: closing a hung device may take for ever."""
        self._change(SourceStatus(state, redact(detail), self._status.reconnects))

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._attempt()
            except AttemptError as fault:
                self._report(fault.state, str(fault))
            except OSError as error:  # the system refuses something: out of file descriptors, of memory, of threads
                self._report(SourceState.RECONNECTING, f"this machine refuses: {error.strerror or error}")
            except Exception as error:  # noqa: BLE001  # a thread that dies silently is a baby that sounds asleep
                shown = redact(traceback.format_exc())  # a traceback shows addresses
                _log.error("%s: a bug, please report it:\n%s", self.id, shown)
                self._report(SourceState.DECODE_ERROR, f"a bug, see the log: {type(error).__name__}: {error}")
            else:
                if not self._stopping.is_set():
                    self._change(SourceStatus(SourceState.ENDED, "", self._status.reconnects))
                return
            if self._answered:  # a pause that grows would be a part of the night that we leave out ourselves
                self._back_off.reset()
            self._answered = False
            refused = self._status.state is SourceState.AUTH_FAILED
            self._stopping.wait(AUTH_PAUSE_S if refused else self._back_off.next_s())

    def _change(self, status: SourceStatus) -> None:
        before, self._status = self._status, status
        if status.state is before.state:
            if status.detail != before.detail:
                _log.debug("%s: still %s: %s", self.id, status.state, status.detail)
            return
        level = logging.INFO if status.state in {SourceState.LIVE, SourceState.ENDED} else logging.WARNING
        _log.log(
            level if self._told else logging.DEBUG,
            "%s: %s%s",
            self.id,
            status.state,
            f": {status.detail}" if status.detail else "",
        )
