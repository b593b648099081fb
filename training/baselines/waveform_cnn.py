"""Waveform CNN: a one-dimensional network on the sound itself, after Dai et al. 2017 ("M5"), at half its width."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import keras
import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.networks import MOMENTUM, Network, fit_network
from training.baselines.sound import LONGEST, waveforms

LAYERS: Final = ((80, 32), (3, 32), (3, 64), (3, 128))
"""Samples of a filter and number of filters, each followed by a pool of 4; the first filter spans 5 ms."""
STRIDE: Final = 16
"""Samples at 16 kHz by which the first layer steps: 1 ms."""


@dataclass(frozen=True)
class WaveformCnn(Network):
    """The first layer must find out by itself what a spectrum is."""

    key: ClassVar[str] = "waveform-cnn"
    name: ClassVar[str] = "waveform + CNN"
    features: ClassVar[str] = "waveform, 2.5 s"
    classifier: ClassVar[str] = "CNN, 4 layers"
    paper_says: ClassVar[str] = "78.3 % of 4 classes"

    @cached_property
    def _x(self) -> NDArray[np.float32]:
        """[clips, 40000]."""
        return waveforms(self.clips.cut(row) for row in range(len(self.clips.clips)))

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        return fit_network(build, self._x, self.clips.labels, train, test, epochs=self.epochs, seed=seed)


def build() -> keras.Model:
    """float32 [n, 40000] -> probabilities [n, 4]."""
    sound = keras.Input((LONGEST,))
    x = keras.layers.Reshape((LONGEST, 1))(sound)
    for number, (width, filters) in enumerate(LAYERS):
        stride = 1 if number else STRIDE
        x = keras.layers.Conv1D(filters, width, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
        x = keras.layers.MaxPooling1D(4)(keras.layers.Activation("relu")(x))  # [n, 625, 32], 156, 39, [n, 9, 128]
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(sound, keras.layers.Dense(len(REASONS), activation="softmax")(x))
