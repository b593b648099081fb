"""Cry against the rest, window by window, beside the peers: `monitord-train evaluate`."""

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from training.data.prepared import Prepared
from training.evaluate.hard_negatives import hard_negatives
from training.label.held_out import evaluation_rows
from training.label.window_scores import score_windows

RESAMPLES: Final = 500
"""Bootstrap samples of groups; the interval's ends then move by less than the second digit."""


@dataclass(frozen=True, slots=True)
class Auc:
    """Area under the curve with its 95 % interval, from resampling whole groups."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.4f} ({self.low:.4f} to {self.high:.4f})"


def evaluate(prepared: Prepared, bundle: Bundle) -> dict[str, Any]:
    """Judges ours, YAMNet and mn04 on the very same held-out windows.

    Returns:
        JSON values (Any: whatever JSON holds): `areas`, a row for each set of windows with the counts and, by system,
        the area under the curve and its interval; `on_p`, and `hard_negatives`, a row for each kind of other sound.
    """
    rows, cry, confirmed = evaluation_rows(prepared)
    ours = score_windows(prepared, rows, Classifier(bundle, open_runtime(bundle, "litert")))
    windows = prepared.windows
    scores = {bundle.manifest.name: ours, "YAMNet": windows.yamnet[rows], "mn04": windows.mn04[rows]}
    groups = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])[windows.recording[rows]]
    datasets = np.array([r.dataset for r in prepared.recordings])[windows.recording[rows]]
    public = np.isin(datasets, ["donateacry", "esc50"])
    sure = ~cry | confirmed
    sets = {
        "ESC-50 fold 4 and held-out donateacry": public & sure,
        "the same with all other held-out sets": sure,
        "the same, every sounding window of a cry recording": np.ones(len(rows), np.bool_),
    }
    on_p = bundle.manifest.tracker.on_p
    return {
        "areas": [
            {
                "windows": name,
                "cries": int(cry[chosen].sum()),
                "others": int((~cry[chosen]).sum()),
                **{system: str(auc(cry[chosen], p[chosen], groups[chosen])) for system, p in scores.items()},
            }
            for name, chosen in sets.items()
        ],
        "on_p": on_p,
        "hard_negatives": [asdict(kind) for kind in hard_negatives(prepared, rows, ours, on_p)],
    }


def markdown(figures: dict[str, Any]) -> str:
    """Writes the table of areas. Any: JSON values of `evaluate`."""
    header = list(figures["areas"][0])
    lines = ["| " + " | ".join(header) + " |", "|---" * len(header) + "|"]
    return "\n".join(lines + ["| " + " | ".join(str(row[key]) for key in header) + " |" for row in figures["areas"]])


def auc(truth: NDArray[np.bool_], scores: NDArray[np.float32], groups: NDArray[np.str_]) -> Auc:
    """Area under the ROC curve of scores [n]; the interval resamples groups, because their windows are alike."""
    rng = np.random.default_rng(0)
    names, of = np.unique(groups, return_inverse=True)
    drawn: list[float] = []
    for _ in range(RESAMPLES):
        weights = np.bincount(rng.integers(len(names), size=len(names)), minlength=len(names))[of]
        if weights[truth].sum() and weights[~truth].sum():
            drawn.append(float(roc_auc_score(truth, scores, sample_weight=weights)))
    low, high = np.percentile(drawn, [2.5, 97.5]).tolist()
    return Auc(float(roc_auc_score(truth, scores)), low, high)
