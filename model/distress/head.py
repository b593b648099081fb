"""How hard it cries: a linear head on the features of a window's patch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.calibration import sigmoid
from model.distress.features import N_FEATURES, features


@dataclass(frozen=True, slots=True)
class DistressHead:
    """Fitted and calibrated on babies in mild discomfort and babies who are vaccinated."""

    kernel: tuple[float, ...]
    """[N_FEATURES], logits."""
    bias: float
    """Logits."""

    def __post_init__(self) -> None:
        """Refuses a head for other features."""
        if len(self.kernel) != N_FEATURES:
            raise ValueError(f"kernel has {len(self.kernel)} numbers, expected {N_FEATURES}")


def p_distress(head: DistressHead, patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns patches, float32 [n, 96, 64], into probabilities, float32 [n]; see `Scores.distress`."""
    logits = features(patches).astype(np.float64) @ np.array(head.kernel) + head.bias
    return np.asarray(sigmoid(logits), np.float32)
