"""The paper's Table 4 measured: every method on the same folds of the same clips, by both protocols.

The literature's figures were each taken on other recordings, with other classes; they stand in the table to be seen
beside what the same idea gets here, not to be compared with it.
"""

import os
import tempfile
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, get_args
from zipfile import BadZipFile

import numpy as np
from tqdm import tqdm

from monitord.errors import ConfigError
from monitord.types import REASONS
from training.baselines.method import Answer, Method
from training.data.clips import ClipSet
from training.data.splits import Fold, Protocol, folds_of, groups_of
from training.evaluate.reason_metrics import figures

SEED: Final = 0
"""Of every method's training; the folds have their own."""
PROTOCOLS: Final[tuple[Protocol, ...]] = get_args(Protocol)
MEASURES: Final = (("accuracy", "accuracy"), ("unweighted_average_recall", "UAR"), ("macro_f1", "macro-F1"))
"""What the table shows: key of `figures`, heading."""


def compare(clips: ClipSet, methods: Sequence[Method], *, n_folds: int = 5, work: Path | None = None) -> dict[str, Any]:
    """Trains and tests every method on every fold of both protocols.

    Args:
        clips: Labelled cries.
        methods: In the order of the table.
        n_folds: At least 2.
        work: Where finished folds are kept and found again; None keeps nothing.

    Returns:
        JSON values: `folds`, `clips` {reason: n}, `groups`, and `methods`: a list of {`name`, `features`,
        `classifier`, `weights`, `paper_says`, `random`, `grouped`}, the last two as `reason_metrics.figures` returns
        them.

    Raises:
        ConfigError: Folds cannot be made, a fold would train on one reason only, or `work` cannot be written.
    """
    groups = groups_of(clips.clips)
    folds = made_folds(clips, n_folds)
    kept = _Kept(work, clips) if work is not None else None
    rows = []
    with tqdm(total=len(methods) * sum(map(len, folds.values())), desc="compare", unit="fold") as bar:
        for method in methods:
            row = {name: getattr(method, name) for name in ("name", "features", "classifier", "paper_says")}
            for protocol, made in folds.items():
                probabilities = np.full((len(clips.clips), len(REASONS)), np.nan)
                for number, (train, test) in enumerate(made):
                    bar.set_postfix_str(f"{method.name}, {protocol} {number + 1}", refresh=True)
                    answer = kept.find(method, train, test) if kept is not None else None
                    if answer is None:
                        answer = method.fit_predict(train, test, SEED)
                        if kept is not None:
                            kept.add(method, train, test, answer)
                    probabilities[test] = answer.probabilities
                    row["weights"] = max(row.get("weights", 0), answer.weights)
                    bar.update()
                assert np.isfinite(probabilities).all(), f"{method.name} left a clip without an answer"
                row[protocol] = figures(probabilities, clips.labels, groups)
            rows.append(row)
    counts = {reason: int((clips.labels == i).sum()) for i, reason in enumerate(REASONS)}
    return {"folds": n_folds, "clips": counts, "groups": int(groups.max()) + 1, "methods": rows}


def made_folds(clips: ClipSet, n_folds: int) -> dict[Protocol, list[Fold]]:
    """Makes the folds of both protocols.

    Raises:
        ConfigError: They cannot be made, or one would train on one reason only.
    """
    folds = {protocol: folds_of(clips.clips, clips.labels, protocol, n_folds) for protocol in PROTOCOLS}
    for protocol, made in folds.items():
        _require_two_reasons(clips, protocol, made)
    return folds


def unfinished(clips: ClipSet, methods: Sequence[Method], *, n_folds: int, work: Path) -> list[tuple[int, Fold]]:
    """Returns the number of the method, from 0, and the fold, for each that `work` does not hold yet.

    Raises:
        ConfigError: As `compare`.
    """
    kept = _Kept(work, clips)
    return [
        (number, fold)
        for number, method in enumerate(methods)
        for made in made_folds(clips, n_folds).values()
        for fold in made
        if kept.find(method, *fold) is None
    ]


def finish_fold(clips: ClipSet, method: Method, fold: Fold, work: Path) -> None:
    """Trains a method on one fold, and keeps what it says where `compare` finds it.

    Raises:
        ConfigError: It cannot be written.
    """
    _Kept(work, clips).add(method, *fold, method.fit_predict(*fold, SEED))


def table(name: str, found: dict[str, Any], *, synthetic: bool) -> str:
    """Writes the figures of `compare` as markdown: both protocols side by side, with their 95 % intervals."""
    counts = found["clips"]
    told = ", ".join(f"{n} {reason}" for reason, n in counts.items())
    what = "SYNTHETIC clips: no baby ever cried in them" if synthetic else "clips"
    caption = (
        f"{name}: {sum(counts.values())} {what} ({told}) of {found['groups']} groups, {found['folds']} folds. Random: "
        "over clips, as the paper does it. Grouped: no baby, recording or installation on both sides. In brackets 95 % "
        "intervals from resampling groups. What the literature says was measured on other recordings: no comparison."
    )
    heads = [f"{heading}, {protocol}" for _, heading in MEASURES for protocol in PROTOCOLS]
    columns = ["method", "it sees", "it decides by", "weights", *heads, "literature, on its own data"]
    lines = [caption, "", "| " + " | ".join(columns) + " |", "|---" * len(columns) + "|"]
    for row in found["methods"]:
        cells = [row["name"], row["features"], row["classifier"], f"{row['weights']:,}"]
        cells += [_cell(row[protocol], measure) for measure, _ in MEASURES for protocol in PROTOCOLS]
        lines.append("| " + " | ".join([*cells, row["paper_says"] or "-"]) + " |")
    return "\n".join(lines)


def _cell(measured: dict[str, Any], measure: str) -> str:
    low, high = measured[f"{measure}_95"]
    return f"{measured[measure]:.3f} ({low:.3f} to {high:.3f})"


def _require_two_reasons(clips: ClipSet, protocol: Protocol, made: list[Fold]) -> None:
    for number, (train, _) in enumerate(made):
        reasons = np.unique(clips.labels[train])
        if len(reasons) < 2:  # noqa: PLR2004 - nothing to tell apart
            raise ConfigError(
                f"{clips.name}: fold {number + 1} of the {protocol} protocol would train on {REASONS[reasons[0]]} "
                "alone; label more babies or recordings, or ask for other --folds"
            )


class _Kept:
    """Answers of finished folds on disk, found by everything that they depend on, so never by mistake.

    Code is not among it: who changes a method deletes the folder.
    """

    def __init__(self, folder: Path, clips: ClipSet) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}; give another --work") from error
        digest = sha256(clips.labels.tobytes() + clips.clip.tobytes() + clips.end.tobytes())
        for sound in clips.sounds:
            digest.update(sound.tobytes())
        self._data = digest.digest()

    def find(self, method: Method, train: np.ndarray[Any, Any], test: np.ndarray[Any, Any]) -> Answer | None:
        """Returns an earlier answer; None where there is none."""
        path = self._path(method, train, test)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
                return Answer(stored["probabilities"], int(stored["weights"]))
        except FileNotFoundError:
            return None
        except (OSError, KeyError, ValueError, EOFError, BadZipFile) as error:
            raise ConfigError(f"{path}: not what this command keeps ({error}); delete it") from error

    def add(self, method: Method, train: np.ndarray[Any, Any], test: np.ndarray[Any, Any], answer: Answer) -> None:
        """Keeps an answer, whole or not at all."""
        path = self._path(method, train, test)
        temporary: Path | None = None
        try:
            handle, name = tempfile.mkstemp(dir=self._folder, prefix=".fold.")
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                np.savez(file, probabilities=answer.probabilities, weights=answer.weights)
            temporary.replace(path)
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be written: {error.strerror or error}; mend it and run again: finished folds are kept"
            ) from error
        finally:
            if temporary is not None:
                temporary.unlink(missing_ok=True)

    def _path(self, method: Method, train: np.ndarray[Any, Any], test: np.ndarray[Any, Any]) -> Path:
        digest = sha256(self._data + f"{method.settings} {SEED} {len(train)} ".encode())
        digest.update(train.tobytes() + test.tobytes())
        return self._folder / f"{method.key}-{digest.hexdigest()[:16]}.npz"
