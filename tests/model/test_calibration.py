"""From logits to probabilities."""

import numpy as np
import pytest

from model.calibration import Calibration, p_cry, p_reasons


def test_probabilities_follow_the_formulas() -> None:
    """Pins Platt scaling and the softmax with temperature and bias, by numbers worked out beside them."""
    calibration = Calibration(cry_scale=2.0, cry_bias=-1.0, reason_scale=0.5, reason_bias=(0.0, 0.0, 0.0, np.log(2.0)))
    found = p_cry(calibration, np.array([0.5, 1.5, -400.0, 400.0], np.float32))
    np.testing.assert_allclose(found, [0.5, 1 / (1 + np.exp(-2.0)), 0.0, 1.0], rtol=1e-6)
    assert found.dtype == np.float32
    reasons = p_reasons(calibration, np.array([[0.0, 0.0, 0.0, 0.0], [2.0, 0.0, 0.0, 900.0]], np.float32))
    np.testing.assert_allclose(reasons[0], [0.2, 0.2, 0.2, 0.4], rtol=1e-6)  # odds 1 : 1 : 1 : 2
    np.testing.assert_allclose(reasons.sum(axis=1), 1.0, rtol=1e-6)
    assert np.isfinite(reasons).all()


@pytest.mark.parametrize(
    "wrong", [{"cry_scale": 0.0}, {"cry_scale": -1.0}, {"cry_scale": float("nan")}, {"reason_scale": -0.1}]
)
def test_upside_down_is_refused(wrong: dict[str, float]) -> None:
    """Pins that no calibration can turn more into less."""
    with pytest.raises(ValueError, match="scale"):
        Calibration(**wrong)
