"""Fits what `model.calibration` applies, on recordings that the network never saw."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from sklearn.linear_model import LogisticRegression

from model.calibration import Calibration, p_cry, p_reasons
from monitord.errors import ConfigError
from monitord.types import REASONS
from training.evaluate.window_auc import auc
from training.label.held_out import HeldOut

STEEPEST: Final = 10.0
"""Largest inverse temperature looked for: nobody's logits are ten times too modest."""

LEAST_TOLD_P: Final = 1e-6
"""Least probability of a reason that becomes a logit: below it nothing was told."""
TINY: Final = 1e-12
"""Least probability whose logarithm is taken: one certain mistake may not outweigh everything."""


def fit_cry(logits: NDArray[np.float32], labels: NDArray[np.bool_]) -> tuple[float, float]:
    """Fits Platt scaling to logits [n] and labels [n]; returns (cry_scale, cry_bias).

    The targets are Platt's (N+ + 1) / (N+ + 2) and 1 / (N- + 2) instead of 1 and 0: a finite sample never proves
    certainty. Each sample stands twice, as a cry and as none, weighing by its target.
    """
    positive, negative = int(labels.sum()), int((~labels).sum())
    if not positive or not negative:
        raise ValueError(f"calibration needs both kinds, got {positive} cries and {negative} others")
    target = np.where(labels, (positive + 1) / (positive + 2), 1 / (negative + 2))
    x = np.concatenate([logits, logits]).astype(np.float64)[:, None]
    y = np.repeat([1, 0], len(logits))
    model = LogisticRegression(C=np.inf).fit(x, y, sample_weight=np.concatenate([target, 1 - target]))
    return float(model.coef_[0, 0]), float(model.intercept_[0])


def logits_of(probabilities: NDArray[np.float64]) -> NDArray[np.float32]:
    """Turns probabilities [n, 4] of held-back recordings back into logits, float32 [n, 4], for `fit_reasons`."""
    return np.log(np.maximum(probabilities, LEAST_TOLD_P)).astype(np.float32)


def fit_reasons(logits: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Fits temperature scaling to logits [n, 4] and labels [n], every reason weighing the same.

    Returns:
        `reason_scale`; 0 where the logits know nothing, so that all reasons become equally likely.
    """
    weights = 1.0 / np.bincount(labels, minlength=len(REASONS))[labels]

    def loss(scale: float) -> float:
        p = p_reasons(Calibration(reason_scale=scale), logits)
        told = p[np.arange(len(labels)), labels]
        return float(-np.average(np.log(np.maximum(told, TINY)), weights=weights))

    found = float(minimize_scalar(loss, bounds=(0.0, STEEPEST), method="bounded").x)
    return found if loss(found) < loss(0.0) else 0.0


def calibrated(held: HeldOut, logits: NDArray[np.float32]) -> tuple[Calibration, dict[str, Any]]:
    """Calibrates the cry on held-out windows and judges it there.

    Two numbers fitted on thousands of windows: the order of scores, and so the area, does not depend on them.

    Returns:
        The calibration, and JSON values (Any) for the manifest: `window_auc`, `window_auc_95`.

    Raises:
        ConfigError: The network hears no cry.
    """
    scale, bias = fit_cry(logits, held.cry)
    if scale <= 0:
        raise ConfigError("these weights score cries no higher than other sound; run: monitord-train pretrain, longer")
    calibration = Calibration(cry_scale=scale, cry_bias=bias)
    area = auc(held.cry, p_cry(calibration, logits), held.group)
    return calibration, {"window_auc": round(area.value, 4), "window_auc_95": [round(area.low, 4), round(area.high, 4)]}
