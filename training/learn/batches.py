"""Batches of labelled, augmented windows for `pretrain`: the front end, and a part of each patch hidden."""

from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from model.frontend import FrontendParams, patches
from monitord.errors import ConfigError
from training.label.agreement import agreed
from training.label.labelled_shards import load_shard
from training.label.teachers import MN04_CLASSES, MN04_CRY, YAMNET_CRY

BATCH: Final = 64
"""Windows in a batch."""
MASK: Final = (20, 12)
"""Widest run of time frames, and of mel bands, that is hidden in each patch (SpecAugment): the network may not hang on
one detail of the few hundred families it knows."""
VOICES: Final = np.r_[0:137, MN04_CLASSES : MN04_CLASSES + 132]
"""Columns of the teachers' classes that are people's and animals' sounds: both lists begin with them."""
CRIES: Final = (MN04_CRY, MN04_CLASSES + YAMNET_CRY)
"""Columns of the teachers' classes that are a baby's cry."""
CHUNK: Final = 16
"""Windows turned into patches at once."""


class Batches(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Keras' data set over the shards of a folder; each epoch (`begin`) is all whole batches once, in another order.

    The patches are computed once and kept in memory as float16, 12 kB a window.

    Args:
        folder: What `teach` wrote.
        frontend: The bundle's.
        seed: Of the order and of what is hidden.
        mask: Widest run of frames and of bands that is hidden.

    Raises:
        ConfigError: The folder holds no views, or too few.
    """

    def __init__(
        self,
        folder: Path,
        frontend: FrontendParams,
        *,
        seed: int = 0,
        mask: tuple[int, int] = MASK,
    ) -> None:
        super().__init__(workers=1, use_multiprocessing=False, max_queue_size=8)
        paths = sorted(folder.glob("views-[0-9][0-9][0-9][0-9].npz"))
        if not paths:
            raise ConfigError(f"{folder}: no views here; make some with `monitord-train teach`")
        shards = []
        seen = []
        for path in paths:
            shard = load_shard(path)
            starts = range(0, len(shard.cry), CHUNK)
            seen += [patches(shard.samples[i : i + CHUNK], frontend).astype(np.float16) for i in starts]
            shards.append((shard.cry, shard.tags, shard.embedding))
        self._patches = np.concatenate(seen)
        if len(self._patches) < BATCH:
            raise ConfigError(f"{folder}: {len(self._patches)} views, fewer than a batch of {BATCH}")
        cry, tags, embedding = zip(*shards, strict=True)
        said, self._tags, embeddings = np.concatenate(cry), np.concatenate(tags), np.concatenate(embedding)
        self._cry = agreed(said, self._tags)
        # People know better: a cat that a teacher takes for a baby is none, in its classes neither.
        self._tags[np.ix_(said == 0.0, CRIES)] = 0.0
        mean, deviation = embeddings.mean(axis=0, dtype=np.float32), embeddings.std(axis=0, dtype=np.float32)
        self._embedding = ((embeddings - mean) / np.maximum(deviation, 1e-3)).astype(np.float16)
        self._seed, self._mask = seed, mask
        self.begin(0)

    def __len__(self) -> int:
        return len(self._cry) // BATCH

    @property
    def classes(self) -> int:
        """How many classes the teachers tell apart."""
        return int(self._tags.shape[1])

    @property
    def width(self) -> int:
        """Length of the teacher's embedding."""
        return int(self._embedding.shape[1])

    def begin(self, epoch: int) -> None:
        """Takes the order of an epoch, counted from 0: the same one whether or not training was stopped before it.

        Keras calls `on_epoch_end` once before the first epoch too, so counting those calls would not do.
        """
        self._epoch = epoch
        self._order = np.random.default_rng((self._seed, epoch)).permutation(len(self._cry))

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
        """Returns float32 [n, 96, 64] and float32 [n, ...] by name: cry 1, tags 1048, voices 269, teacher 384 wide."""
        rows = np.sort(self._order[index * BATCH : (index + 1) * BATCH])
        x = self._patches[rows].astype(np.float32)
        rng = np.random.default_rng((self._seed, self._epoch, index))
        for patch in x:
            mask(patch, self._mask, rng)
        tags = self._tags[rows]
        targets = {
            "cry": self._cry[rows, None],
            "tags": tags,
            "voices": tags[:, VOICES],
            "teacher": self._embedding[rows],
        }
        return x, {name: values.astype(np.float32) for name, values in targets.items()}


def mask(patch: NDArray[np.float32], widest: tuple[int, int], rng: np.random.Generator) -> None:
    """Hides a run of frames and a run of bands of float32 [96, 64] behind its mean, in place."""
    mean = patch.mean()
    for axis, most in enumerate(widest):
        width = int(rng.integers(most + 1))
        start = int(rng.integers(patch.shape[axis] - width + 1))
        np.moveaxis(patch, axis, 0)[start : start + width] = mean
