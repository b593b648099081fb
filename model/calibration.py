"""From logits to probabilities that mean what they say. `tracker.likely_reason` says `unsure` where they say little."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Calibration:
    """Fitted on recordings that training never saw: pinned by the model bundle."""

    cry_scale: float = 1.0
    """Platt scaling: p = sigmoid(cry_scale * logit + cry_bias); no unit, above 0."""
    cry_bias: float = 0.0
    """Logits."""
    reason_scale: float = 1.0
    """Inverse temperature: p = softmax(reason_scale * logits + reason_bias); no unit, at least 0."""
    reason_bias: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    """Logits, in the order of `REASONS`."""

    def __post_init__(self) -> None:
        """Refuses what would turn scores upside down."""
        if not self.cry_scale > 0:
            raise ValueError(f"cry_scale is {self.cry_scale}, expected above 0")
        if not self.reason_scale >= 0:
            raise ValueError(f"reason_scale is {self.reason_scale}, expected at least 0")


def p_cry(calibration: Calibration, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns cry logits [n] into probabilities, float32 [n]."""
    return sigmoid(cry_log_odds(calibration, logits)).astype(np.float32)


def cry_log_odds(calibration: Calibration, logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Turns cry logits [n] into calibrated log-odds, float64 [n], which do not saturate as probabilities do."""
    return calibration.cry_scale * logits.astype(np.float64) + calibration.cry_bias


def p_reasons(calibration: Calibration, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns reason logits [n, 4] into probabilities, float32 [n, 4], each row summing to 1."""
    bias = np.array(calibration.reason_bias)
    return _softmax(calibration.reason_scale * logits.astype(np.float64) + bias).astype(np.float32)


def sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turns log-odds into probabilities, of any shape."""
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)
