"""What told reasons are worth: one set of figures for every command, with intervals that know of families.

scikit-learn computes the figures. The intervals resample whole groups (babies, recordings, installations), because the
clips of one are alike; each resample only weighs the groups' confusion matrices anew.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from monitord.types import REASONS

RESAMPLES: Final = 1000
"""Bootstrap samples of groups: the interval's ends then move by less than the second digit."""
BINS: Final = 10
"""Equal-width bins of the top probability (calibration error): Guo et al. (2017) take 15 of ten times the data."""
DIGITS: Final = 4
"""After the point, in what is written."""


def figures(probabilities: NDArray[np.float64], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> dict[str, Any]:
    """Judges probabilities of the four reasons; the likeliest one counts as said.

    Args:
        probabilities: float64 [n, 4], in the order of `REASONS`.
        labels: int64 [n], index into `REASONS`, as the family told.
        groups: int64 [n], number of the family; the unit of the bootstrap. One group alone has no interval to speak of:
            both ends are the figure itself.

    Returns:
        JSON values: `accuracy`, `macro_f1`, `unweighted_average_recall`, each with an `_95` [low, high];
        `expected_calibration_error`; `per_class` {reason: {precision, recall, f1, clips}}; `weighted` {precision,
        recall, f1}; `confusion` [4][4], rows as told by the family, columns as said. Averages over reasons are over
        those that the labels hold; precision of what was never said, and F1 of what was never right, is 0.

    Raises:
        ValueError: There is nothing to judge.
    """
    if not len(labels):
        raise ValueError("no labels, no figures")
    said = probabilities.argmax(axis=1)
    every = np.arange(len(REASONS))
    precision, recall, f1, clips = precision_recall_fscore_support(labels, said, labels=every, zero_division=0.0)
    weighted = np.stack([precision, recall, f1]) @ (clips / clips.sum())
    there = clips > 0
    low, high = np.percentile(_resampled(said, labels, groups), [2.5, 97.5], axis=0).round(DIGITS).tolist()
    values = (accuracy_score(labels, said), f1[there].mean(), recall[there].mean())
    out: dict[str, Any] = {}  # Any: JSON values
    for i, name in enumerate(("accuracy", "macro_f1", "unweighted_average_recall")):
        out[name] = _rounded(values[i])
        out[f"{name}_95"] = [low[i], high[i]]
    return out | {
        "expected_calibration_error": _rounded(expected_calibration_error(probabilities, labels)),
        "per_class": {
            name: {
                "precision": _rounded(precision[i]),
                "recall": _rounded(recall[i]),
                "f1": _rounded(f1[i]),
                "clips": int(clips[i]),
            }
            for i, name in enumerate(REASONS)
        },
        "weighted": {name: _rounded(weighted[i]) for i, name in enumerate(("precision", "recall", "f1"))},
        "confusion": confusion_matrix(labels, said, labels=every).tolist(),
    }


def expected_calibration_error(probabilities: NDArray[np.float64], labels: NDArray[np.int64]) -> float:
    """By how much the top probability misses the share that is right: the mean over clips of its bin's miss, 0 to 1."""
    top = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bins = np.clip((top * BINS).astype(np.int64), 0, BINS - 1)
    promised = np.bincount(bins, weights=top, minlength=BINS)
    kept = np.bincount(bins, weights=right, minlength=BINS)
    return float(np.abs(promised - kept).sum() / len(labels))


def _resampled(said: NDArray[np.int64], labels: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """Accuracy, macro-F1 and unweighted average recall of resampled groups: float64 [RESAMPLES, 3]."""
    names, of = np.unique(groups, return_inverse=True)
    by_group = np.zeros((len(names), len(REASONS), len(REASONS)))
    np.add.at(by_group, (of, labels, said), 1.0)
    rng = np.random.default_rng(0)
    draws = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), size=RESAMPLES)
    confusion = np.tensordot(draws, by_group, axes=1)  # [resamples, told, said]
    right = np.einsum("rii->ri", confusion)
    told, spoken = confusion.sum(axis=2), confusion.sum(axis=1)
    there = told > 0
    recall = np.divide(right, told, out=np.zeros_like(right), where=there)
    f1 = np.divide(2.0 * right, told + spoken, out=np.zeros_like(right), where=there)
    n = there.sum(axis=1)
    return np.stack([right.sum(axis=1) / told.sum(axis=1), f1.sum(axis=1) / n, recall.sum(axis=1) / n], axis=1)


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
