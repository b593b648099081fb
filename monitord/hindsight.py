"""What other thresholds would make of the same windows: the evidence at each of them, as the tracker adds it up.

So the family can be told, before they move a threshold, which of the cries that they know would still have been told.
"""

from typing import Final

import numpy as np

from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ

THRESHOLDS: Final = np.arange(5, 96) / 100.0
"""float64 [91], calibrated probabilities from 0.05 to 0.95: what the slider of the page offers, in its steps."""


class Hindsight:
    """Follows one source. Positions never run backwards.

    Args:
        params: As of the tracker.
    """

    def __init__(self, params: TrackerParams) -> None:
        self._params = params
        self._neutral = np.array([params.neutral(threshold) for threshold in THRESHOLDS])  # float64 [91], log-odds
        # A higher threshold never has more evidence: what holds at one of them holds at all below it.
        self._evidence = np.zeros(len(THRESHOLDS))
        self._peak = np.zeros(len(THRESHOLDS))  # of the evidence since `quiet_from` was asked
        self._speaks = np.zeros(len(THRESHOLDS))  # scratch: arrays are not made anew, which costs more than the sums
        self._told = 0  # thresholds, from the lowest on, at which an episode would have opened since `begin`
        self._at = 0  # end of the newest window (samples at 16 kHz)

    def window(self, end: int, log_odds: float) -> None:
        """Takes the calibrated log-odds of the window that ends at `end` (samples at 16 kHz)."""
        params, evidence, speaks = self._params, self._evidence, self._speaks
        fade, self._at = params.fade_per_s * max(end - self._at, 0) / RATE_HZ, end
        if not evidence[0] and log_odds <= self._neutral[0]:
            return  # nothing anywhere, and nothing comes: most windows of a noisy room
        evidence -= fade
        np.maximum(evidence, 0.0, out=evidence)
        np.subtract(log_odds, self._neutral, out=speaks)
        np.maximum(speaks, -params.most_against, out=speaks)
        np.minimum(speaks, params.most_for, out=speaks)
        evidence += speaks
        np.maximum(evidence, 0.0, out=evidence)
        np.minimum(evidence, params.on, out=evidence)
        np.maximum(self._peak, evidence, out=self._peak)
        if evidence[0] >= params.on:
            self._told = max(self._told, int(np.count_nonzero(evidence >= params.on)))

    def begin(self) -> None:
        """What comes now is about another sound."""
        self._told = 0

    @property
    def told_up_to(self) -> float | None:
        """The highest threshold at which an episode would have opened since `begin`; None: at none of them."""
        return float(THRESHOLDS[self._told - 1]) if self._told else None

    def quiet_from(self, share: float) -> float | None:
        """The lowest threshold at which the evidence stayed under a share of what an episode takes.

        Since it was asked last. None: at none of them.
        """
        near = int(np.count_nonzero(self._peak >= share * self._params.on)) if self._peak[0] else 0
        self._peak[:] = 0.0
        return float(THRESHOLDS[near]) if near < len(THRESHOLDS) else None
