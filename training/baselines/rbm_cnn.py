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
from training.baselines.networks import MOMENTUM, Network, fit_network
from training.baselines.sound import CEPSTRA, mfcc, normalised

BLOCK: Final = 10
"""Frames in a block: 0.1 s, about a syllable's edge; blocks overlap by half."""
STEP: Final = BLOCK // 2
"""Frames from one block to the next."""
MOST: Final = 48
"""Blocks in 2.5 s: 1 + (248 - 10) // 5."""
UNITS: Final = 64
"""Hidden units of the machine: a third of a block's 200 numbers."""


@dataclass(frozen=True)
class RbmCnn(Network):
    """The machine is trained on the training clips' blocks alone: no test clip shapes a feature."""

    key: ClassVar[str] = "mfcc-rbm-cnn"
    name: ClassVar[str] = "MFCC + RBM-CNN"
    features: ClassVar[str] = "20 MFCC in blocks of 0.1 s, 64 features by an RBM"
    classifier: ClassVar[str] = "CNN, 2 layers"
    paper_says: ClassVar[str] = "78.6 % of 5 classes"

    @cached_property
    def _blocks(self) -> list[NDArray[np.float32]]:
        """By clip [blocks, 200], at most `MOST` of them."""
        blocks = []
        for row in range(len(self.clips.clips)):
            frames = mfcc(normalised(self.clips.cut(row)))  # [frames, 20]
            starts = range(0, len(frames) - BLOCK + 1, STEP)[:MOST]
            blocks.append(np.stack([frames[start : start + BLOCK].ravel() for start in starts]))
        return blocks

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        seen = np.concatenate([self._blocks[row] for row in train])  # [blocks, 200]
        low, high = np.percentile(seen.reshape(-1, CEPSTRA), [1, 99], axis=0)
        low, span = np.tile(low, BLOCK), np.tile(np.maximum(high - low, 1e-6), BLOCK)  # a coefficient may stand still

        def visible(blocks: NDArray[np.float32]) -> NDArray[np.float32]:
            return np.asarray(
                np.clip((blocks - low) / span, 0.0, 1.0), np.float32
            )  # as the machine's visible units are

        machine = BernoulliRBM(UNITS, random_state=seed).fit(visible(seen))
        hidden = np.zeros((len(self._blocks), MOST, UNITS), np.float32)  # zeros where the clip is over
        for row, blocks in enumerate(self._blocks):
            hidden[row, : len(blocks)] = machine.transform(visible(blocks))
        answer = fit_network(build, hidden, self.clips.labels, train, test, epochs=self.epochs, seed=seed)
        return Answer(answer.probabilities, answer.weights + machine.components_.size + UNITS + seen.shape[1])


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
