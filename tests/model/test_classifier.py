"""From windows to calibrated scores, and from the windows of a segment to one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.adaptation.head import Adaptation
from model.bundle import load_bundle
from model.calibration import Calibration
from model.classifier import Classifier, pool
from model.distress.features import N_FEATURES
from model.distress.head import DistressHead, p_distress
from model.forward import Outputs
from model.frontend import FrontendParams, patches
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Scores, Window
from tests.support.models.model_bundles import make_dead_bundle


class Levels:
    """A runtime whose logits are worked out by hand: the patch's mean for a cry, its first four bands for reasons."""

    name = "levels"
    fault = ""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def forward(self, x: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        self.sizes.append(len(x))
        return Outputs(x.mean(axis=(1, 2)), x[:, 0, :4], np.zeros((len(x), 128), np.float32))


class Embedding(Levels):
    """The same, with an embedding in which each unit is 2."""

    def forward(self, x: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`."""
        return super().forward(x)._replace(embedding=np.full((len(x), 128), 2.0, np.float32))


def window(seed: int) -> Window:
    """Noise, at a place that depends on the seed."""
    samples = np.random.default_rng(seed).normal(0.0, 1000.0, WINDOW_SAMPLES).astype(np.int16)
    return Window(f"room{seed}", 100 * seed, samples, 0.0, 0)


def scores(p_cry: float, reasons: tuple[float, ...], *, start: int = 0, n_windows: int = 1) -> Scores:
    """One window's."""
    return Scores("room", start, p_cry, np.array(reasons, np.float32), n_windows, "abc")


def test_scores_are_the_calibrated_logits_of_each_window(tmp_path: Path) -> None:
    """Pins front end, one forward pass for all windows and calibration; each window keeps its source and place."""
    frontend, runtime = FrontendParams(pre_emphasis=0.0), Levels()
    calibration = Calibration(2.0, 0.5, 0.5, (0.0, 0.0, 1.0, 0.0))
    bundle = make_dead_bundle(tmp_path / "b", frontend=frontend, calibration=calibration)
    windows = [window(seed) for seed in range(3)]
    found = Classifier(bundle, runtime).score(windows)
    assert runtime.sizes == [3]
    for one, got in zip(windows, found, strict=True):
        x = patches([one.samples], frontend)[0]
        odds = np.exp(0.5 * x[0, :4] + [0.0, 0.0, 1.0, 0.0])
        assert got.p_cry == pytest.approx(1 / (1 + np.exp(-(2.0 * x.mean() + 0.5))), rel=1e-4)
        np.testing.assert_allclose(got.reasons, odds / odds.sum(), rtol=1e-4)
        assert (got.source, got.start, got.n_windows, got.bundle_id) == (one.source, one.start, 1, bundle.id)


def test_what_a_home_has_taught_moves_the_cry_alone(tmp_path: Path) -> None:
    """From the next windows on, by the log-odds that it says; the bundle's own word, and the reasons, stay."""
    bundle = make_dead_bundle(tmp_path / "b")
    classifier = Classifier(bundle, Embedding())
    (before,) = classifier.score([window(0)])
    classifier.adaptation = Adaptation(bundle.id, np.full(128, 0.01, np.float32), -0.5)
    (after,) = classifier.score([window(0)])
    odds = np.log(before.p_cry / (1 - before.p_cry))
    assert before.log_odds == pytest.approx(odds, abs=1e-4)
    assert after.log_odds == before.log_odds
    assert np.log(after.p_cry / (1 - after.p_cry)) == pytest.approx(odds + 128 * 0.01 * 2.0 - 0.5, abs=1e-4)
    np.testing.assert_array_equal(after.reasons, before.reasons)
    np.testing.assert_array_equal(after.embedding, np.full(128, 2.0, np.float32))


def test_no_windows_no_pass(tmp_path: Path) -> None:
    """Pins that nothing to score asks the network nothing."""
    runtime = Levels()
    assert Classifier(make_dead_bundle(tmp_path / "b"), runtime).score([]) == []
    assert runtime.sizes == []


def test_pool_weighs_reasons_by_the_cry() -> None:
    """Pins P(reason | cry) = sum of P(reason, cry) / sum of P(cry): silence at the edge has no say in the reason."""
    pooled = pool([scores(0.9, (1.0, 0.0, 0.0, 0.0), start=50), scores(0.3, (0.0, 1.0, 0.0, 0.0), start=10)])
    assert pooled.p_cry == pytest.approx((0.9 + 0.3) / 2)
    np.testing.assert_allclose(pooled.reasons, [0.75, 0.25, 0.0, 0.0], rtol=1e-6)  # 0.9 : 0.3
    assert (pooled.start, pooled.n_windows, pooled.bundle_id) == (10, 2, "abc")


def test_pool_of_pools_is_the_pool() -> None:
    """Pins that pooling in two steps gives what pooling at once gives."""
    each = [scores(p, (p, 1 - p, 0.0, 0.0)) for p in (0.2, 0.4, 0.9)]
    twice, once = pool([pool(each[:2]), each[2]]), pool(each)
    assert twice.p_cry == pytest.approx(once.p_cry)
    np.testing.assert_allclose(twice.reasons, once.reasons, rtol=1e-6)
    assert twice.n_windows == once.n_windows == 3


def test_pool_without_any_cry_still_sums_to_one() -> None:
    """Pins the edge where every window is certain that there is no cry, and that nothing cannot be pooled."""
    pooled = pool([scores(0.0, (1.0, 0.0, 0.0, 0.0)), scores(0.0, (0.0, 0.0, 1.0, 0.0))])
    np.testing.assert_allclose(pooled.reasons, [0.5, 0.0, 0.5, 0.0])
    with pytest.raises(ValueError, match="no scores"):
        pool([])


def test_distress_is_pooled_by_the_cry_and_stays_unknown_where_it_is() -> None:
    """Pins that a breath at the edge does not calm a cry, and that a bundle without a head for it says nothing."""
    first, second = scores(0.9, (1.0, 0.0, 0.0, 0.0)), scores(0.3, (1.0, 0.0, 0.0, 0.0))
    assert pool([first, second]).distress is None
    pooled = pool([replace(first, distress=0.8), replace(second, distress=0.4)])
    assert pooled.distress == pytest.approx((0.9 * 0.8 + 0.3 * 0.4) / 1.2)


def test_the_head_of_the_bundle_says_how_hard_it_cries(tmp_path: Path) -> None:
    """Pins that each window gets what the head makes of its patch, and nothing where the bundle has none."""
    head = DistressHead(tuple(np.linspace(-0.01, 0.01, N_FEATURES).tolist()), 0.5)
    bundle = make_dead_bundle(tmp_path / "b", distress=head)
    found = Classifier(load_bundle(bundle.directory), Levels()).score([window(0), window(1)])
    x = patches([window(0).samples, window(1).samples], FrontendParams())
    np.testing.assert_allclose([got.distress for got in found], p_distress(head, x), rtol=1e-5)
    (unknown,) = Classifier(make_dead_bundle(tmp_path / "c"), Levels()).score([window(0)])
    assert unknown.distress is None
