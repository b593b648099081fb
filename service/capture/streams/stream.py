"""A phone or a camera on the network, through FFmpeg: it is read from, or it pushes to a port of this machine."""

import time

from model.decoding.tracks import ANY, Wanted
from service.backoff import BackOff
from service.capture.captured_source import AttemptError, CapturedSource
from service.capture.child.decoder import Decoder
from service.capture.child.decoder_request import Opened, Request
from service.capture.child.process import ChildError
from service.capture.child.sound import Lost
from service.capture.clock import LiveClock, Pace
from service.capture.inbox import Inbox
from service.capture.redact import redact
from service.capture.source import SourceState
from service.capture.spec import stream_spec
from service.capture.streams.errors import explain, waiting
from service.capture.streams.options import LISTEN_S, OPEN_S, READ_S, ffmpeg_options
from service.capture.streams.rate_limit import RateLimit

MAX_DAMAGED = 50
"""Damaged packets in a row (about a second) that are no stream any more. One or two are usual where one joins in."""

LISTEN_PAUSE_S = 1.0
"""Longest pause (seconds) for which a port that a phone may call is closed."""


class StreamSource(CapturedSource):
    """Reads the sound of one stream, and connects again whenever it ends.

    The time away is no part of the sample axis: what was never sent was never captured. Sound that comes in a burst
    after a stall is kept, with the time at which it was captured; what is too much for the inbox, the inbox counts.

    Args:
        source_id: `[a-z0-9_]+`.
        url: With or without a user and a password; it is shown without them.
        inbox: Of the overwriting kind: a live stream does not wait.
        wanted: Which of several audio tracks.
        listen: Whether to bind the address of `url` and wait for a phone that pushes there.
        read_s: Longest silence of a connection (seconds).

    Raises:
        ConfigError: The URL is none that can be read or listened to.
    """

    def __init__(
        self,
        source_id: str,
        url: str,
        inbox: Inbox,
        *,
        wanted: Wanted = ANY,
        listen: bool = False,
        read_s: float = READ_S,
    ) -> None:
        self._spec = stream_spec(url, listen=listen)
        self._name = redact(url)
        self._wanted = wanted
        self._open_s = LISTEN_S if listen else OPEN_S
        self._read_s = read_s
        super().__init__(source_id, inbox, back_off=BackOff(cap_s=LISTEN_PAUSE_S) if listen else None)

    def _attempt(self) -> None:
        connected = False
        began_s = time.monotonic()
        if self._spec.listen:
            self._report(SourceState.RECONNECTING, waiting(self._spec))
        try:
            with Decoder(self._request(), self._stopping, lambda: self.inbox.calm) as decoder:
                opened = decoder.opened()
                connected = opened is not None
                if opened is not None:
                    self._read(decoder, opened)
        except ChildError as error:
            if self._stopping.is_set():
                return
            late = not connected and time.monotonic() - began_s >= self._open_s
            raise explain(error, self._spec, connected=connected, late=late) from None
        if not self._stopping.is_set():
            raise AttemptError(SourceState.RECONNECTING, f"{self._name}: the stream ended")

    def _request(self) -> Request:
        options = ffmpeg_options(self._spec, self._read_s)
        return Request(
            self._spec.url,
            self._name,
            options,
            open_s=self._open_s,
            read_s=self._read_s,
            damage=MAX_DAMAGED,
            track=self._wanted.track,
            language=self._wanted.language,
        )

    def _read(self, decoder: Decoder, opened: Opened) -> None:
        """Returns at the end of the stream, or when told to stop."""
        clock = LiveClock()
        # A web server hands out a file: it comes faster than it may be heard.
        pace = Pace() if opened.ends and self._spec.url.startswith("http") else None
        rate_limit = RateLimit()
        for record in decoder.sound(self._read_s):
            n, rate_hz = record.n, record.rate_hz
            if isinstance(record, Lost):
                clock.age_s(n, rate_hz, time.monotonic())
                self.inbox.skip(n, rate_hz)
                continue
            if pace is not None and not pace.wait(n, rate_hz, self._stopping, calm=self.inbox.calm):
                return
            # Timed here and not by the child: what waits in between is late, too.
            age_s = clock.age_s(n, rate_hz, time.monotonic())
            self._heard(record, time.time() - age_s)
            if (pause_s := rate_limit.wait_s(n / rate_hz, time.monotonic())) and self._stopping.wait(pause_s):
                return
