"""Spectrogram CNN: a small two-dimensional network on the log-mel picture, from nothing."""

from dataclasses import dataclass
from typing import ClassVar, Final

import keras
import numpy as np
from numpy.typing import NDArray

from model.frontend import N_MELS
from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.networks import MOMENTUM, PictureNetwork, fit_network

FILTERS: Final = (16, 32, 64)
"""Of 3 x 3 each, with a pool of 2 x 2 behind."""


@dataclass(frozen=True)
class SpectrogramCnn(PictureNetwork):
    """The paper cites two of these, on data of their own."""

    key: ClassVar[str] = "spectrogram-cnn"
    name: ClassVar[str] = "spectrogram + CNN"
    classifier: ClassVar[str] = "CNN, 3 layers"
    paper_says: ClassVar[str] = "78.5 % of 3 classes; 89.0 % of 5 classes"

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        return fit_network(build, self._x, self.clips.labels, train, test, epochs=self.epochs, seed=seed)


def build() -> keras.Model:
    """float32 [n, frames, 64] -> probabilities [n, 4]; any number of frames from 16 on."""
    picture = keras.Input((None, N_MELS))
    x = keras.layers.Reshape((-1, N_MELS, 1))(picture)
    for number, filters in enumerate(FILTERS):
        stride = 1 if number else 2  # a quarter of the work: neighbouring frames and bands overlap by half
        x = keras.layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
        x = keras.layers.MaxPooling2D(2)(keras.layers.Activation("relu")(x))
    # Time is averaged away; the bands stay, because pitch and formants are told by where, not only by what.
    x = keras.layers.Flatten()(keras.ops.mean(x, axis=1))  # [n, 4 * 64]
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(picture, keras.layers.Dense(len(REASONS), activation="softmax")(x))
