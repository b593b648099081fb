"""Scores to episodes of crying: calm -> crying -> calm, with N of M windows, hysteresis and a hold.

N of the last M windows must be over the threshold, not N in a row: a streak would break at each breath. An episode
ends when nothing like a cry was heard for the hold. The reason is the mean over the episode's cry sounds; it is told
when it is known and when it changes, and never delays or suppresses `started`.
"""

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.types import RATE_HZ, REASONS, CryEvent, EventType, Scores, Segment, Window

UNSURE = "unsure"
NONE = "none"


@dataclass(frozen=True, slots=True)
class TrackerParams:
    """Chosen with the bundle; the operator may move `on_p` alone (`threshold`)."""

    on_p: float = 0.5
    """Calibrated probability from which a window speaks for crying."""
    off_p: float = 0.3
    """Calibrated probability from which a window keeps an episode alive."""
    n: int = 3
    """Windows that must speak for crying."""
    m: int = 5
    """Newest windows among which they are counted."""
    span_s: float = 4.0
    """Seconds after which a window is too old to count: longer than one cry sound and the breath after it."""
    hold_s: float = 10.0
    """Seconds without any window over `off_p` after which an episode has ended."""
    unsure_below: float = 0.6
    """Calibrated probability under which the likeliest reason is not told."""


def likely_reason(reasons: NDArray[np.float32], unsure_below: float) -> tuple[str, float]:
    """Names the likeliest of float32 [4] calibrated reasons, or `unsure`, with its probability."""
    best = int(np.argmax(reasons))
    p = float(reasons[best])
    return (REASONS[best] if p >= unsure_below else UNSURE), p


class Tracker:
    """Follows one source. Positions never run backwards."""

    def __init__(self, source: str, params: TrackerParams) -> None:
        self.source = source
        self.params = params
        self._recent: deque[tuple[Window, float]] = deque(maxlen=params.m)
        self._episode = 0
        self._crying = False
        self._start = 0  # samples at 16 kHz
        self._last_cry = 0  # end of the last window over off_p (samples at 16 kHz)
        self._p_cry = 0.0
        self._sum = np.zeros(len(REASONS))  # of segment reasons, weighted by windows
        self._weight = 0
        self._reason = (NONE, 0.0)

    @property
    def crying(self) -> bool:
        """Whether an episode is open."""
        return self._crying

    @property
    def episode(self) -> int:
        """Number of the current or last episode, from 1; 0 before the first."""
        return self._episode

    def evidence(self, position: int, on_p: float | None = None) -> float:
        """How much speaks for crying at `position` (samples at 16 kHz): an episode opens at `on`. Votes, for now."""
        return len(self._votes(position, self.params.on_p if on_p is None else on_p))

    @property
    def on(self) -> float:
        """Evidence at which an episode opens."""
        return self.params.n

    def window(self, window: Window, scores: Scores, on_p: float | None = None) -> list[CryEvent]:
        """Takes the next window's scores; `on_p` is the operator's threshold in place of the bundle's."""
        params = self.params
        on_p = params.on_p if on_p is None else on_p
        events = self.advance(window.end)
        self._recent.append((window, scores.p_cry))
        votes = self._votes(window.end, on_p)
        if scores.p_cry >= min(on_p, params.off_p) and self._crying:
            self._last_cry = window.end
            self._p_cry = max(self._p_cry, scores.p_cry)
        if not self._crying and len(votes) >= params.n:
            events.append(self._open(votes, window.end))
        return events

    def join(self, position: int, on_p: float | None = None) -> list[CryEvent]:
        """Another room has votes enough: this one opens its episode on a single one, if it has a fresh one.

        So the louder room can tell the cry, although it hears it a little later.

        Args:
            position: Newest sample heard in this room (samples at 16 kHz).
            on_p: The operator's threshold in place of the bundle's.

        Returns:
            Nothing where no window of the last `span_s` is over the threshold, or an episode is open.
        """
        votes = self._votes(position, self.params.on_p if on_p is None else on_p)
        return [self._open(votes, votes[-1][0].end)] if votes and not self._crying else []

    def segment(self, segment: Segment, scores: Scores, on_p: float | None = None) -> list[CryEvent]:
        """Takes a finished segment's pooled scores."""
        cry = scores.p_cry >= (self.params.on_p if on_p is None else on_p)
        if not (self._crying and cry) or segment.start + len(segment.samples) <= self._start:
            return []
        self._sum += scores.reasons * scores.n_windows
        self._weight += scores.n_windows
        reason = likely_reason((self._sum / self._weight).astype(np.float32), self.params.unsure_below)
        changed = reason[0] != self._reason[0]
        self._reason = reason
        return [self._event("reason", segment.closed)] if changed else []

    def advance(self, position: int) -> list[CryEvent]:
        """Lets time pass up to `position` (samples at 16 kHz) without a window."""
        end = self._last_cry + int(self.params.hold_s * RATE_HZ)
        return self.flush(end) if self._crying and position >= end else []

    def flush(self, position: int) -> list[CryEvent]:
        """Ends an open episode, at the end of the hold or of the stream."""
        self._recent.clear()
        if not self._crying:
            return []
        self._crying = False
        return [self._event("ended", position)]

    def _votes(self, position: int, on_p: float) -> list[tuple[Window, float]]:
        """Windows over the threshold that are young enough at `position`, oldest first."""
        oldest = position - int(self.params.span_s * RATE_HZ)
        return [(window, p) for window, p in self._recent if p >= on_p and window.end > oldest]

    def _open(self, votes: list[tuple[Window, float]], decided: int) -> CryEvent:
        first = votes[0][0]
        self._crying = True
        self._episode += 1
        self._start = max(first.onset, first.start, 0)
        self._last_cry = decided
        self._p_cry = max(p for _, p in votes)
        self._sum[:] = 0.0
        self._weight = 0
        self._reason = (NONE, 0.0)
        return self._event("started", decided)

    def _event(self, event_type: EventType, decided: int) -> CryEvent:
        mean = tuple(float(p) for p in self._sum / self._weight) if self._weight else ()
        reason, reason_p = self._reason
        return CryEvent(
            self._episode, self.source, event_type, self._start, decided, self._p_cry, reason, reason_p, mean
        )
