"""The family's page on a phone as a microphone: its sound comes in posts, with the index of each sample.

A post that gets no answer is sent again, so doubles come, and are dropped; where an index jumps, sound is missing that
the phone could not keep, and it is counted. The page says what it knows to be wrong with its phone, too.
"""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from monitord.faults import PAGE_FAULTS, Fault
from monitord.types import RATE_HZ, Pcm
from service.capture.clock import LiveClock
from service.capture.inbox import Inbox
from service.capture.source import SourceState, SourceStatus

SILENT_S: Final = 3.0
"""Seconds without a post after which the page does not answer: it posts four times a second, and without sound each
second."""
ROOM_S: Final = 20.0
"""Seconds of sound that may wait for the worker before a page is asked to keep its own: two thirds of the ring."""
LATE_S: Final = 1.0
"""Age of sound (seconds) from which a post is part of a backlog, which says nothing of the phone's clock."""
LONGEST_HOLE_S: Final = 7 * 24 * 3_600.0
"""Seconds that may be missing between two posts of one page: one that is open for longer begins anew."""
SESSIONS_BOUND: Final = 50
"""Pages that are remembered as displaced: a tab that is as old as that is closed."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Post:
    """What a page sends at once."""

    session: str
    """Names one page for as long as it is open."""
    start: int
    """Index of the first sample on the page's own axis (samples at `rate_hz`)."""
    rate_hz: int
    samples: Pcm
    """int16 [n]; none where there is nothing but a word."""
    says: Fault = "ok"
    """What the page knows to be wrong: one of `PAGE_FAULTS`, or `ok`."""


Answer = int | Literal["displaced", "hole"]
"""The index up to which the page need not keep its sound; or a newer page took over; or it must begin a new session."""


class PageSource:
    """A `Source` without a thread: whoever serves the page calls `take`.

    Args:
        source_id: `[a-z0-9_]+`.
        inbox: Of the overwriting kind.
    """

    def __init__(self, source_id: str, inbox: Inbox) -> None:
        self.id, self.inbox = source_id, inbox
        self._lock = threading.Lock()
        self._session: str | None = None
        self._displaced: deque[str] = deque(maxlen=SESSIONS_BOUND)
        self._rate_hz = RATE_HZ
        self._next = 0  # index on the page's axis (samples at _rate_hz)
        self._clock = LiveClock()
        self._posted_at: float | None = None  # monotonic seconds
        self._says: Fault = "ok"
        self._reconnects = 0
        self._stopped = False

    def start(self) -> None:
        """There is nothing to open: the phone comes to us."""

    def stop(self, timeout_s: float) -> bool:
        """From now on no sound is taken: the page keeps it for the next start."""
        del timeout_s
        with self._lock:
            self._stopped = True
        return True

    def status(self) -> SourceStatus:
        """What is known of the phone, at any time, without waiting."""
        with self._lock:
            posted_at, says, reconnects = self._posted_at, self._says, self._reconnects
        if posted_at is None:
            return SourceStatus(SourceState.RECONNECTING, "its phone has not come yet: open the page on it")
        if time.monotonic() - posted_at > SILENT_S:
            words = "its phone does not answer: is it on, and in the Wi-Fi?"
            return SourceStatus(SourceState.RECONNECTING, words, reconnects, says=says)
        return SourceStatus(SourceState.LIVE, "", reconnects, says=says)

    def take(self, post: Post) -> Answer:
        """Takes what is new of a post; never waits. From any thread."""
        with self._lock:
            if post.session in self._displaced:
                return "displaced"
            if post.session != self._session and not self._welcome(post):
                return post.start  # it has only a word, and another page has sound
            self._posted_at = time.monotonic()
            if post.says != self._says:
                _log.info("%s: its phone says: %s", self.id, post.says)
                self._says = post.says
            return self._take_sound(post) if len(post.samples) else self._next

    def _welcome(self, post: Post) -> bool:
        """A new page takes over, where it brings sound, or the one before is silent."""
        silent = self._posted_at is None or time.monotonic() - self._posted_at > SILENT_S
        if not (silent or len(post.samples) or self._says == "page_closed"):
            return False
        if self._session is not None:
            self._displaced.append(self._session)
            self._reconnects += self._clock.heard
        self._session, self._rate_hz, self._next, self._clock = post.session, post.rate_hz, post.start, LiveClock()
        return True

    def _take_sound(self, post: Post) -> Answer:
        rate_hz, missing, samples = post.rate_hz, post.start - self._next, post.samples
        if rate_hz != self._rate_hz or missing > LONGEST_HOLE_S * rate_hz:
            return "hole"
        if self._stopped or self.inbox.held / RATE_HZ + len(samples) / rate_hz > ROOM_S:
            return self._next
        now = time.monotonic()
        if missing > 0:
            self._clock.age_s(missing, rate_hz, now)
            self.inbox.skip(missing, rate_hz)
        samples = samples[max(0, -missing) :]
        if len(samples):
            age_s = self._clock.age_s(len(samples), rate_hz, now)
            self.inbox.write(samples, rate_hz, time.time() - age_s, timely=age_s < LATE_S + len(samples) / rate_hz)
            self._next = max(self._next, post.start) + len(samples)
        return self._next


def page_fault(word: str) -> Fault:
    """Returns a page's word as a fault.

    Raises:
        ValueError: It is none that a page may say.
    """
    for fault in ("ok", *PAGE_FAULTS):
        if word == fault:
            return fault
    raise ValueError(f"{word!a} is no word of a page; allowed are ok, {', '.join(PAGE_FAULTS)}")


def samples_of(body: bytes) -> Pcm:
    """Returns int16 [n] of little-endian bytes; ValueError where a sample is cut."""
    return np.frombuffer(body, dtype="<i2").astype(np.int16, copy=False)
