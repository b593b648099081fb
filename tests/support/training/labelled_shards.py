"""Shards as `teach` would have written them, with labels from formulas in place of the teachers'."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.types import Pcm
from training.label.labelled_shards import shard_path
from training.label.teachers import MN04_CLASSES, MN04_CRY, YAMNET_CLASSES, YAMNET_CRY

TAGS, WIDTH = MN04_CLASSES + YAMNET_CLASSES, 8
"""Classes of the teachers, and the length of an embedding that is made up here."""


def write_shards(
    folder: Path, samples: Pcm, cry: NDArray[np.float64], said: NDArray[np.float64] | None = None, shards: int = 2
) -> Path:
    """Writes windows into so many files.

    Args:
        folder: Made where it is missing.
        samples: int16 [n, WINDOW_SAMPLES] at 16 kHz.
        cry: [n], 0 to 1, of which all that the teachers say is a function.
        said: [n], what people say, NaN where nobody did; `cry` where not given.
        shards: Files, of nearly equal length.
    """
    said = cry if said is None else said
    folder.mkdir(parents=True, exist_ok=True)
    for number, rows in enumerate(np.array_split(np.arange(len(cry)), shards)):
        np.savez(
            shard_path(folder, number),
            samples=samples[rows],
            cry=said[rows].astype(np.float32),
            tags=tags_of(cry[rows]),
            embedding=embedding_of(cry[rows]),
        )
    return folder


def tags_of(cry: NDArray[np.float64]) -> NDArray[np.float16]:
    """Classes that rise with the cry, as the teachers' own cry does, and such that fall, in turn."""
    rises = np.arange(TAGS) % 2 == 1
    assert rises[MN04_CRY]
    assert rises[MN04_CLASSES + YAMNET_CRY]
    return np.where(rises, cry[:, None], 1 - cry[:, None]).astype(np.float16)


def embedding_of(cry: NDArray[np.float64]) -> NDArray[np.float16]:
    """All directions rise with the cry, each at its own rate and from its own mean."""
    return np.stack([cry * (i + 1) + 10 * i for i in range(WIDTH)], axis=1).astype(np.float16)
