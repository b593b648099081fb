"""Reasons under noise: heads that learnt without noise, tried on held-back recordings in noise."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import REASONS, Pcm
from training.data.clips import ClipSet
from training.data.prepared import Prepared, samples_of
from training.data.splits import folds, groups_of
from training.learn.reason_head import Labelled, fit_head
from training.learn.reason_rows import reason_rows

PER_RECORDING: Final = 2
"""Windows of a recording: more of one say little more, and all meet every noise at every level."""
FOLDS: Final = 5
"""The method's."""


@dataclass(frozen=True, slots=True)
class ReasonWindows:
    """Windows of recordings whose reason was told."""

    sounds: Pcm
    """int16 [windows, WINDOW_SAMPLES] at 16 kHz."""
    recording: NDArray[np.int64]
    """[windows], row of the recording below, ascending."""
    reason: NDArray[np.int64]
    """[recordings], index into `REASONS`."""
    group: NDArray[np.int64]
    """[recordings], never on both sides of a fold."""


def of_prepared(prepared: Prepared, most: int, rng: np.random.Generator) -> ReasonWindows | None:
    """Draws from the prepared recordings with a reason; None where folds cannot be made of them."""
    found = reason_rows(prepared)
    chosen = _draw(found.recording, most, rng)
    if not _enough(found.recording[chosen], found.reason, found.group):
        return None
    sounds = np.stack(list(samples_of(prepared, found.row[chosen], WINDOW_SAMPLES)))
    return _of_kept(sounds, found.recording[chosen], found.reason, found.group)


def of_clips(clips: ClipSet, most: int, rng: np.random.Generator) -> ReasonWindows | None:
    """Draws from labelled clips; what a recording holds of one reason counts once."""
    names = [f"{clip.recording or clip.path}\n{clip.label}" for clip in clips.clips]
    _, first, of = np.unique(names, return_index=True, return_inverse=True)
    reason, group = clips.labels[first], groups_of(clips.clips)[first]
    recording = of[clips.clip].astype(np.int64)
    chosen = _draw(recording, most, rng)
    chosen = chosen[np.argsort(recording[chosen], kind="stable")]
    if not _enough(recording[chosen], reason, group):
        return None
    return _of_kept(np.stack([clips.window(int(row)) for row in chosen]), recording[chosen], reason, group)


class ReasonsUnderNoise:
    """Heads fitted by the grouped protocol on clean windows.

    Args:
        told: The windows.
        clean: float32 [windows, 128], their embedding without noise.
    """

    def __init__(self, told: ReasonWindows, clean: NDArray[np.float32]) -> None:
        self.told = told
        labelled = Labelled(clean, told.recording, told.reason, told.group)
        self._heads: list[tuple[Pipeline, NDArray[np.int64]]] = []
        for train, test in folds(told.reason, told.group, "grouped", min(FOLDS, len(np.unique(told.group)))):
            chosen = np.zeros(len(told.reason), np.bool_)
            chosen[train] = True
            if len(np.unique(told.reason[train])) > 1:
                self._heads.append((fit_head(labelled, told.reason, chosen), test))

    def said(self, noisy: NDArray[np.float32]) -> NDArray[np.int64]:
        """[recordings], index of the likeliest reason, by a head that never saw the recording's group."""
        told = np.zeros((len(self.told.reason), len(REASONS)))
        for head, test in self._heads:
            rows = np.flatnonzero(np.isin(self.told.recording, test))
            for column, reason in enumerate(head.classes_):
                p = head.predict_proba(noisy[rows])[:, column]
                told[:, reason] += np.bincount(self.told.recording[rows], p, minlength=len(told))
        return np.asarray(told.argmax(axis=1), np.int64)


def _draw(recording: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Rows, ascending: two of each recording, or of as many recordings as there is room for."""
    shuffled = rng.permutation(len(recording))
    shuffled = shuffled[np.argsort(recording[shuffled], kind="stable")]
    _, first, count = np.unique(recording[shuffled], return_index=True, return_counts=True)
    rank = np.arange(len(recording)) - np.repeat(first, count)
    own = shuffled[rank < PER_RECORDING]
    kept = rng.permutation(np.unique(recording))[: max(1, most // PER_RECORDING)]
    return np.sort(own[np.isin(recording[own], kept)])


def _enough(recording: NDArray[np.int64], reason: NDArray[np.int64], group: NDArray[np.int64]) -> bool:
    kept = np.unique(recording)
    return len(np.unique(reason[kept])) > 1 and len(np.unique(group[kept])) > 1


def _of_kept(
    sounds: Pcm, recording: NDArray[np.int64], reason: NDArray[np.int64], group: NDArray[np.int64]
) -> ReasonWindows:
    kept, of = np.unique(recording, return_inverse=True)
    return ReasonWindows(sounds, of.astype(np.int64), reason[kept], group[kept])
