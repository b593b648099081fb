"""Fine-tuning's head for the reasons: what the shipped head says, and the least change that a family's cries ask.

Multinomial logistic regression on what is left over: the shipped head's calibrated logits stand in every row as they
are, and a ridge holds the difference near nothing. The strength is chosen inside the folds; the strongest is infinite,
which is the shipped head itself.

Windows vote, cries are counted: each reason weighs the same, in it each recording, in it each cry, in it each window
by its probability of being one, as the daemon pools them.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from monitord.types import REASONS
from training.data.splits import folds
from training.learn.reason_head import balanced

FOLDS: Final = 5
"""The method's."""
INNER_FOLDS: Final = 3
"""In which the strength is chosen: the four recordings that a fold leaves of the rarest reason part into three."""
RIDGES: Final = (np.inf, 10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01)
"""Strengths on the squared difference, against a loss that is a mean over cries; each a third of the one before."""
LEAST_CRY: Final = 0.01
"""Weight of a window that is surely no cry: where nothing in a cry sounds like one, its windows still weigh alike."""


@dataclass(frozen=True, slots=True)
class Cries:
    """What is counted: cries of one reason in one recording (grouped), or single cry sounds (random)."""

    embedding: NDArray[np.float64]
    """[windows, 128]."""
    offset: NDArray[np.float64]
    """[windows, 4], the shipped head's calibrated logits."""
    weight: NDArray[np.float64]
    """[windows], probability that it is a cry, above 0."""
    cry: NDArray[np.int64]
    """[windows], row of the cry below, ascending."""
    label: NDArray[np.int64]
    """[cries], index into `REASONS`."""
    group: NDArray[np.int64]
    """[cries], never on both sides of a fold: its recording (grouped) or itself (random)."""

    def pool(self, logits: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pools windows' logits [windows, 4] into cries' probabilities [cries, 4], as `model.classifier.pool` does."""
        starts = np.searchsorted(self.cry, np.arange(len(self.label)))
        total = np.add.reduceat(self.weight[:, None] * softmax(logits, axis=1), starts)
        return np.asarray(total / np.add.reduceat(self.weight, starts)[:, None])

    def chosen(self, rows: NDArray[np.int64]) -> "Cries":
        """Only these cries, in ascending order."""
        place = np.full(len(self.label), -1, np.int64)
        place[rows] = np.arange(len(rows))
        keep = place[self.cry] >= 0
        windows = (self.embedding[keep], self.offset[keep], self.weight[keep], place[self.cry[keep]])
        return Cries(*windows, self.label[rows], self.group[rows])


@dataclass(frozen=True, slots=True)
class Head:
    """What is added to the shipped head's calibrated logits."""

    kernel: NDArray[np.float64]
    """[128, 4]."""
    bias: NDArray[np.float64]
    """[4]."""
    ridge: float
    """Strength that held it; infinite where nothing is added."""

    def logits(self, cries: Cries) -> NDArray[np.float64]:
        """[windows, 4], shipped and added."""
        return np.asarray(cries.offset + cries.embedding @ self.kernel + self.bias)


def fit_head(cries: Cries) -> Head:
    """Fits on all cries, with the strength that tells held-back recordings best."""
    if len(np.unique(cries.group)) < INNER_FOLDS or len(np.unique(cries.label)) == 1:
        return _fit(cries, np.inf)  # nothing to choose by
    inner = folds(cries.label, cries.group, "grouped", INNER_FOLDS)
    losses = []
    for ridge in RIDGES:
        told = np.zeros((len(cries.label), len(REASONS)))
        for train, test in inner:
            part = cries.chosen(test)
            told[test] = part.pool(_fit(cries.chosen(train), ridge).logits(part))
        losses.append(float(np.mean(log_loss(told, cries.label) * balanced(cries.label))))
    return _fit(cries, RIDGES[int(np.argmin(losses))])


def cross_validate(cries: Cries) -> NDArray[np.float64]:
    """Probabilities [cries, 4], each by a head that never saw the cry's group."""
    told = np.zeros((len(cries.label), len(REASONS)))
    for train, test in folds(cries.label, cries.group, "grouped", min(FOLDS, len(np.unique(cries.group)))):
        part = cries.chosen(test)
        told[test] = part.pool(fit_head(cries.chosen(train)).logits(part))
    return told


def among(probabilities: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """The same [n, 4] if only reasons occurred that the labels hold.

    A head that was never told of a reason gives it little; that alone is no skill, so nobody is judged by it.
    """
    kept = probabilities * (np.bincount(label, minlength=len(REASONS)) > 0)
    return np.asarray(kept / kept.sum(axis=1, keepdims=True))


def log_loss(probabilities: NDArray[np.float64], label: NDArray[np.int64]) -> NDArray[np.float64]:
    """[n], minus the natural logarithm of what the true reason got among those that occurred."""
    told = among(probabilities, label)[np.arange(len(label)), label]
    return np.asarray(-np.log(np.maximum(told, 1e-12)))  # one certain mistake may not outweigh everything


def _fit(cries: Cries, ridge: float) -> Head:
    width = cries.embedding.shape[1]
    if not np.isfinite(ridge):
        return Head(np.zeros((width, len(REASONS))), np.zeros(len(REASONS)), ridge)
    weight = _weights(cries)
    mean = weight @ cries.embedding
    scale = np.sqrt(weight @ (cries.embedding - mean) ** 2)
    scale[scale == 0] = 1.0
    # A column of ones stands for the bias: it is held by the ridge too, so a reason that the family never told of
    # becomes rare and not impossible.
    x = np.column_stack([(cries.embedding - mean) / scale, np.ones(len(weight))])
    truth = np.eye(len(REASONS))[cries.label[cries.cry]]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        added = flat.reshape(width + 1, len(REASONS))
        told = log_softmax(cries.offset + x @ added, axis=1)
        gradient = x.T @ (weight[:, None] * (np.exp(told) - truth)) + ridge * added
        return float(-weight @ (told * truth).sum(axis=1) + 0.5 * ridge * flat @ flat), gradient.reshape(-1)

    found = minimize(loss, np.zeros((width + 1) * len(REASONS)), jac=True, method="L-BFGS-B").x
    added = found.reshape(width + 1, len(REASONS))
    kernel = added[:-1] / scale[:, None]
    return Head(kernel, added[-1] - mean @ kernel, ridge)


def _weights(cries: Cries) -> NDArray[np.float64]:
    """[windows], summing to 1."""
    in_cry = np.bincount(cries.cry, cries.weight)
    _, group = np.unique(cries.group, return_inverse=True)
    place = group * len(REASONS) + cries.label  # a recording's cries of one reason
    per_cry = 1.0 / np.bincount(place)[place]
    per_reason = np.bincount(cries.label, per_cry, minlength=len(REASONS))
    per_cry /= per_reason[cries.label] * np.count_nonzero(per_reason)
    return np.asarray((per_cry / in_cry)[cries.cry] * cries.weight)
