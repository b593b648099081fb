"""Weights by which every reason counts the same, however often it was told."""

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS


def balanced(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of each clip, so that every reason that is there weighs the same; their mean is 1."""
    counts = np.bincount(labels, minlength=len(REASONS))
    return np.asarray(len(labels) / ((counts > 0).sum() * counts[labels]))
