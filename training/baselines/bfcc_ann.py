"""BFCC + ANN: Bark-frequency cepstra, summed up over the clip, into a small neural network of scikit-learn."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from training.baselines.method import Answer, spread
from training.baselines.sound import bfcc, normalised, with_slopes
from training.data.clips import ClipSet
from training.learn.reason_head import balanced

UNITS: Final = (32,)
"""Of the hidden layer: about as many as inputs per reason."""
ROUNDS: Final = 200
"""Passes over the training clips at most (scikit-learn's default); the last digits of the loss tell nothing apart."""
DECAY: Final = 1.0
"""L2 penalty (scikit-learn's alpha): some hundred clips against three thousand weights."""


@dataclass(frozen=True)
class BfccAnn:
    """Mean and deviation over time of each coefficient and of its slope, 80 numbers a clip."""

    key: ClassVar[str] = "bfcc-ann"
    name: ClassVar[str] = "BFCC + ANN"
    features: ClassVar[str] = "20 BFCC and slopes, mean and deviation"
    classifier: ClassVar[str] = "1 hidden layer of 32"
    paper_says: ClassVar[str] = "76.5 % of 6 classes"
    settings: ClassVar[str] = ""

    clips: ClipSet

    @cached_property
    def _x(self) -> NDArray[np.float32]:
        """[clips, 80]."""
        frames = [with_slopes(bfcc(normalised(self.clips.cut(row)))) for row in range(len(self.clips.clips))]
        return np.stack([np.concatenate([clip.mean(axis=0), clip.std(axis=0)]) for clip in frames])

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        labels = self.clips.labels[train]
        scaler = StandardScaler().fit(self._x[train])
        network = MLPClassifier(UNITS, alpha=DECAY, batch_size=min(32, len(train)), max_iter=ROUNDS, random_state=seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # enough is enough: see ROUNDS
            network.fit(scaler.transform(self._x[train]), labels, sample_weight=balanced(labels))
        weights = sum(array.size for array in (*network.coefs_, *network.intercepts_))
        return Answer(spread(network.predict_proba(scaler.transform(self._x[test])), network.classes_), weights)
