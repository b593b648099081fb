"""A stand-in for the weights of a network, and only for them: loud is a cry, and its pitch is the reason.

The classifier around it is the real one, with front end, bundle and calibration.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.classifier import Classifier
from model.forward import Outputs
from model.frontend import PLAIN
from monitord.tracker import TrackerParams
from tests.support.models.model_bundles import make_dead_bundle


class Loudness:
    """A runtime that can be worked out by hand; it counts its forward passes."""

    name = "loudness"
    fault = ""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`: +10 where the newest quarter second has a band over ln 12, else -10."""
        self.sizes.append(len(patches))
        newest = patches[:, -24:, :].max(axis=1)  # [n, 64]
        cry = np.where(newest.max(axis=1) > 2.5, np.float32(10), np.float32(-10))
        reasons = newest.reshape(-1, 4, 16).max(axis=2)  # [n, 4]: low voices are hungry, high ones in discomfort
        return Outputs(cry.astype(np.float32), reasons, np.zeros((len(patches), 128), np.float32))


def loudness_classifier(directory: Path, tracker: TrackerParams | None = None) -> Classifier:
    """A classifier whose bundle is real but for its weights."""
    bundle = make_dead_bundle(directory / "bundle", frontend=PLAIN, tracker=tracker or TrackerParams())
    return Classifier(bundle, Loudness())
