"""Shards of views as `teach` would have written them, with labels from formulas in place of the teachers'."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.types import Pcm
from training.teach import shard_path

TAGS, WIDTH = 6, 8
"""Classes and embedding of the teachers that are made up here."""


def write_shards(folder: Path, samples: Pcm, cry: NDArray[np.float64], shards: int = 2) -> Path:
    """Writes int16 [n, WINDOW_SAMPLES] and [n] into so many files; each view's labels are functions of its cry."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(np.array_split(np.arange(len(cry)), shards)):
        np.savez(
            shard_path(folder, number),
            samples=samples[rows],
            cry=cry[rows].astype(np.float32),
            tags=tags_of(cry[rows]),
            embedding=embedding_of(cry[rows]),
        )
    return folder


def tags_of(cry: NDArray[np.float64]) -> NDArray[np.float16]:
    """Half of the classes rise with the cry, half fall."""
    return np.stack([cry if i % 2 else 1 - cry for i in range(TAGS)], axis=1).astype(np.float16)


def embedding_of(cry: NDArray[np.float64]) -> NDArray[np.float16]:
    """All directions rise with the cry, each at its own rate and from its own mean."""
    return np.stack([cry * (i + 1) + 10 * i for i in range(WIDTH)], axis=1).astype(np.float16)
