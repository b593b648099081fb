"""A recording as a source: as fast as the worker takes it, or in real time as if it were being recorded now."""

import time
from pathlib import Path
from typing import Final

from model.decoding.tracks import ANY, Wanted
from monitord.errors import ConfigError, MonitordError
from service.backoff import BackOff
from service.capture.captured_source import AttemptError, CapturedSource
from service.capture.child.process import ChildProcess
from service.capture.child.sound import Lost
from service.capture.clock import Pace
from service.capture.inbox import Inbox
from service.capture.recording import AwayError, file_sound
from service.capture.source import SourceState

PAUSE_S: Final = 2.0
"""Longest first pause before a recording is opened again (seconds): at least half of it, two looks of the monitor.
One that breaks off at the same place each time must not look well in between."""
PAUSE_CAP_S: Final = 4.0
"""Longest pause (seconds): unlike a phone or a camera, a disk is not burdened by being asked."""


class FileSource(CapturedSource):
    """Plays a recording into its inbox.

    Args:
        source_id: `[a-z0-9_]+`.
        path: Any container with sound; see `recording.check_file` for what to ask before.
        inbox: Made with `waits=True` where `realtime` is false, so that nothing is lost.
        realtime: Whether each chunk comes when it would have been recorded; else nothing is logged, for who asks for a
            recording as fast as it goes waits for its end.
        loop: Whether it starts over at its end, without a gap on the time axis.
        wanted: Which of several audio tracks.
        lent: What decodes it, of `Decoders`; None: a process of its own.
    """

    def __init__(
        self,
        source_id: str,
        path: Path,
        inbox: Inbox,
        *,
        realtime: bool,
        loop: bool,
        wanted: Wanted = ANY,
        lent: ChildProcess | None = None,
    ) -> None:
        super().__init__(source_id, inbox, back_off=BackOff(first_s=PAUSE_S, cap_s=PAUSE_CAP_S), told=realtime)
        self._path = path
        self._realtime = realtime
        self._loop = loop
        self._wanted = wanted
        self._lent = lent

    def stop(self, timeout_s: float) -> bool:
        """Stops where it is, at most a chunk later; what the inbox holds stays readable."""
        self._stopping.set()
        self.inbox.close()
        return super().stop(timeout_s)

    def _run(self) -> None:
        super()._run()
        self.inbox.end()

    def _attempt(self) -> None:
        try:
            self._play()
        except MonitordError as error:
            if self._loop:
                away = isinstance(error, ConfigError | AwayError)  # it was there at the start, and may be again
                state = SourceState.RECONNECTING if away else SourceState.DECODE_ERROR
                raise AttemptError(state, str(error)) from None
            fault = AttemptError(SourceState.DECODE_ERROR, str(error))
            # A second try would play what was already heard: the end, and the state says why.
            self._report(fault.state, str(fault))
            self._stopping.set()
        except Exception:
            if not self._loop:  # the same recording would meet the same bug again and again
                self._stopping.set()
            raise

    def _play(self) -> None:
        pace = Pace()
        began = time.time()
        played_s = 0.0
        for record in file_sound(
            self._path, wanted=self._wanted, again=self._loop, stopping=self._stopping, lent=self._lent
        ):
            n, rate_hz = record.n, record.rate_hz
            if self._realtime and not pace.wait(n, rate_hz, self._stopping, calm=self.inbox.calm):
                return
            if self._stopping.is_set():
                return
            if isinstance(record, Lost):
                self.inbox.skip(n, rate_hz)
            else:
                at = time.time() - pace.late_s - n / rate_hz if self._realtime else began + played_s
                self._heard(record, at)
            played_s += n / rate_hz
        if (self._loop or not played_s) and not self._stopping.is_set():
            # Also a loop that came to an end: the file holds no sound any more.
            raise AttemptError(
                SourceState.DECODE_ERROR, f"{self._path}: its audio track is empty; give a recording with sound"
            )
