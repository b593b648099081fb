"""A phone or a camera on the network, through FFmpeg: it is read from, or it pushes to a port of this machine."""

import logging
import socket
import time
from contextlib import suppress

import av
from av.container import InputContainer
from av.error import FFmpegError, InvalidDataError

from monitord.decode import pcm_frames
from monitord.errors import SourceError
from service.inbox import Inbox
from service.sources.backoff import BackOff
from service.sources.base import SourceState
from service.sources.capture import AttemptError
from service.sources.captured import CapturedSource
from service.sources.pace import LiveClock, Pace
from service.sources.redact import redact
from service.sources.spec import host_and_port, stream_spec
from service.sources.stream_faults import explain, waiting
from service.sources.stream_options import LISTEN_S, OPEN_S, READ_S, ffmpeg_options

MAX_DAMAGED = 50
"""Damaged packets in a row (about a second) that are no stream any more. One or two are usual where one joins in."""

LISTEN_PAUSE_S = 1.0
"""Longest pause (seconds) for which a port that a phone may call is closed."""

_log = logging.getLogger(__name__)


class StreamSource(CapturedSource):
    """Reads the sound of one stream, and connects again whenever it ends.

    The time away is no part of the sample axis: what was never sent was never captured. Sound that comes in a burst
    after a stall is kept, with the time at which it was captured; what is too much for the inbox, the inbox counts.

    Args:
        source_id: `[a-z0-9_]+`.
        url: With or without a user and a password; it is shown without them.
        inbox: Of the overwriting kind: a live stream does not wait.
        listen: Whether to bind the address of `url` and wait for a phone that pushes there.
        read_s: Longest silence of a connection (seconds).

    Raises:
        ConfigError: The URL is none that can be read or listened to.
    """

    def __init__(self, source_id: str, url: str, inbox: Inbox, *, listen: bool = False, read_s: float = READ_S) -> None:
        self._spec = stream_spec(url, listen=listen)
        self._name = redact(url)
        self._open_s = LISTEN_S if listen else OPEN_S
        self._read_s = read_s
        super().__init__(source_id, inbox, back_off=BackOff(cap_s=LISTEN_PAUSE_S) if listen else None)

    def stop(self, timeout_s: float) -> bool:
        """Disconnects; False where the connection is stalled: the thread leaves when its own timeout is over."""
        self._capture.stopping.set()
        if self._spec.listen:
            self._knock()
        return self._capture.stop(timeout_s)

    def _attempt(self) -> None:
        connected = False
        began_s = time.monotonic()
        if self._spec.listen:
            self._capture.report(SourceState.RECONNECTING, waiting(self._spec))
        try:
            with self._open() as container:
                connected = True
                self._read(container)
        except FFmpegError as error:
            if self._capture.stopping.is_set():
                return
            late = not connected and time.monotonic() - began_s >= self._open_s
            raise explain(error, self._spec, connected=connected, late=late) from None
        except SourceError as error:
            raise AttemptError(SourceState.DECODE_ERROR, str(error)) from None
        if not self._capture.stopping.is_set():
            raise AttemptError(SourceState.RECONNECTING, f"{self._name}: the stream ended")

    def _open(self) -> InputContainer:
        options = ffmpeg_options(self._spec, self._read_s)
        return av.open(self._spec.url, options=options, timeout=(self._open_s, self._read_s))

    def _read(self, container: InputContainer) -> None:
        """Returns at the end of the stream, or when told to stop."""
        clock = LiveClock()
        pace = Pace() if self._is_recording(container) else None
        damaged = 0  # packets in a row
        length, rate = 0, 0  # samples and hertz of the last good frame
        while True:
            try:
                for samples, rate_hz in pcm_frames(container, self._name):
                    if damaged and rate == rate_hz:
                        self.inbox.skip(damaged * length, rate_hz)  # as long as their neighbours: the best guess
                    damaged, length, rate = 0, len(samples), rate_hz
                    if pace is not None and not pace.wait(length, rate_hz, self._capture.stopping):
                        return
                    if self._capture.stopping.is_set():
                        return
                    age_s = clock.age_s(length, rate_hz, time.monotonic())
                    self.inbox.write(samples, rate_hz, time.time() - age_s)
                    self._capture.live()
            except InvalidDataError:
                damaged += 1
                if damaged > MAX_DAMAGED:
                    raise
                _log.debug("%s: a damaged packet", self.id)
            else:
                return

    def _is_recording(self, container: InputContainer) -> bool:
        """Whether a web server hands out a file: it has an end, and comes faster than it may be heard."""
        return self._spec.url.startswith("http") and bool(container.duration) and container.size > 0

    def _knock(self) -> None:
        """Ends the wait for a phone by being one that hangs up at once."""
        host, port = host_and_port(self._spec.url)
        with suppress(OSError):  # nobody listens: a phone is connected, or the port was never ours
            socket.create_connection((host or "127.0.0.1", port or 0), timeout=1).close()
