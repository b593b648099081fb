"""Between one capture thread and the worker: a ring with a lock, and the source's time axis.

The capture thread writes and never waits (a live source) or waits (a file, whose replay is exact). The worker reads.
"""

import threading
import time
from collections.abc import Callable

from monitord.arrival import ArrivalWatch
from monitord.pcm import amplified, position_16k
from monitord.ring import Ring
from monitord.tally import Tally
from monitord.types import RATE_HZ, AudioChunk, Pcm
from service.capture.injection import Injection

Hear = Callable[[AudioChunk], None]
"""Takes the next sound; called by the capture thread under the inbox's lock, so it must return at once."""


class Tap:
    """Who hears a room besides the worker: a page that listens, or draws. Any thread may call."""

    def __init__(self) -> None:
        self.listeners: tuple[Hear, ...] = ()
        """Those that hear now; replaced, never changed."""
        self._at_once: tuple[Hear, ...] = ()
        self._lock = threading.Lock()  # of whoever opens and closes

    @property
    def at_once(self) -> bool:
        """Whether somebody wants sound as it comes, also where the room is calm."""
        return bool(self._at_once)

    def open(self, hear: Hear, *, at_once: bool) -> None:
        """Lets somebody hear from now on: as sound comes, or, of a calm room, twice a second."""
        with self._lock:
            self.listeners = (*self.listeners, hear)
            if at_once:
                self._at_once = (*self._at_once, hear)

    def close(self, hear: Hear) -> None:
        """Ends that; a chunk that is on its way may still come."""
        with self._lock:
            self.listeners = tuple(one for one in self.listeners if one != hear)
            self._at_once = tuple(one for one in self._at_once if one != hear)


class Inbox:
    """One source's ring.

    Args:
        source: Id of the source.
        waits: Whether `write` waits for room (files) instead of overwriting the oldest (live sources).
        wake: Set after each write, so that one worker can wait for many inboxes.
    """

    def __init__(self, source: str, *, waits: bool = False, wake: threading.Event | None = None) -> None:
        self.source = source
        self.calm = False
        """Whether nothing stands out of its room, so that sound has time until the next look; the worker says so."""
        self.gain_db = 0.0
        """By how much its room is heard louder than it was captured (decibels); the family says so. The ring holds what
        was captured: whoever reads amplifies, once it has looked for faults."""
        self.opposite = False
        """Whether two channels of it carry the same sound in opposite phase; the capture thread says so."""
        self.tap = Tap()
        """Hears what was really captured, as loud as the room is heard, and without the sound of a test alarm."""
        self._waits = waits
        self._wake = wake or threading.Event()
        self._ring = Ring()
        self._room = threading.Condition()
        self._rate_hz = RATE_HZ
        self._next = 0  # index of the next sample (samples at _rate_hz)
        self._lost_device = 0  # samples at 16 kHz
        self._ended = False
        self._closed = False
        self._injection: Injection | None = None
        self._arrival = ArrivalWatch()

    def inject(self, injection: Injection) -> None:
        """Lays a sound over what is written from now on; one at a time, the last one counts."""
        with self._room:
            self._injection = injection

    def write(self, samples: Pcm, rate_hz: int, at: float, *, timely: bool = True) -> None:
        """Appends int16 [n] mono samples, the first captured at wall time `at` (Unix seconds).

        `timely` is False for what waited somewhere on the way: how fast that comes says nothing of its rate.
        """
        with self._room:
            self._at_rate(rate_hz)
            if timely:
                self._arrival.feed(len(samples), rate_hz, time.monotonic())
            if self.tap.listeners:
                heard = amplified(samples, self.gain_db) if self.gain_db else samples
                for hear in self.tap.listeners:
                    hear(AudioChunk(self.source, rate_hz, self._next, heard, at))
            if self._injection is not None:
                samples = self._injection.mix(samples, rate_hz, position_16k(self._next, rate_hz), at)
                if self._injection.over:
                    self._injection = None
            chunk = AudioChunk(self.source, rate_hz, self._next, samples, at)
            while self._waits and not self._closed and not self._ring.fits(chunk):
                self._room.wait()
            self._next += len(samples)
            self._ring.push(chunk)
        self._wake.set()

    def skip(self, n: int, rate_hz: int) -> None:
        """Tells that n samples at `rate_hz` were lost before they came here (overflow): the next start jumps."""
        with self._room:
            self._at_rate(rate_hz)
            self._arrival.feed(n, rate_hz, time.monotonic())  # lost on the way, but recorded in its time
            self._lose(n)

    def end(self) -> None:
        """Tells that nothing will follow: a file is over."""
        with self._room:
            self._ended = True
        self._wake.set()

    def close(self) -> None:
        """Frees a writer that waits for room; what is inside stays readable."""
        with self._room:
            self._closed = True
            self._room.notify_all()

    def read(self) -> AudioChunk | None:
        """Returns the oldest chunk, or None. Never waits."""
        with self._room:
            chunk = self._ring.pop()
            self._room.notify_all()
        return chunk

    @property
    def drained(self) -> bool:
        """Whether the source has ended and everything was read."""
        with self._room:
            return self._ended and not len(self._ring)

    def tally(self) -> Tally:
        """Counts of this moment (samples at 16 kHz): what came, what was lost, and what waits here."""
        with self._room:
            captured = position_16k(self._next, self._rate_hz)
            return Tally(captured=captured, lost=self._ring.lost + self._lost_device, held=self._ring.held)

    @property
    def held(self) -> int:
        """Samples at 16 kHz waiting for the worker."""
        with self._room:
            return self._ring.held

    @property
    def wrong_rate(self) -> bool:
        """Whether sound comes faster or slower than its rate says; True of recordings that nobody paces."""
        with self._room:
            return self._arrival.wrong

    @property
    def lost_ring(self) -> int:
        """Samples at 16 kHz that the ring overwrote."""
        with self._room:
            return self._ring.lost

    @property
    def lost_device(self) -> int:
        """Samples at 16 kHz that a device or a connection dropped."""
        with self._room:
            return self._lost_device

    def _at_rate(self, rate_hz: int) -> None:
        """Continues the time axis at another rate: the index in seconds stays."""
        if rate_hz != self._rate_hz:
            before = position_16k(self._next, self._rate_hz)
            # Rounded up, for the axis may not run backwards: at most one sample is skipped.
            self._next = -(-self._next * rate_hz // self._rate_hz)
            self._rate_hz = rate_hz
            self._lost_device += position_16k(self._next, rate_hz) - before

    def _lose(self, n: int) -> None:
        before = position_16k(self._next, self._rate_hz)
        self._next += n
        self._lost_device += position_16k(self._next, self._rate_hz) - before
