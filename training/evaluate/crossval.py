"""The paper's Tables 2 and 3 by both protocols: random over clips, and grouped, each beside what chance would get.

The folds are `training.data.splits`' own, scikit-learn's. Each finished fold is kept, so that a stop loses one at most.
"""

import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from monitord.errors import ConfigError
from monitord.types import REASONS
from training.data.clips import ClipSet
from training.data.splits import Fold, Protocol, folds_of, groups_of
from training.evaluate import reason_metrics
from training.learn.initial_weights import InitialWeights, Seen, see
from training.learn.paper_training import CURVE_FILE, PaperParams, train
from training.learn.reason_head import head
from training.results.checkpoint_dir import TASK_FILE, claim
from training.results.whole_file import write_whole

SHUFFLED: Final = "a softmax on the start's frozen embedding, taught shuffled labels"
"""The control costs seconds, not the hour that the whole network would take to learn nothing: both end at chance."""


def crossval(
    clips: ClipSet, start: InitialWeights, params: PaperParams, *, n_folds: int = 5, work: Path | None = None
) -> dict[str, Any]:  # Any: JSON values
    """Cross-validates the paper's recipe by both protocols.

    Args:
        clips: Labelled.
        start: What each fold starts from.
        params: The recipe's.
        n_folds: The paper's five.
        work: Where checkpoints, learning curves and finished folds are kept; None keeps nothing.

    Returns:
        `folds`, `clips` {reason: n}, `groups`, `recipe`, `start`, `shuffled_labels_by`, and by protocol `fold_accuracy`
        [folds], `model`, `majority`, `shuffled_labels` (all as `reason_metrics.figures`), `probabilities` [clips][4],
        `labels` [clips].

    Raises:
        ConfigError: There is one reason only, there are fewer clips or groups than folds, or `work` holds other work.
    """
    made = made_folds(clips, n_folds)
    if work is not None:
        claim_folds(work, clips, start, params, n_folds)
    run = _Run(see(clips, start), start, params, groups_of(clips.clips), work)
    with tqdm(total=sum(map(len, made.values())), desc="folds", unit="fold", position=1) as bar:
        judged: dict[str, Any] = {protocol: run.judge(protocol, folds, bar) for protocol, folds in made.items()}
    return {
        "folds": len(made["grouped"]),
        "clips": {name: int((clips.labels == i).sum()) for i, name in enumerate(REASONS)},
        "groups": len(np.unique(run.groups)),
        "recipe": f"paper: all weights trained from {start.name}, {params.epochs} epochs",
        "start": start.name,
        "shuffled_labels_by": SHUFFLED,
        **judged,
    }


def made_folds(clips: ClipSet, n_folds: int) -> dict[Protocol, list[Fold]]:
    """Makes the folds of both protocols, as many of each.

    Raises:
        ConfigError: There are fewer clips or groups than folds.
    """
    grouped = folds_of(clips.clips, clips.labels, "grouped", n_folds)  # a manifest may bring its own
    return {"random": folds_of(clips.clips, clips.labels, "random", len(grouped)), "grouped": grouped}


def claim_folds(work: Path, clips: ClipSet, start: InitialWeights, params: PaperParams, n_folds: int) -> None:
    """Makes the folder this cross-validation's own.

    Raises:
        ConfigError: It holds other work, or cannot be written.
    """
    claim(work, task_of(clips, start, params) | {"folds": len(made_folds(clips, n_folds)["grouped"])})


def kept_fold(work: Path, protocol: Protocol, number: int) -> Path:
    """Where what a fold told is kept; its number counts from 1."""
    return work / f"{protocol}-{number}.npz"


def finish_fold(
    seen: Seen, start: InitialWeights, params: PaperParams, protocol: Protocol, number: int, *, n_folds: int, work: Path
) -> None:
    """Trains one fold and keeps what it told where `crossval` finds it.

    Args:
        seen: The clips, as the start sees them.
        start: What the fold starts from.
        params: The recipe's.
        protocol: Whose fold.
        number: Of the fold, from 1.
        n_folds: As for `crossval`.
        work: Claimed by `claim_folds`.

    Raises:
        ConfigError: It cannot be written.
    """
    fold = made_folds(seen.clips, n_folds)[protocol][number - 1]
    _Run(seen, start, params, groups_of(seen.clips.clips), work).fold(protocol, number, fold)


def finished_fold(
    work: Path, clips: ClipSet, start: InitialWeights, params: PaperParams, test: NDArray[np.int64]
) -> NDArray[np.float64] | None:
    """What a fold told that `crossval` finished in `work`, float64 [len(test), 4]; None where there is none.

    Raises:
        ConfigError: Work on something else lies there.
    """
    task = task_of(clips, start, params)
    try:
        found = json.loads((work / TASK_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{work / TASK_FILE}: cannot be read: {error}; `crossval --work` writes it") from error
    if {key: found.get(key) for key in task} != task:
        raise ConfigError(f"{work}: holds folds of other clips, another start or other epochs; leave --crossval out")
    for path in sorted(work.glob("*.npz")):
        with np.load(path, allow_pickle=False) as arrays:
            if np.array_equal(arrays["test"], test):
                return np.asarray(arrays["told"], np.float64)
    return None


def task_of(clips: ClipSet, start: InitialWeights, params: PaperParams) -> dict[str, str | int | float]:
    """What a result of the recipe depends on: for `checkpoint_dir.claim`."""
    digest = sha256(clips.labels.tobytes() + clips.clip.tobytes() + clips.end.tobytes())
    for clip, sound in zip(clips.clips, clips.sounds, strict=True):
        digest.update(f"{clip.baby}/{clip.recording}/{clip.installation}".encode() + sound.tobytes())
    return {"clips": digest.hexdigest(), "start": start.digest} | asdict(params)


@dataclass(frozen=True, slots=True)
class _Run:
    """One cross-validation."""

    seen: Seen
    start: InitialWeights
    params: PaperParams
    groups: NDArray[np.int64]
    """[clips]."""
    work: Path | None

    def judge(self, protocol: Protocol, folds: list[Fold], bar: "tqdm[Any]") -> dict[str, Any]:  # Any: JSON values
        """Trains and tests each fold."""
        labels = self.seen.clips.labels
        told = np.zeros((len(labels), len(REASONS)))
        for number, fold in enumerate(folds, 1):
            told[fold[1]] = self.fold(protocol, number, fold)
            bar.update()
        accuracy = [float((told[test].argmax(axis=1) == labels[test]).mean()) for _, test in folds]
        shuffled = np.random.default_rng(self.params.seed).permutation(labels)
        chance = _frozen(self.seen.embedding, shuffled, folds)
        return {
            "fold_accuracy": [round(one, reason_metrics.DIGITS) for one in accuracy],
            "model": reason_metrics.figures(told, labels, self.groups),
            "majority": reason_metrics.figures(_majority(labels, folds), labels, self.groups),
            "shuffled_labels": reason_metrics.figures(chance, shuffled, self.groups),
            "probabilities": told.round(reason_metrics.DIGITS).tolist(),
            "labels": labels.tolist(),
        }

    def fold(self, protocol: Protocol, number: int, fold: Fold) -> NDArray[np.float64]:
        """Probabilities of the test clips, float64 [len(test), 4], read again where the fold is finished."""
        training, test = fold
        name = f"{protocol}-{number}"
        if self.work is None:
            return train(self.seen, training, self.start, self.params, None, label=name).clips(self.seen, test)
        kept = kept_fold(self.work, protocol, number)
        if kept.exists():
            return _read(kept, test)
        folder = self.work / name  # checkpoints until the fold is finished
        told = train(self.seen, training, self.start, self.params, folder, label=name).clips(self.seen, test)
        write_whole(self.work / f"{name}.csv", (folder / CURVE_FILE).read_bytes())
        finished = BytesIO()
        np.savez(finished, test=test, told=told)
        write_whole(kept, finished.getvalue())
        shutil.rmtree(folder)
        return told


def _majority(labels: NDArray[np.int64], folds: list[Fold]) -> NDArray[np.float64]:
    """What knows only how often each reason was told in training: it always says the commonest."""
    told = np.zeros((len(labels), len(REASONS)))
    for training, test in folds:
        told[test] = np.bincount(labels[training], minlength=len(REASONS)) / len(training)
    return told


def _frozen(embedding: NDArray[np.float32], labels: NDArray[np.int64], folds: list[Fold]) -> NDArray[np.float64]:
    """A softmax on the pooled embedding that the start makes of each clip: float64 [clips, 4]."""
    told = np.zeros((len(labels), len(REASONS)))
    for training, test in folds:
        if len(np.unique(labels[training])) == 1:  # nothing to tell apart in this fold
            told[test, labels[training[0]]] = 1.0
            continue
        model = head().fit(embedding[training], labels[training])
        told[np.ix_(test, model.classes_)] = model.predict_proba(embedding[test])
    return told


def _read(path: Path, test: NDArray[np.int64]) -> NDArray[np.float64]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            found: Mapping[str, NDArray[Any]] = dict(arrays)  # Any: int64 and float64
        if not np.array_equal(found["test"], test):
            raise ConfigError(f"{path}: another fold; delete it, or give another folder with --work")
        return np.asarray(found["told"], np.float64)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ConfigError(f"{path}: no finished fold ({error}); delete it") from error
