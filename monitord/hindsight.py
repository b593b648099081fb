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
        self._evidence = np.zeros(len(THRESHOLDS))
        self._peak = np.zeros(len(THRESHOLDS))  # of the evidence since `quiet_from` was asked
        self._told = np.zeros(len(THRESHOLDS), bool)  # where an episode would have opened since `begin`
        self._at = 0  # end of the newest window (samples at 16 kHz)

    def window(self, end: int, log_odds: float) -> None:
        """Takes the calibrated log-odds of the window that ends at `end` (samples at 16 kHz)."""
        params = self._params
        faded = np.maximum(self._evidence - params.fade_per_s * max(end - self._at, 0) / RATE_HZ, 0.0)
        speaks = np.clip(log_odds - self._neutral, -params.most_against, params.most_for)
        self._evidence, self._at = np.clip(faded + speaks, 0.0, params.on), end
        self._peak = np.maximum(self._peak, self._evidence)
        self._told |= self._evidence >= params.on

    def begin(self) -> None:
        """What comes now is about another sound."""
        self._told[:] = False

    @property
    def told_up_to(self) -> float | None:
        """The highest threshold at which an episode would have opened since `begin`; None: at none of them."""
        return float(THRESHOLDS[self._told][-1]) if self._told.any() else None

    def quiet_from(self, share: float) -> float | None:
        """The lowest threshold at which the evidence stayed under a share of what an episode takes.

        Since it was asked last. None: at none of them.
        """
        quiet = self._peak < share * self._params.on
        self._peak[:] = 0.0
        return float(THRESHOLDS[quiet][0]) if quiet.any() else None
