"""The paper's recipe: a tiny fit that must learn, one that goes on where it was stopped, and other backends."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from model.frontend import FrontendParams
from model.vggish import weight_shapes
from monitord.errors import BundleError, ConfigError
from tests.support.models.model_bundles import TINY, make_dead_bundle
from tests.support.models.vggish_reference import random_weights
from tests.support.paths import ROOT
from tests.support.training.reason_clips import reason_clips
from training.learn.initial_weights import InitialWeights, Seen, load_initial_weights, pooled, see
from training.learn.paper_training import CHECKPOINT_FILE, CURVE_FILE, PaperParams, Reasoner, _Draws, train

# Keras' own, under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

QUICK = PaperParams(epochs=40, learning_rate=1e-3, batch=8)
"""A tiny network learns tones in seconds at this rate."""


def tiny_start() -> InitialWeights:
    """A network that learnt nothing."""
    return InitialWeights(
        "tiny", TINY, FrontendParams(), random_weights(weight_shapes(TINY, heads=False)), None, "tiny"
    )


@pytest.fixture(scope="module")
def seen() -> Seen:
    """32 clips."""
    return see(reason_clips(32), tiny_start())


def weights(reasoner: Reasoner) -> np.ndarray:
    """All in one row."""
    return np.concatenate([array.ravel() for _, array in sorted(reasoner.weights().items())])


def test_a_tiny_fit_learns_what_it_never_saw(seen: Seen) -> None:
    """Tones that tell the reason are told on clips kept back, and every weight of the network has moved."""
    rows = np.arange(32)
    test = rows[rows // 4 % 4 == 0]
    reasoner = train(seen, np.setdiff1d(rows, test), tiny_start(), QUICK, None)
    told = reasoner.clips(seen, test)
    np.testing.assert_allclose(told.sum(axis=1), 1.0, atol=1e-6)
    assert (told.argmax(axis=1) == seen.clips.labels[test]).mean() >= 0.75, told
    trained = reasoner.weights()
    for name, before in tiny_start().weights.items():
        assert not np.array_equal(trained[name], before), name


def test_a_stopped_fit_goes_on_to_the_same_result(seen: Seen, tmp_path: Path) -> None:
    """Two epochs, a new process' worth of nothing, and two more are four; the learning curve has a line for each."""
    rows = np.arange(16)
    at_once = train(seen, rows, tiny_start(), PaperParams(epochs=4, batch=8), tmp_path / "at once")
    train(seen, rows, tiny_start(), PaperParams(epochs=2, batch=8), tmp_path / "stopped")
    gone_on = train(seen, rows, tiny_start(), PaperParams(epochs=4, batch=8), tmp_path / "stopped")
    np.testing.assert_allclose(weights(gone_on), weights(at_once), atol=1e-5)  # threads add in any order
    for name in ("at once", "stopped"):
        curve = (tmp_path / name / CURVE_FILE).read_text().splitlines()
        assert [line.split(",")[0] for line in curve] == ["epoch", "0", "1", "2", "3"]
        assert {"loss", "accuracy"} <= set(curve[0].split(","))


def test_a_finished_fit_is_only_read(seen: Seen, tmp_path: Path) -> None:
    """Asked again, it trains no more."""
    rows = np.arange(16)
    first = train(seen, rows, tiny_start(), PaperParams(epochs=1), tmp_path)
    np.testing.assert_array_equal(
        weights(train(seen, rows, tiny_start(), PaperParams(epochs=1), tmp_path)), weights(first)
    )


def test_a_foreign_checkpoint_is_refused(seen: Seen, tmp_path: Path) -> None:
    """Half a file, or another network's, is named, and what to do about it."""
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"half a checkpoint")
    with pytest.raises(ConfigError, match="no checkpoint of this network"):
        train(seen, np.arange(16), tiny_start(), PaperParams(epochs=1), tmp_path)


def test_each_epoch_draws_one_window_of_each_clip(seen: Seen) -> None:
    """Every clip once, by the weight that its windows have in the pool, another one in another epoch."""
    rows = np.arange(3, 20)
    draws = _Draws(seen, rows, PaperParams(batch=8))
    assert len(draws) == 3  # 17 clips in eights
    epochs = []
    for epoch in range(40):
        draws.turn_to(epoch)
        parts = [draws[i] for i in range(len(draws))]
        assert [len(y) for _, y in parts] == [8, 8, 1]
        assert sorted(np.concatenate([y for _, y in parts])) == sorted(seen.clips.labels[rows])
        epochs.append(draws._order)
        assert sorted(seen.clips.clip[draws._order]) == rows.tolist()
    drawn = np.unique(np.concatenate(epochs))
    assert np.array_equal(drawn, np.flatnonzero(np.isin(seen.clips.clip, rows)))  # 40 times, so each came up
    draws.turn_to(7)
    np.testing.assert_array_equal(draws._order, epochs[7])


def test_a_clip_is_the_weighted_mean_of_its_windows(seen: Seen) -> None:
    """Clips in any order get their own windows' softmax, pooled by hand."""
    reasoner = train(seen, np.arange(8), tiny_start(), PaperParams(epochs=1, learning_rate=1e-3), None)
    rows = np.array([2, 5, 9])
    by_window = reasoner.windows(seen.patches)
    expected = [seen.weight[w] @ by_window[w] for w in (np.flatnonzero(seen.clips.clip == row) for row in rows)]
    np.testing.assert_allclose(reasoner.clips(seen, rows), expected, atol=1e-6)


def test_pooling_by_hand() -> None:
    """Two clips of one and two windows."""
    values = np.array([[1.0], [2.0], [4.0]])
    np.testing.assert_allclose(pooled(values, np.array([1.0, 0.25, 0.75]), np.array([0, 1, 1])), [[1.0], [3.5]])


def test_from_a_bundle_its_ear_and_its_cry_head_are_kept(tmp_path: Path) -> None:
    """The front end is the bundle's own, and its windows weigh by their probability of a cry, as in the daemon."""
    ear = FrontendParams(pre_emphasis=0.9, z_score=False)
    start = load_initial_weights(make_dead_bundle(tmp_path / "bundle", frontend=ear).directory)
    assert start.frontend == ear
    assert set(start.weights) == set(weight_shapes(TINY, heads=False))
    clips = reason_clips(4)
    heard = see(clips, start)
    np.testing.assert_allclose(np.bincount(clips.clip, weights=heard.weight), 1.0)
    assert not np.allclose(heard.weight[:2], 0.5)
    even = see(clips, tiny_start())
    np.testing.assert_allclose(even.weight, 0.5)
    assert even.embedding.shape == (4, TINY.embedding)


def test_what_is_no_start_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder without a bundle, a file of something else."""
    with pytest.raises(BundleError, match="cannot be read"):
        load_initial_weights(tmp_path / "nothing.ckpt")
    with pytest.raises(ConfigError, match="no bundle"):
        load_initial_weights(tmp_path)
    (tmp_path / "weights.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(BundleError, match=r"weights\.npz"):
        load_initial_weights(tmp_path / "weights.npz")


ONE_STEP = """
import keras, numpy as np
from tests.training.learn.test_paper_training import PaperParams, reason_clips, see, tiny_start, train
assert keras.backend.backend() == {backend!r}
seen = see(reason_clips(8), tiny_start())
reasoner = train(seen, np.arange(8), tiny_start(), PaperParams(epochs=1, batch=8), None)
assert reasoner.weights()["reasons/kernel"].any()
np.testing.assert_allclose(reasoner.clips(seen, np.arange(8)).sum(axis=1), 1.0, atol=1e-6)
print("trained on", keras.backend.backend())
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_the_same_code_trains_on_another_backend(backend: str) -> None:
    """Built, trained a step and asked, in a process of its own; without TensorFlow's help."""
    if find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed: pip install {backend} to run the recipe on it")
    ran = subprocess.run(
        [sys.executable, "-c", ONE_STEP.format(backend=backend)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": backend},
    )
    assert f"trained on {backend}" in ran.stdout, ran.stderr
