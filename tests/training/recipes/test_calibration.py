"""The fits behind calibrated probabilities."""

import numpy as np
import pytest

from model.calibration import Calibration, p_cry, p_reasons
from training.recipes.calibration import fit_cry, fit_reasons


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


def test_reason_fit_finds_the_truth() -> None:
    """Pins temperature scaling: what was exaggerated fourfold is put right."""
    rng = np.random.default_rng(4)
    truth = rng.normal(0.0, 1.0, (20_000, 4))
    p = np.exp(truth) / np.exp(truth).sum(axis=1, keepdims=True)
    labels = (rng.random((20_000, 1)) > p.cumsum(axis=1)).sum(axis=1).clip(0, 3)
    assert fit_reasons((4.0 * truth).astype(np.float32), labels) == pytest.approx(0.25, rel=0.05)


def test_logits_that_know_nothing_become_frequencies() -> None:
    """Pins that noise is calibrated to no confidence, never to confidence turned round."""
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 5_000)
    logits = rng.normal(0.0, 5.0, (5_000, 4)).astype(np.float32)
    logits[np.arange(5_000), labels] -= 1.0  # slightly worse than nothing
    scale = fit_reasons(logits, labels)
    assert scale == 0.0
    np.testing.assert_allclose(p_reasons(Calibration(reason_scale=scale), logits), 0.25)
