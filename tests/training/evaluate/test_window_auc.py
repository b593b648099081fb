"""The area under the curve: worked out by hand, with an interval that knows families from windows."""

import numpy as np
import pytest

from training.evaluate import window_auc
from training.evaluate.window_auc import auc


@pytest.fixture(autouse=True)
def _fewer_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    """An interval from 100 samples is as good for a test."""
    monkeypatch.setattr(window_auc, "RESAMPLES", 100)


def groups(n: int, size: int) -> np.ndarray:
    return np.array([f"g{i // size}" for i in range(n)])


def test_by_hand() -> None:
    """Of 2 cries and 3 others 6 pairs: 0.9 beats three, 0.4 beats one and ties one: 4.5 of 6."""
    truth = np.array([True, True, False, False, False])
    scores = np.array([0.9, 0.4, 0.6, 0.4, 0.1], np.float32)
    assert auc(truth, scores, groups(5, 1)).value == pytest.approx(4.5 / 6)


def test_perfect_and_upside_down() -> None:
    """All cries over all others is 1, under them 0, and the interval is a point."""
    truth = np.arange(40) % 2 == 0
    best, worst = (auc(truth, sign * truth.astype(np.float32), groups(40, 1)) for sign in (1, -1))
    assert (best.value, best.low, best.high) == (1.0, 1.0, 1.0)
    assert (worst.value, worst.low, worst.high) == (0.0, 0.0, 0.0)
    assert str(best) == "1.0000 (1.0000 to 1.0000)"


def test_the_interval_resamples_groups() -> None:
    """The same windows of few families say less than of many: a wider interval around the same value, every time."""
    rng = np.random.default_rng(1)
    truth = np.repeat(rng.random(40) < 0.5, 10)
    scores = (truth + np.repeat(rng.normal(0, 1, 40), 10)).astype(np.float32)
    many, few = auc(truth, scores, groups(400, 1)), auc(truth, scores, groups(400, 10))
    assert many.value == few.value
    assert few.low < many.low < many.value < many.high < few.high
    assert auc(truth, scores, groups(400, 10)) == few
