"""From logits to probabilities."""

import numpy as np
import pytest

from model.calibration import Calibration, fit_cry, fit_reasons, p_cry, p_reasons


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


def test_cry_fit_finds_the_truth() -> None:
    """Pins the Platt fit: logits that exaggerate threefold and are shifted by 1.5 are put right."""
    rng = np.random.default_rng(3)
    truth = rng.normal(0.0, 2.0, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-truth))
    scale, bias = fit_cry((3.0 * truth + 1.5).astype(np.float32), labels)
    assert scale == pytest.approx(1 / 3, rel=0.05)
    assert bias == pytest.approx(-0.5, abs=0.1)


def test_cry_fit_stays_finite_on_separable_logits() -> None:
    """Pins that perfect separation gives high but finite certainty, and one kind alone is refused."""
    logits = np.array([-3.0, -2.0, 2.0, 3.0] * 25, np.float32)
    scale, bias = fit_cry(logits, logits > 0)
    p = p_cry(Calibration(scale, bias), logits)
    assert 0.9 < p[logits > 0].min() < p.max() < 1.0
    with pytest.raises(ValueError, match="both kinds"):
        fit_cry(logits, np.ones(100, np.bool_))


@pytest.mark.parametrize("bias", [False, True])
def test_reason_fit_finds_the_truth(bias: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Pins temperature scaling with and without frequencies: what was exaggerated and shifted is put right."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0.0, 1.0, (20_000, 4)) + (np.array([1.0, 0.0, 0.0, -1.0]) if bias else 0.0)
    p = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    labels = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    shown = 4.0 * (truth - (np.array([1.0, 0.0, 0.0, -1.0]) if bias else 0.0))
    scale, biases = fit_reasons(shown.astype(np.float32), labels, bias=bias)
    assert scale == pytest.approx(0.25, rel=0.05)
    expected = np.array([1.0, 0.0, 0.0, -1.0]) if bias else np.zeros(4)
    np.testing.assert_allclose(np.array(biases) - np.mean(biases), expected, atol=0.1)


def test_logits_that_know_nothing_become_frequencies() -> None:
    """Pins that noise is calibrated to no confidence, never to confidence turned round."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 5_000)
    logits = rng.normal(0.0, 5.0, (5_000, 4)).astype(np.float32)
    logits[np.arange(5_000), labels] -= 1.0  # slightly worse than nothing
    scale, biases = fit_reasons(logits, labels)
    assert scale == 0.0
    np.testing.assert_allclose(p_reasons(Calibration(reason_scale=scale, reason_bias=biases), logits), 0.25)
