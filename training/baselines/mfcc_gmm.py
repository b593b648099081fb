"""MFCC + GMM: one mixture of Gaussians per reason over the frames; the reason is the one that fits the clip best."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from monitord.types import REASONS
from training.baselines.method import Answer
from training.baselines.sound import mfcc, normalised, with_slopes
from training.data.clips import ClipSet

COMPONENTS: Final = 8
"""Gaussians per reason, with diagonal covariances: 16 and more fit the voices of ten babies, not the reasons."""
LEAST_VARIANCE: Final = 1e-3
"""Of a coefficient (natural log of mel magnitude, squared): digital silence has none."""
MOST_FRAMES: Final = 20_000
"""Frames to fit one mixture on, drawn evenly: 200 s of sound place 8 Gaussians as well as hours do."""
LEAST_GAIN: Final = 1e-2
"""Natural log of the likelihood of a frame that a round must gain to go on; the last hundredths tell nothing apart."""
ROUNDS: Final = 50
"""Of expectation and maximisation at most."""


@dataclass(frozen=True)
class MfccGmm:
    """The reasons have equal odds before anything is heard, so every reason weighs the same."""

    key: ClassVar[str] = "mfcc-gmm"
    name: ClassVar[str] = "MFCC + GMM"
    features: ClassVar[str] = "20 MFCC and slopes, by frame"
    classifier: ClassVar[str] = "8 Gaussians per reason"
    paper_says: ClassVar[str] = "70.0 % of 5 classes"
    settings: ClassVar[str] = ""

    clips: ClipSet

    @cached_property
    def _frames(self) -> list[NDArray[np.float32]]:
        """By clip [frames, 40]."""
        return [with_slopes(mfcc(normalised(self.clips.cut(row)))) for row in range(len(self.clips.clips))]

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`."""
        labels = self.clips.labels[train]
        rng = np.random.default_rng(seed)
        fits = np.full((len(test), len(REASONS)), -np.inf)  # mean natural log of the likelihood of a frame
        weights = 0
        for reason in np.unique(labels).tolist():
            frames = np.concatenate([self._frames[row] for row in train[labels == reason]])
            frames = frames[rng.permutation(len(frames))[:MOST_FRAMES]]
            mixture = GaussianMixture(
                min(COMPONENTS, len(frames)),
                covariance_type="diag",
                reg_covar=LEAST_VARIANCE,
                max_iter=ROUNDS,
                tol=LEAST_GAIN,
                random_state=seed,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # enough is enough: see ROUNDS
                mixture.fit(frames)
            # Neighbouring frames overlap and are alike, so the mean and not the sum stands for the clip's evidence.
            fits[:, reason] = [mixture.score(self._frames[row]) for row in test]
            weights += mixture.means_.size + mixture.covariances_.size + mixture.weights_.size
        return Answer(softmax(fits, axis=1), weights)
