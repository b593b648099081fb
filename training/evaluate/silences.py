"""Does a network know the set by its silences? `monitord-train silences`.

Every set was recorded in its own way: phones, studios, baths. If a linear model tells from a network's embedding of
the pauses alone whether a baby cries elsewhere in the recording, then the recording's conditions may have become the
label. What counts is the network's own cry on these pauses: it should know nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from model.bundle import Bundle
from model.frontend import patches
from model.runtime import open_runtime
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from training.data.prepared import Prepared
from training.sound.augment import ACTIVE_FRAME_SAMPLES, active_rms

PAUSE_FRAMES: Final = 15
"""Frames of 20 ms that are taken of a recording: the quietest 0.3 s that follow each other."""
UNDER_DB: Final = 20.0
"""By how much these must lie under the recording's active level (decibels): else there is no pause in it."""
FOLDS: Final = 5
BATCH: Final = 64
"""Pauses in a forward pass."""
LEAST: Final = 2 * FOLDS
"""Fewest pauses of each kind that are judged."""


@dataclass(frozen=True, slots=True)
class Row:
    """What the pauses of some recordings tell; areas under the ROC curve, .5 is chance."""

    sets: str
    cries: int
    """Pauses of recordings with a cry."""
    others: int
    linear: float
    """A linear model on the embedding, judged on other groups."""
    shuffled: float
    """The same with shuffled labels."""
    cry: float
    """The network's own cry."""


def pause(samples: Pcm) -> Pcm | None:
    """Returns int16 [WINDOW_SAMPLES]: the quietest moment of a recording over and over; None where it has no pause.

    Digital silence is no moment: nothing was recorded then.
    """
    n = len(samples) // ACTIVE_FRAME_SAMPLES
    if n < PAUSE_FRAMES:
        return None
    wave = samples.astype(np.float32) / np.float32(FULL_SCALE)
    power = np.mean(wave[: n * ACTIVE_FRAME_SAMPLES].astype(np.float64).reshape(n, -1) ** 2, axis=1)  # [n]
    recorded = np.where(power > 0, power, np.inf)
    sums = np.convolve(recorded, np.ones(PAUSE_FRAMES), "valid")  # [n - PAUSE_FRAMES + 1]
    at = int(sums.argmin())
    level = np.sqrt(sums[at] / PAUSE_FRAMES)
    if not np.isfinite(level) or level > active_rms(wave) * 10 ** (-UNDER_DB / 20):
        return None
    moment = samples[at * ACTIVE_FRAME_SAMPLES : (at + PAUSE_FRAMES) * ACTIVE_FRAME_SAMPLES]
    return np.resize(np.concatenate([moment, moment[::-1]]), WINDOW_SAMPLES)  # there and back: no click at the seam


def probe(prepared: Prepared, bundle: Bundle) -> list[Row]:
    """Probes the pauses of all recordings with a known label, and of single sets that hold both kinds.

    Raises:
        ConfigError: There are too few pauses.
    """
    kept: list[Pcm] = []
    indices: list[int] = []
    for index, recording in enumerate(tqdm(prepared.recordings, desc="pauses", unit="recording", mininterval=1.0)):
        moment = None if recording.is_cry is None else pause(prepared.audio(index))
        if moment is not None:
            kept.append(moment)
            indices.append(index)
    recordings = [prepared.recordings[index] for index in indices]
    label = np.array([recording.is_cry is True for recording in recordings])
    groups = np.array([f"{recording.dataset}:{recording.group}" for recording in recordings])
    sets = np.array([recording.dataset for recording in recordings])
    if min(label.sum(), (~label).sum()) < LEAST:
        raise ConfigError(f"{prepared.folder}: too few recordings with a pause, of cries or of other sound")
    cry, embedding = _embed(kept, bundle)
    chosen = {"all sets": np.ones(len(label), np.bool_)}
    chosen |= {f"{name} alone": sets == name for name in sorted(set(sets.tolist()))}
    return [
        _row(name, label[rows], groups[rows], cry[rows], embedding[rows])
        for name, rows in chosen.items()
        if min((label & rows).sum(), (~label & rows).sum()) >= LEAST
    ]


def markdown(rows: Sequence[Row], name: str) -> str:
    """The table; `name` is the bundle's."""
    lines = [
        f"| pauses of recordings | with cries | without | linear model on the embedding | shuffled | {name}'s cry |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row.sets} | {row.cries} | {row.others} | {row.linear:.3f} | {row.shuffled:.3f} | {row.cry:.3f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _embed(sounds: Sequence[Pcm], bundle: Bundle) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Logits [n] and embeddings [n, 128], on LiteRT as in the daemon."""
    runtime = open_runtime(bundle, "litert")
    parts = [
        runtime.forward(patches(sounds[start : start + BATCH], bundle.manifest.frontend))
        for start in range(0, len(sounds), BATCH)
    ]
    return np.concatenate([part.cry for part in parts]), np.concatenate([part.embedding for part in parts])


def _row(
    name: str,
    label: NDArray[np.bool_],
    groups: NDArray[np.str_],
    cry: NDArray[np.float32],
    embedding: NDArray[np.float32],
) -> Row:
    shuffled = np.random.default_rng(0).permutation(label)
    return Row(
        name,
        int(label.sum()),
        int((~label).sum()),
        _linear(embedding, label, groups),
        _linear(embedding, shuffled, groups),
        float(roc_auc_score(label, cry)),
    )


def _linear(embedding: NDArray[np.float32], label: NDArray[np.bool_], groups: NDArray[np.str_]) -> float:
    out = np.zeros(len(label))
    for learnt, judged in StratifiedGroupKFold(FOLDS).split(embedding, label, groups):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000))
        out[judged] = model.fit(embedding[learnt], label[learnt]).decision_function(embedding[judged])
    return float(roc_auc_score(label, out))
