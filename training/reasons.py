"""The four reasons: a softmax on the frozen embedding, and what it is worth by both protocols.

Windows vote for their recording; recordings are what is counted, because the windows of one are alike. Every class
weighs the same in fitting and calibration: the corpus' frequencies are those of an app's users, not of a family.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from monitord.types import REASONS
from training import metrics

FOLDS: Final = 5
"""The method's."""
PENALTY: Final = 0.01
"""Inverse strength of the ridge (scikit-learn's C): few hundred recordings against 128 dimensions."""

Protocol = Literal["random", "grouped"]


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


@dataclass(frozen=True, slots=True)
class Judged:
    """One protocol's cross-validation."""

    probabilities: NDArray[np.float64]
    """[recordings, 4], each from a fit that never saw the recording (grouped: nor its installation)."""
    figures: dict[str, object]
    """JSON values for the manifest."""


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


def judge(labelled: Labelled, protocol: Protocol, seed: int = 0) -> Judged:
    """Cross-validates, and says beside it what the majority class and shuffled labels would get."""
    reason = labelled.reason
    out = _predict(labelled, reason, protocol, seed)
    shuffled = np.random.default_rng(seed).permutation(reason)
    chance = _predict(labelled, shuffled, protocol, seed)
    majority = np.zeros_like(out)
    majority[:, np.bincount(reason).argmax()] = 1.0
    figures: dict[str, object] = {
        "folds": FOLDS,
        "recordings": {name: int((reason == i).sum()) for i, name in enumerate(REASONS)},
        "groups": len(np.unique(labelled.group)),
        "model": metrics.figures(out, reason, labelled.group),
        "majority": metrics.figures(majority, reason, labelled.group),
        "shuffled_labels": metrics.figures(chance, shuffled, labelled.group),
    }
    return Judged(out, figures)


def _predict(labelled: Labelled, reason: NDArray[np.int64], protocol: Protocol, seed: int) -> NDArray[np.float64]:
    out = np.full((len(reason), len(REASONS)), 1.0 / len(REASONS))
    if protocol == "grouped":
        folds = GroupKFold(FOLDS, shuffle=True, random_state=seed).split(reason, groups=labelled.group)
    else:
        folds = KFold(FOLDS, shuffle=True, random_state=seed).split(reason)
    for _, test in folds:
        chosen = np.ones(len(reason), np.bool_)
        chosen[test] = False
        model = fit_head(labelled, reason, chosen)
        for index in test:
            rows = labelled.recording == index
            if rows.any():
                out[index] = 0.0
                out[index, model.classes_] = model.predict_proba(labelled.embeddings[rows]).mean(axis=0)
    return out


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
