"""MFCC + RBM-CNN: a restricted Boltzmann machine learns features of MFCC blocks without labels, a CNN reads them."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.neural_network import BernoulliRBM

from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.networks import EPOCHS, MOMENTUM, fit_network
from training.baselines.sound import CEPSTRA, mfcc, waveforms
from training.clips import ClipSet

BLOCK: Final = 10
"""Frames in a block: 0.1 s, about a syllable's edge; blocks overlap by half."""
STEP: Final = BLOCK // 2
"""Frames from one block to the next."""
UNITS: Final = 64
"""Hidden units of the machine: a third of a block's 200 numbers."""
RATE: Final = 0.05
"""Of the machine's learning, by persistent contrastive divergence; scikit-learn's 0.1 saturates the units."""
ROUNDS: Final = 5
"""Passes over the blocks."""


@dataclass(frozen=True)
class RbmCnn:
    """The machine is trained on the training clips' blocks alone: no test clip shapes a feature."""

    key: ClassVar[str] = "mfcc-rbm-cnn"
    name: ClassVar[str] = "MFCC + RBM-CNN"
    features: ClassVar[str] = "20 MFCC in blocks of 0.1 s, 64 features by an RBM"
    classifier: ClassVar[str] = "CNN, 2 layers"
    paper_says: ClassVar[str] = "78.6 % of 5 classes"

    clips: ClipSet
    epochs: int = EPOCHS

    @property
    def settings(self) -> str:
        """As `Method`."""
        return f"epochs={self.epochs}"

    @cached_property
    def _blocks(self) -> NDArray[np.float32]:
        """[clips, 48, 200]."""
        sounds = waveforms(self.clips.cut(row) for row in range(len(self.clips.clips)))
        frames = np.stack([mfcc(sound.astype(np.float64)) for sound in sounds])  # [clips, 248, 20]
        starts = range(0, frames.shape[1] - BLOCK + 1, STEP)
        return np.stack([frames[:, start : start + BLOCK].reshape(len(frames), -1) for start in starts], axis=1)

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        n, blocks, width = self._blocks.shape
        low, high = np.percentile(self._blocks[train].reshape(-1, CEPSTRA), [1, 99], axis=0)
        scale = np.maximum(high - low, 1e-6)  # a coefficient that never changes
        units = (self._blocks.reshape(-1, CEPSTRA) - low) / scale  # 0 to 1, as the machine's visible units are
        visible = np.clip(units, 0.0, 1.0).astype(np.float32).reshape(n, blocks, width)
        machine = BernoulliRBM(UNITS, learning_rate=RATE, batch_size=32, n_iter=ROUNDS, random_state=seed)
        machine.fit(visible[train].reshape(-1, width))
        hidden = machine.transform(visible.reshape(-1, width)).astype(np.float32).reshape(n, blocks, UNITS)
        answer = fit_network(build, hidden, self.clips.labels, train, test, epochs=self.epochs, seed=seed)
        return Answer(answer.probabilities, answer.weights + machine.components_.size + UNITS + width)


def build() -> keras.Model:
    """float32 [n, blocks, 64] -> probabilities [n, 4]."""
    features = keras.Input((None, UNITS))
    x = features
    for filters in (32, 64):
        x = keras.layers.Conv1D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=MOMENTUM)(x)
        x = keras.layers.MaxPooling1D(2)(keras.layers.Activation("relu")(x))
    x = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling1D()(x))
    return keras.Model(features, keras.layers.Dense(len(REASONS), activation="softmax")(x))
