"""How hard it cries: a linear head, fitted to babies in the bath and babies who are vaccinated, calibrated on others.

Every baby weighs the same, its bath as much as its vaccination, and each recording as much as another of the same.
Ridge regression, because everything it needs are sums over babies: leaving one out costs one solution.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from model.calibration import sigmoid
from model.distress.features import N_FEATURES
from model.distress.head import DistressHead

RIDGE: Final = 0.5
"""Share of a feature's variance that is added to it: 201 recordings of 15 babies against 328 features. From a tenth to
half it made no difference as recorded, and helped where other sound is mixed in."""
DIGITS: Final = 7
"""Decimals of what is shipped: a millionth of a logit."""


@dataclass(frozen=True, slots=True)
class Cries:
    """Whose recordings, and of what."""

    baby: NDArray[np.int64]
    """[recordings], number of the baby."""
    hard: NDArray[np.bool_]
    """[recordings], whether it was vaccinated; else it was in the bath."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Windows of all recordings, as they arrived once."""

    features: NDArray[np.float32]
    """[windows, N_FEATURES], or any other number of them."""
    p_cry: NDArray[np.float32]
    """[windows]."""
    recording: NDArray[np.int64]
    """[windows], row of the recording."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A score that is no probability yet: about -1 for the bath, 1 for the vaccination."""

    kernel: NDArray[np.float64]
    bias: float

    def scores(self, heard: Heard) -> NDArray[np.float64]:
        """Returns float64 [windows]."""
        return np.asarray(heard.features.astype(np.float64) @ self.kernel + self.bias)


class Ridge:
    """Fits with one baby left out, or none.

    Args:
        cries: Of all babies.
        passes: The recordings as they arrived, each time by another way.
    """

    def __init__(self, cries: Cries, passes: Sequence[Heard]) -> None:
        width = passes[0].features.shape[1] + 1
        babies = int(cries.baby.max()) + 1
        self._squares = np.zeros((babies, width, width))
        self._products = np.zeros((babies, width))
        for heard in passes:
            weight, target = window_weights(cries, heard), np.where(cries.hard[heard.recording], 1.0, -1.0)
            of = cries.baby[heard.recording]
            for baby in range(babies):
                rows = of == baby
                x = np.column_stack([heard.features[rows], np.ones(rows.sum())])  # float64 [windows, width]
                weighted = x.T * weight[rows]
                self._squares[baby] += weighted @ x
                self._products[baby] += weighted @ target[rows]

    def fit(self, without: int | None = None) -> Linear:
        """Fits to all babies but one."""
        kept = np.arange(len(self._squares)) != (-1 if without is None else without)
        squares, products = self._squares[kept].sum(axis=0), self._products[kept].sum(axis=0)
        total = squares[-1, -1]
        mean, target = squares[-1, :-1] / total, products[-1] / total
        covariance = squares[:-1, :-1] / total - np.outer(mean, mean)
        scale = np.sqrt(np.maximum(covariance.diagonal(), 1e-12))
        standard = covariance / np.outer(scale, scale) + RIDGE * np.eye(len(scale))
        kernel = np.linalg.solve(standard, (products[:-1] / total - mean * target) / scale) / scale
        return Linear(kernel, float(target - mean @ kernel))


def window_weights(cries: Cries, heard: Heard) -> NDArray[np.float64]:
    """Returns float64 [windows]: by its probability of a cry within its recording; each baby's bath weighs 1."""
    total = np.bincount(heard.recording, weights=heard.p_cry, minlength=len(cries.baby))
    # A recording in which hardly one window is a cry counts for less.
    return np.asarray(heard.p_cry / (np.maximum(total, 1.0) * _alike(cries))[heard.recording], np.float64)


def _alike(cries: Cries) -> NDArray[np.int64]:
    """How many recordings of the same baby and kind there are, int64 [recordings]."""
    kind = 2 * cries.baby + cries.hard
    return np.bincount(kind)[kind]


def pooled(scores: NDArray[np.float64], heard: Heard, recordings: int) -> NDArray[np.float64]:
    """Returns float64 [recordings]: the mean over windows, each weighing by its probability of a cry."""
    total = np.bincount(heard.recording, weights=heard.p_cry, minlength=recordings)
    return np.bincount(heard.recording, weights=heard.p_cry * scores, minlength=recordings) / np.maximum(total, 1e-9)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Heads that each never heard one baby, and one calibration for all of them."""

    heads: tuple[Linear, ...]
    """By baby."""
    scale: float
    bias: float

    def probabilities(self, cries: Cries, heard: Heard) -> NDArray[np.float64]:
        """Returns float64 [windows], each by the head that never heard its baby."""
        return np.asarray(sigmoid(self.scale * _left_out_scores(self.heads, cries, heard) + self.bias))


def leave_one_baby_out(cries: Cries, passes: Sequence[Heard]) -> LeftOut:
    """Fits a head for each baby, to all others, and calibrates on what they say of the babies that they never heard.

    Calibrated are the means over recordings, some seven seconds long, because means over seconds are what is told.
    """
    ridge = Ridge(cries, passes)
    heads = tuple(ridge.fit(without=baby) for baby in range(int(cries.baby.max()) + 1))
    n = len(cries.baby)
    scores = np.concatenate([pooled(_left_out_scores(heads, cries, heard), heard, n) for heard in passes])
    weight, hard = np.tile(1.0 / _alike(cries), len(passes)), np.tile(cries.hard, len(passes))
    model = LogisticRegression(C=np.inf).fit(scores[:, None], hard, sample_weight=weight / weight.mean())
    return LeftOut(heads, float(model.coef_[0, 0]), float(model.intercept_[0]))


def distress_head(cries: Cries, passes: Sequence[Heard], calibration: LeftOut) -> DistressHead:
    """Fits the head that is shipped, to all babies, with the calibration of those that never heard theirs."""
    fitted = Ridge(cries, passes).fit()
    assert fitted.kernel.size == N_FEATURES
    kernel = tuple(round(float(x), DIGITS) for x in calibration.scale * fitted.kernel)
    return DistressHead(kernel, round(calibration.scale * fitted.bias + calibration.bias, DIGITS))


def _left_out_scores(heads: Sequence[Linear], cries: Cries, heard: Heard) -> NDArray[np.float64]:
    out = np.zeros(len(heard.recording))
    of = cries.baby[heard.recording]
    for baby, head in enumerate(heads):
        rows = of == baby
        out[rows] = heard.features[rows].astype(np.float64) @ head.kernel + head.bias
    return out
