"""Where the product stops saying `unsure`: the lowest threshold at which told reasons are right often enough."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS

SKILL: Final = 0.6
"""Share of told reasons that must be right in the grouped protocol, every reason weighing the same: clearly more often
right than wrong, or a parent is better off without."""
LOWEST: Final = 0.3
"""Least threshold tried: a little over the quarter that says nothing."""
STEP: Final = 0.05
"""Between two thresholds tried."""
NEVER: Final = 0.95
"""Threshold where no skill shows: the bundle says `unsure` nearly always."""


def unsure_below(
    told: NDArray[np.float32], label: NDArray[np.int64], *, data: str, least_told: int
) -> tuple[float, str]:
    """Chooses `tracker.unsure_below`.

    Args:
        told: float32 [n, 4], calibrated probabilities, each from a fit that never saw the recording's group.
        label: int64 [n], index into `REASONS`.
        data: Whose recordings, and grouped by what, for the sentence.
        least_told: Recordings that must have been told for a share to mean anything.

    Returns:
        The threshold, and the sentence that says what it rests on.
    """
    weight = 1.0 / np.bincount(label, minlength=len(REASONS))[label]
    right = told.argmax(axis=1) == label
    for threshold in np.arange(LOWEST, NEVER, STEP).round(2).tolist():
        chosen = told.max(axis=1) >= threshold
        if chosen.sum() < least_told:
            break
        share = float(np.average(right[chosen], weights=weight[chosen]))
        if share >= SKILL:
            return threshold, (
                f"{data}: {int(chosen.sum())} of {len(label)} recordings told, "
                f"{share:.2f} right with every reason weighing the same"
            )
    return NEVER, (
        f"{data}: at no threshold were told reasons right {SKILL:.0%} of the time with every reason weighing the same, "
        "so the reason is unsure nearly always"
    )
