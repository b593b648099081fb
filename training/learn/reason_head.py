"""The four reasons: a softmax on the frozen embedding.

Windows vote for their recording; recordings are what is counted, because the windows of one are alike. Every class
weighs the same in fitting: the corpus' frequencies are those of an app's users, not of a family.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from monitord.types import REASONS

PENALTY: Final = 0.01
"""Inverse strength of the ridge (scikit-learn's C): few hundred recordings against 128 dimensions."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Cry windows of recordings whose reason a family told."""

    embeddings: NDArray[np.float32]
    """[windows, 128]."""
    recording: NDArray[np.int64]
    """[windows], row of the recording below."""
    reason: NDArray[np.int64]
    """[recordings], index into `REASONS`."""
    group: NDArray[np.int64]
    """[recordings], number of the installation: the best stand-in for a family."""


def head(penalty: float = PENALTY) -> Pipeline:
    """An unfitted classifier of embeddings."""
    return make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2000))


def fit_head(labelled: Labelled, reason: NDArray[np.int64], chosen: NDArray[np.bool_]) -> Pipeline:
    """Fits on the windows of the chosen recordings: each class, and in it each recording, weighs the same."""
    rows = np.flatnonzero(chosen[labelled.recording])
    of = labelled.recording[rows]
    per_recording = np.bincount(of, minlength=len(reason)).astype(np.float64)
    present = chosen & (per_recording > 0)
    per_class = np.bincount(reason[present], minlength=len(REASONS)).astype(np.float64)
    weights = 1.0 / (per_recording[of] * per_class[reason[of]])
    weights *= len(weights) / weights.sum()
    model = head()
    model.fit(labelled.embeddings[rows], reason[of], logisticregression__sample_weight=weights)
    return model


def as_layer(model: Pipeline) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Folds the scaler into the regression: kernel [128, 4] and bias [4] of a linear layer, all four reasons.

    A reason that the data do not hold gets no evidence and a logit far under the others.
    """
    scaler, regression = model[0], model[-1]
    kernel = np.zeros((scaler.mean_.size, len(REASONS)))
    bias = np.full(len(REASONS), -10.0)  # a probability of 5e-5 beside an even logit
    coefficients, intercepts = regression.coef_, regression.intercept_
    if len(regression.classes_) == 2:  # noqa: PLR2004 - scikit-learn keeps one row for both
        coefficients, intercepts = np.vstack([-coefficients, coefficients]) / 2, np.append(-intercepts, intercepts) / 2
    for row, reason in enumerate(regression.classes_):
        kernel[:, reason] = coefficients[row] / scaler.scale_
        bias[reason] = intercepts[row] - float(scaler.mean_ @ kernel[:, reason])
    return kernel.astype(np.float32), bias.astype(np.float32)


def balanced(labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Weight of each clip, so that every reason that is there weighs the same; their mean is 1."""
    counts = np.bincount(labels, minlength=len(REASONS))
    return np.asarray(len(labels) / ((counts > 0).sum() * counts[labels]))
