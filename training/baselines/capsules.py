"""Spectrogram + capsule network: dynamic routing between capsules (Sabour, Frosst and Hinton 2017) on log-mel."""

from dataclasses import dataclass
from typing import Any, ClassVar, Final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from model.frontend import N_MELS
from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.networks import PictureNetwork, fit_network

FRAMES: Final = 248
"""In 2.5 s: 1 + (40000 - 400) // 160."""
PRIMARY: Final = (8, 8)
"""Kinds of primary capsules, and their dimensions (the paper has 32 kinds of 8; ours is for some hundred clips)."""
WIDTH: Final = 16
"""Dimensions of a reason's capsule (section 4)."""
ROUNDS: Final = 3
"""Of routing (section 4)."""
PRESENT: Final = 0.9
"""Length that a present reason's capsule should reach (m+, equation 4)."""
ABSENT: Final = 0.1
"""Length under which an absent one's should stay (m-, equation 4)."""
DOWN: Final = 0.5
"""Weight of the absent ones' loss (lambda, equation 4)."""

# Any, here and below: Keras ships no types for its tensors.


def squash(vectors: Any) -> Any:  # noqa: ANN401
    """Shrinks the last axis to a length under 1 and keeps its direction (equation 1)."""
    square = ops.sum(ops.square(vectors), axis=-1, keepdims=True)
    return vectors * ops.sqrt(square + keras.config.epsilon()) / (1.0 + square)


def margin_loss(told: Any, lengths: Any) -> Any:  # noqa: ANN401
    """Loss by clip [n] of one-hot labels and lengths of capsules, both [n, 4] (equation 4)."""
    present = told * ops.square(ops.relu(PRESENT - lengths))
    absent = DOWN * (1.0 - told) * ops.square(ops.relu(lengths - ABSENT))
    return ops.sum(present + absent, axis=-1)


class Routing(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Capsules [n, i, 8] to one capsule per reason, [n, 4, 16], each lower one choosing where it is agreed with."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Makes one matrix for each pair of a lower and an upper capsule."""
        _, lower, dimensions = input_shape
        self.pairs = self.add_weight(shape=(lower, dimensions, len(REASONS) * WIDTH), initializer="glorot_uniform")

    def call(self, lower: Any) -> Any:  # noqa: ANN401
        """Routes (procedure 1)."""
        votes = ops.einsum("nid,ido->nio", lower, self.pairs)
        votes = ops.reshape(votes, (-1, lower.shape[1], len(REASONS), WIDTH))  # [n, i, 4, 16]
        fixed = ops.stop_gradient(votes)  # agreement chooses the route; only the last round learns
        logits = ops.zeros_like(votes[..., 0])  # [n, i, 4]
        for _ in range(ROUNDS - 1):
            upper = squash(ops.einsum("nir,nirw->nrw", ops.softmax(logits), fixed))
            logits = logits + ops.einsum("nrw,nirw->nir", upper, fixed)
        return squash(ops.einsum("nir,nirw->nrw", ops.softmax(logits), votes))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """[n, 4, 16]."""
        return (input_shape[0], len(REASONS), WIDTH)


@dataclass(frozen=True)
class CapsuleNetwork(PictureNetwork):
    """The length of a reason's capsule says how surely it is there."""

    key: ClassVar[str] = "capsules"
    name: ClassVar[str] = "spectrogram + capsule network"
    classifier: ClassVar[str] = "2 layers, capsules with 3 rounds of routing"
    paper_says: ClassVar[str] = "86.1 % of 3 classes"

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`; the lengths are scaled to sum to 1."""
        labels = self.clips.labels
        return fit_network(build, self._x, labels, train, test, epochs=self.epochs, seed=seed, loss=margin_loss)


def build() -> keras.Model:
    """float32 [n, 248, 64] -> lengths of the reasons' capsules [n, 4], each from 0 to 1."""
    kinds, dimensions = PRIMARY
    picture = keras.Input((FRAMES, N_MELS))
    x = keras.layers.Reshape((FRAMES, N_MELS, 1))(picture)
    x = keras.layers.Conv2D(16, 5, strides=4, padding="same", activation="relu")(x)  # [n, 62, 16, 16]
    x = keras.layers.Conv2D(kinds * dimensions, 5, strides=4, padding="same")(x)  # [n, 16, 4, 64]
    x = squash(keras.layers.Reshape((-1, dimensions))(x))  # [n, 512, 8]
    x = Routing()(x)
    return keras.Model(picture, ops.sqrt(ops.sum(ops.square(x), axis=-1) + keras.config.epsilon()))
