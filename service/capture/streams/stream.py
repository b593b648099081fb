"""A phone or a camera on the network, through FFmpeg: it is read from, or it pushes to a port of this machine."""

import time
from collections.abc import Mapping
from dataclasses import replace

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
from service.capture.streams.errors import explain, lasted, waiting
from service.capture.streams.evidence import MOST_WORDS
from service.capture.streams.how import AS_IT_IS, How
from service.capture.streams.lateness import Lateness
from service.capture.streams.options import LATE_S, LISTEN_S, OPEN_S, READ_S, ffmpeg_options, instead
from service.capture.streams.proxy import proxy_of
from service.capture.streams.rate_limit import RateLimit
from service.capture.streams.trust import Trust, trust

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
        how: What else is known of it.
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
        how: How = AS_IT_IS,
        read_s: float = READ_S,
    ) -> None:
        self._spec = replace(stream_spec(url, listen=listen), how=how)
        self._name = redact(url)
        self._wanted = wanted
        self._open_s = LISTEN_S if listen else OPEN_S
        self._read_s = read_s
        self._by_udp = False  # whether the next attempt begins with UDP
        self._ask_first = False  # whether it was bare sound, as the web server said
        # Of this attempt:
        self._seen: Mapping[str, object] | None = None
        self._began_s = 0.0  # monotonic
        self._heard_s = 0.0
        super().__init__(source_id, inbox, back_off=BackOff(cap_s=LISTEN_PAUSE_S) if listen else None)

    def _attempt(self) -> None:
        self._seen = None
        self._began_s = time.monotonic()
        self._heard_s = 0.0
        connected = False
        if self._spec.listen:
            self._report(SourceState.RECONNECTING, waiting(self._spec))
        proxy = proxy_of(self._spec.url)
        try:
            with trust(self._spec) as trusted, self._decoder(trusted, proxy) as decoder:
                opened = decoder.opened(self._noted)
                connected = opened is not None
                if opened is not None:
                    self._ask_first = opened.bare
                    self._read(decoder, opened)
        except ChildError as error:
            if self._stopping.is_set():
                return
            # A camera that takes TCP and sends nothing by it is asked for UDP next time, and the other way round.
            if self._heard_s or connected or self._by_udp:
                self._by_udp = self._spec.how.transport == "auto" and not self._heard_s and not self._by_udp
            late = not connected and time.monotonic() - self._began_s >= self._open_s
            heard_s = self._heard_s if connected else None
            raise explain(error, self._spec, self._seen, heard_s=heard_s, late=late, proxy=proxy) from None
        if not self._stopping.is_set():
            heard = lasted(self._heard_s)
            raise AttemptError(SourceState.RECONNECTING, f"{self._name}: the stream ended after {heard} of sound")

    def _decoder(self, trusted: Trust, proxy: str | None) -> Decoder:
        spec, bare = self._spec, self._spec.how.bare
        request = Request(
            spec.url,
            self._name,
            ffmpeg_options(spec, self._read_s, by_udp=self._by_udp) | trusted.options,
            open_s=self._open_s,
            # RTSP's picture is left out: nothing comes before the sound does. A stall is found on this side, too.
            read_s=max(self._read_s, LATE_S) if spec.url.startswith("rtsp") else self._read_s,
            damage=MAX_DAMAGED,
            track=self._wanted.track,
            language=self._wanted.language,
            stream=True,
            instead=instead(spec),
            # A session description names all that will ever come.
            late_s=0.0 if spec.url.startswith("rtsp") else LATE_S,
            bare=None if bare is None else (bare.demuxer, bare.rate_hz, bare.channels),
            ask_first=self._ask_first,
            look=not spec.listen and not spec.url.startswith("udp"),
            verify=spec.how.verify,
            proxy=proxy,
        )
        return Decoder(request, self._stopping, lambda: self.inbox.calm, trusted.files)

    def _noted(self, note: Mapping[str, object]) -> None:
        """Takes what the decoder's process sees before anything is opened."""
        if "late" in note:
            self._began_s = time.monotonic()
            self._report(
                SourceState.RECONNECTING,
                f"{self._name}: connected, no sound yet (found: {str(note['late'])[:MOST_WORDS]}); "
                f"waiting {LATE_S:.0f} s for it",
            )
        if "seen" in note:
            self._seen = note["seen"] if isinstance(note["seen"], Mapping) else None

    def _read(self, decoder: Decoder, opened: Opened) -> None:
        """Returns at the end of the stream, or when told to stop."""
        clock = LiveClock()
        # A web server hands out a file: it comes faster than it may be heard.
        pace = Pace() if opened.ends and self._spec.url.startswith("http") else None
        rate_limit, lateness = RateLimit(), Lateness()
        for record in decoder.sound(self._read_s, LATE_S):
            n, rate_hz = record.n, record.rate_hz
            self._heard_s += n / rate_hz
            if isinstance(record, Lost):
                clock.age_s(n, rate_hz, time.monotonic())
                self.inbox.skip(n, rate_hz)
                continue
            if pace is not None and not pace.wait(n, rate_hz, self._stopping, calm=self.inbox.calm):
                return
            # Timed here and not by the child: what waits in between is late, too.
            age_s = clock.age_s(n, rate_hz, time.monotonic())
            if pace is None and lateness.too_late(age_s, time.monotonic()) and not self.inbox.wrong_rate:
                raise AttemptError(
                    SourceState.RECONNECTING,
                    f"{self._name}: sound comes {age_s:.0f} s late, more slowly than it is recorded (a weak WLAN?); "
                    "connecting anew, to hear what is now",
                )
            self._heard(record, time.time() - age_s)
            if (pause_s := rate_limit.wait_s(n / rate_hz, time.monotonic())) and self._stopping.wait(pause_s):
                return
