"""How every small network of the comparison is trained: the same optimizer, batches, class weights and seeds.

Only Keras' own interface, so that any of its backends runs it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Final

import keras
import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.sound import pictures
from training.data.clips import ClipSet
from training.learn.reason_head import balanced

LEARNING_RATE: Final = 1e-3
"""Adam's default: these start from nothing (the method's 1e-4 is for weights that start from AudioSet)."""
BATCH: Final = 32
"""Clips in a step."""
EPOCHS: Final = 20
"""Passes over the training clips; the curves of these small networks are flat by then."""
MOMENTUM: Final = 0.9
"""Of batch normalisation's running means: a fold has some twenty steps an epoch, Keras' 0.99 would lag by five."""


@dataclass(frozen=True)
class Network:
    """What every method that is a small network has in common."""

    clips: ClipSet
    epochs: int = EPOCHS

    @property
    def settings(self) -> str:
        """As `Method`."""
        return f"epochs={self.epochs}"


@dataclass(frozen=True)
class PictureNetwork(Network):
    """One that sees the log-mel picture."""

    features: ClassVar[str] = "log-mel, 2.5 s"

    @cached_property
    def _x(self) -> NDArray[np.float32]:
        """[clips, 248, 64]."""
        return pictures(self.clips.cut(row) for row in range(len(self.clips.clips)))


def fit_network(
    build: Callable[[], keras.Model],
    x: NDArray[np.float32],
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    *,
    epochs: int,
    seed: int,
    loss: Callable[[Any, Any], Any] | None = None,  # Any: Keras ships no types
) -> Answer:
    """Trains a fresh network on some rows and answers on others.

    Args:
        build: Makes the network: x -> [n, 4], probabilities that sum to 1, or what the loss takes in their place.
        x: float32 [clips, ...]; scaled here to mean 0 and deviation 1 over the training rows.
        labels: int64 [clips].
        train: Rows to learn from.
        test: Rows to answer on.
        epochs: Passes over the training rows.
        seed: Of the first weights, the order of clips and the drop-out.
        loss: Of (one-hot labels [n, 4], outputs [n, 4]), by clip [n]; without it cross-entropy.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    model = build()
    model.compile(keras.optimizers.Adam(LEARNING_RATE), loss or keras.losses.CategoricalCrossentropy())
    mean, deviation = float(x[train].mean()), max(float(x[train].std()), 1e-6)  # a silent set has no deviation
    model.fit(
        (x[train] - mean) / deviation,
        np.eye(len(REASONS), dtype=np.float32)[labels[train]],
        sample_weight=balanced(labels[train]).astype(np.float32),
        batch_size=BATCH,
        epochs=epochs,
        verbose=0,
    )
    out = np.asarray(model.predict((x[test] - mean) / deviation, batch_size=BATCH, verbose=0), np.float64)
    return Answer(out / out.sum(axis=1, keepdims=True), model.count_params())
