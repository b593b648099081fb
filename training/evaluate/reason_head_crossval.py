"""What a softmax for the reasons on the frozen embedding is worth by both protocols, beside what chance would get."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import GroupKFold, KFold

from monitord.types import REASONS
from training.data.splits import Protocol
from training.evaluate import reason_metrics
from training.learn.reason_head import Labelled, fit_head

FOLDS: Final = 5
"""The method's."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One protocol's cross-validation."""

    probabilities: NDArray[np.float64]
    """[recordings, 4], each from a fit that never saw the recording (grouped: nor its installation)."""
    figures: dict[str, object]
    """JSON values for the manifest."""


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
        "model": reason_metrics.figures(out, reason, labelled.group),
        "majority": reason_metrics.figures(majority, reason, labelled.group),
        "shuffled_labels": reason_metrics.figures(chance, shuffled, labelled.group),
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
