"""Scores to episodes of crying: calm -> crying -> calm, by evidence that grows and fades, with a hold.

Each window adds its log-odds to the evidence, or takes from it; it never falls below zero, and an episode opens where
it reaches `on`. That is Page's sequential test (CUSUM), the quickest to see a change at a given rate of false alarms,
on log-odds that are bounded: windows overlap and share their mistakes, so a single one may not decide. An episode ends
when the evidence was under `off` for the hold. The reason is the mean over the episode's cry sounds; it is told when it
is known and when it changes, and never delays or suppresses `started`.
"""

from dataclasses import dataclass
from math import exp, log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.intensity import Intensity
from monitord.types import RATE_HZ, REASONS, CryEvent, EventType, Scores, Segment, Window

UNSURE = "unsure"
NONE = "none"
SUREST: Final = 1e-6
"""Probability, from 0 and from 1, that is as sure as it gets: log-odds of 14, far outside of every bound."""


@dataclass(frozen=True, slots=True)
class TrackerParams:
    """Chosen with the bundle; the operator may move `on_p` alone (`threshold`). Evidence is in natural log-odds."""

    on_p: float = 0.5
    """The threshold, a calibrated probability: lower hears more, and sooner."""
    lean: float = 0.0
    """Log-odds by which a window may lie under the threshold and still speak for crying: one such window means little,
    a dozen mean much."""
    most_for: float = 1.0
    """Most that one window adds."""
    most_against: float = 0.5
    """Most that one window takes away: a breath does not undo a cry."""
    fade_per_s: float = 0.25
    """What each second takes away, with windows or without."""
    on: float = 2.5
    """Evidence at which an episode opens, and the most that there can be."""
    off: float = 1.0
    """Evidence that keeps an episode alive."""
    hold_s: float = 10.0
    """Seconds without so much evidence after which an episode has ended."""
    unsure_below: float = 0.6
    """Calibrated probability under which the likeliest reason is not told."""

    def neutral(self, on_p: float) -> float:
        """Returns the log-odds from which a window speaks for crying, at a threshold; under them it speaks against."""
        return log_odds(on_p) - self.lean

    def speaks_from(self, on_p: float) -> float:
        """Returns the same as a calibrated probability."""
        return 1.0 / (1.0 + exp(-self.neutral(on_p)))


def log_odds(p: float) -> float:
    """Returns the natural log-odds of a probability, at most those of `SUREST`."""
    p = min(max(p, SUREST), 1.0 - SUREST)
    return log(p / (1.0 - p))


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
        self._evidence = 0.0  # at `_at`
        self._at = 0  # end of the newest window (samples at 16 kHz)
        self._rose = 0  # where the sound began from which the evidence grew out of nothing (samples at 16 kHz)
        self._episode = 0
        self._crying = False
        self._start = 0  # samples at 16 kHz
        self._last_cry = 0  # end of the last window with evidence over `off` (samples at 16 kHz)
        self._p_cry = 0.0  # highest since the evidence grew
        self._sum = np.zeros(len(REASONS))  # of segment reasons, weighted by windows
        self._weight = 0
        self._reason = (NONE, 0.0)
        self._intensity = Intensity()

    @property
    def crying(self) -> bool:
        """Whether an episode is open."""
        return self._crying

    @property
    def episode(self) -> int:
        """Number of the current or last episode, from 1; 0 before the first."""
        return self._episode

    @property
    def distress(self) -> float | None:
        """How hard the current or last episode was cried so far, 0 to 1; None where the bundle does not know."""
        return self._intensity.distress

    @property
    def on(self) -> float:
        """Evidence at which an episode opens."""
        return self.params.on

    def evidence(self, position: int) -> float:
        """How much speaks for crying at `position` (samples at 16 kHz): 0 to `on`."""
        faded = self.params.fade_per_s * max(position - self._at, 0) / RATE_HZ
        return max(self._evidence - faded, 0.0)

    def window(self, window: Window, scores: Scores, on_p: float | None = None) -> list[CryEvent]:
        """Takes the next window's scores; `on_p` is the operator's threshold in place of the bundle's."""
        params = self.params
        events = self.advance(window.end)
        self._intensity.window(window.end, scores)
        before = self.evidence(window.end)
        speaks = log_odds(scores.p_cry) - params.neutral(params.on_p if on_p is None else on_p)
        speaks = min(max(speaks, -params.most_against), params.most_for)
        self._evidence, self._at = min(max(before + speaks, 0.0), params.on), window.end
        if before == 0.0 and not self._crying:
            self._rose = max(window.onset, window.start, 0)
            self._p_cry = 0.0
        self._p_cry = max(self._p_cry, scores.p_cry)
        if not self._crying and self._evidence >= params.on:
            events.append(self._open())
        if self._crying and self._evidence >= params.off:
            self._last_cry = window.end
        return events

    def join(self, position: int) -> list[CryEvent]:
        """Another room has evidence enough: this one opens its episode on any that it has.

        So the louder room can tell the cry, although it hears it a little later.

        Args:
            position: Newest sample heard in this room (samples at 16 kHz).

        Returns:
            Nothing where no evidence is left, or an episode is open.
        """
        return [self._open()] if self.evidence(position) > 0.0 and not self._crying else []

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
        self._evidence = 0.0
        if not self._crying:
            return []
        self._crying = False
        return [self._event("ended", position)]

    def _open(self) -> CryEvent:
        self._crying = True
        self._episode += 1
        self._start, self._last_cry = self._rose, self._at
        self._sum[:] = 0.0
        self._weight = 0
        self._reason = (NONE, 0.0)
        self._intensity.begin(self._start)
        return self._event("started", self._at)

    def _event(self, event_type: EventType, decided: int) -> CryEvent:
        mean = tuple(float(p) for p in self._sum / self._weight) if self._weight else ()
        reason, reason_p = self._reason
        return CryEvent(
            self._episode,
            self.source,
            event_type,
            self._start,
            decided,
            self._p_cry,
            reason,
            reason_p,
            mean,
            self.distress,
        )
