"""Rules by which a peer's windows raise an alarm: N of M over a threshold, or evidence added up (Page's CUSUM)."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ
from training.streams.false_alarms import Heard

HOLD_S: Final = TrackerParams().hold_s
"""Seconds after which an alarm ends when no window keeps it alive: the daemon's, for all."""
KEEPS_SHARE: Final = 0.6
"""Share of the threshold from which a window keeps an alarm alive: a whimper between two cries does not end it."""
VOTES: Final = ((1, 1), (2, 2), (2, 3), (2, 4), (3, 4), (3, 6), (4, 6))
"""N of M windows that are tried: a window is 0.48 s apart from the next, or more."""
THRESHOLDS: Final = (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Probabilities: mn04 seldom says more than 0.1 of one second."""
NEUTRAL: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7)
MOST: Final = (1.0, 2.0, 4.0)
BOUNDS: Final = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)
"""Of `Evidence`, all with all: from one window that suffices to a dozen that agree."""

Alarm = tuple[int, int]
"""When it was raised and when it ended (samples at 16 kHz)."""


class Rule(Protocol):
    """Anything that makes alarms of what was heard; its text names it in tables."""

    def alarms(self, heard: Heard) -> list[Alarm]:
        """Alarms in order of time, none while another is open."""


@dataclass(frozen=True, slots=True)
class Votes:
    """So many of the newest windows are at the threshold."""

    n: int
    m: int
    threshold: float

    def __str__(self) -> str:
        votes = "any window" if self.m == 1 else f"{self.n} of {self.m} windows"
        return f"{votes} at {self.threshold:g}"

    def alarms(self, heard: Heard) -> list[Alarm]:
        """Raised at the end of the window with which there are enough."""
        p_cry = np.asarray(heard.p_cry, np.float64)
        over = (p_cry >= self.threshold).astype(np.int64)
        votes = np.convolve(over, np.ones(self.m, np.int64))[: len(over)]
        return _held(heard, votes >= self.n, p_cry >= KEEPS_SHARE * self.threshold)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The windows' log-odds less a bias, each within limits, add up to the bound; never below zero nor over it."""

    neutral: float
    """Probability that speaks neither for nor against a cry."""
    most: float
    """What one window adds or takes away at most (nats)."""
    bound: float
    """Nats."""

    def __str__(self) -> str:
        return f"evidence of {self.bound:g} over {self.neutral:g}, {self.most:g} a window"

    def alarms(self, heard: Heard) -> list[Alarm]:
        """Raised at the end of the window that reaches the bound; one over `neutral` keeps an alarm alive."""
        p_cry = np.clip(np.asarray(heard.p_cry, np.float64), 1e-7, 1 - 1e-7)
        log_odds = np.log(p_cry / (1 - p_cry)) - np.log(self.neutral / (1 - self.neutral))
        steps = np.clip(log_odds, -self.most, self.most).tolist()
        total = accumulate(steps, lambda sum_, step: min(self.bound, max(0.0, sum_ + step)), initial=0.0)
        return _held(heard, np.array(list(total)[1:]) >= self.bound, log_odds > 0)


def rules() -> Iterator[Rule]:
    """Yields all that are tried for a peer."""
    for (n, m), threshold in product(VOTES, THRESHOLDS):
        yield Votes(n, m, threshold)
    for neutral, most, bound in product(NEUTRAL, MOST, BOUNDS):
        yield Evidence(neutral, most, bound)


def _held(heard: Heard, raises: NDArray[np.bool_], keeps: NDArray[np.bool_]) -> list[Alarm]:
    """Alarms from what each window does; each ends `HOLD_S` after the last window that kept it, or with the stream."""
    hold, length = int(HOLD_S * RATE_HZ), len(heard.stream.samples)
    out: list[Alarm] = []
    start, last = -1, 0
    for i in np.flatnonzero(raises | keeps).tolist():
        at = heard.windows[i].end
        if start >= 0 and at >= last + hold:
            out.append((start, last + hold))
            start = -1
        if start < 0 and raises[i]:
            start = last = at
        elif start >= 0 and keeps[i]:
            last = at
    if start >= 0:
        out.append((start, min(last + hold, length)))
    return out
