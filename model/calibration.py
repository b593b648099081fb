"""From logits to probabilities that mean what they say. `tracker.likely_reason` says `unsure` where they say little."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_STEPS: Final = 100
"""Newton steps at most: both problems are convex in at most five parameters and settle in about ten."""
_SETTLED: Final = 1e-9
"""Largest change of a parameter (logits) at which a fit has settled."""
_RIDGE: Final = 1e-3
"""Penalty on each parameter's distance from the identity (per sample): keeps separable data finite."""


_Loss = Callable[[NDArray[np.float64]], tuple[float, NDArray[np.float64], NDArray[np.float64]]]
"""Parameters [k] to the negative log-likelihood, its gradient [k] and its curvature [k, k]."""


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
    return _sigmoid(calibration.cry_scale * logits.astype(np.float64) + calibration.cry_bias).astype(np.float32)


def p_reasons(calibration: Calibration, logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turns reason logits [n, 4] into probabilities, float32 [n, 4], each row summing to 1."""
    bias = np.array(calibration.reason_bias)
    return _softmax(calibration.reason_scale * logits.astype(np.float64) + bias).astype(np.float32)


def fit_cry(logits: NDArray[np.float32], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Fits Platt scaling to logits [n] and labels [n]; returns (cry_scale, cry_bias).

    The targets are Platt's (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of 1 and 0: a finite sample never proves
    certainty.
    """
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        raise ValueError(f"calibration needs both kinds, got {positive} cries and {negative} others")
    target = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    x = np.stack([logits.astype(np.float64), np.ones(len(logits))], axis=1)  # [n, 2]
    identity = np.array([1.0, 0.0])

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        logit = x @ w
        p = _sigmoid(logit)
        value = float(np.sum(np.logaddexp(0.0, logit) - target * logit))
        return value, x.T @ (p - target), (x * (p * (1 - p))[:, None]).T @ x

    scale, bias = _newton(loss, identity, len(logits))
    return float(scale), float(bias)


def fit_reasons(
    logits: NDArray[np.float32], labels: NDArray[np.intp], *, bias: bool = False
) -> tuple[float, tuple[float, float, float, float]]:
    """Fits temperature scaling to logits [n, 4] and labels [n]; returns (reason_scale, reason_bias).

    Args:
        logits: Of the network, on recordings that it never saw.
        labels: Index into `REASONS`.
        bias: Whether each reason gets a bias too (corrects frequencies); else all four are 0.
    """
    n, k = logits.shape
    z = logits.astype(np.float64)
    hit = np.eye(k)[labels]  # [n, k]
    # Columns per parameter: the shared scale, then (where wanted) a bias for each reason. [n, k, parameters]
    design = np.concatenate([z[:, :, None], np.broadcast_to(np.eye(k), (n, k, k))], axis=2) if bias else z[:, :, None]
    identity = np.zeros(design.shape[2])
    identity[0] = 1.0

    def loss(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        logit = design @ w  # [n, k]
        p = _softmax(logit)
        value = float(np.sum(np.logaddexp.reduce(logit, axis=1) - logit[np.arange(n), labels]))
        mean = np.einsum("nk,nkp->np", p, design)
        second = np.einsum("nk,nkp,nkq->pq", p, design, design)
        return value, np.einsum("nk,nkp->p", p - hit, design), second - mean.T @ mean

    fitted = _newton(loss, identity, n)
    biases = fitted[1:] if bias else np.zeros(k)
    # A negative scale says that the logits know nothing: then only the frequencies count.
    return max(0.0, float(fitted[0])), (float(biases[0]), float(biases[1]), float(biases[2]), float(biases[3]))


def _newton(loss: _Loss, start: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Minimises a convex loss plus the ridge around `start`; steps are halved until they lead down."""
    ridge = _RIDGE * n

    def penalised(w: NDArray[np.float64]) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
        value, gradient, curvature = loss(w)
        away = w - start
        return value + ridge / 2 * float(away @ away), gradient + ridge * away, curvature + ridge * np.eye(len(w))

    w = start
    value, gradient, curvature = penalised(w)
    for _ in range(_STEPS):
        step = np.linalg.solve(curvature, gradient)
        tried = penalised(w - step)
        while tried[0] > value and float(np.abs(step).max()) > _SETTLED:
            step = step / 2
            tried = penalised(w - step)
        w, (value, gradient, curvature) = w - step, tried
        if float(np.abs(step).max()) <= _SETTLED:
            break
    return w


def _sigmoid(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(-np.abs(x))  # never overflows
    return np.where(x >= 0, 1.0, e) / (1.0 + e)


def _softmax(x: NDArray[np.float64]) -> NDArray[np.float64]:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return np.asarray(e / e.sum(axis=-1, keepdims=True), np.float64)
