"""How hard one episode is cried: the highest mean over five seconds of crying.

A single shriek is no hard crying, and a calmer minute does not undo a hard one: a parent wants to know the worst that
there was. What counts is crying, not time: a baby that is out of breath does not get calmer by it.
"""

from collections import deque
from typing import Final

from monitord.types import Scores

WINDOWS: Final = 21
"""Windows that make five seconds of crying: one each 0.24 s."""
CRY_P: Final = 0.5
"""Calibrated probability from which a window is crying: more likely than not."""
HARD_FROM: Final = 0.7
"""From here on people are told that it is crying hard. By `monitord-train distress` nearly a quarter of
the cries of vaccinated babies and one or two in a hundred in the bath are told so: seldom, and then seldom wrong."""


def is_hard(distress: float | None) -> bool:
    """Whether people are told that it is crying hard."""
    return distress is not None and distress >= HARD_FROM


class Intensity:
    """Follows one source, from episode to episode."""

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=WINDOWS)
        self._highest: float | None = None

    @property
    def distress(self) -> float | None:
        """Of the newest episode, 0 to 1: over all of it before five seconds were cried, after that the highest mean.

        None where nothing was cried yet, or the bundle does not know.
        """
        if self._highest is not None or not self._recent:
            return self._highest
        return self._mean()

    def window(self, end: int, scores: Scores) -> None:
        """Takes a window that ends there (samples at 16 kHz); none counts that is no crying."""
        if scores.distress is None or scores.p_cry < CRY_P:
            return
        self._recent.append((end, scores.p_cry, scores.distress))
        if len(self._recent) == WINDOWS:
            mean = self._mean()
            self._highest = mean if self._highest is None else max(self._highest, mean)

    def begin(self, start: int) -> None:
        """An episode begins with a sound that starts there (samples at 16 kHz): what was before is not its own."""
        while self._recent and self._recent[0][0] <= start:
            self._recent.popleft()
        self._highest = None

    def _mean(self) -> float:
        """Each window weighs in by its probability of being a cry."""
        return sum(p * distress for _, p, distress in self._recent) / sum(p for _, p, _ in self._recent)
