"""The methods of the comparison: what each sees of a clip, that it learns, and that no test clip teaches it."""

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from numpy.typing import NDArray

from model.frontend import FrontendParams, log_mel
from model.vggish import Architecture, build_embedding, count_weights, named_weights
from monitord.types import RATE_HZ, REASONS
from tests.support.sound.sounds import noise, tone
from tests.support.training.reason_clips import reason_clips
from training.baselines import capsules
from training.baselines.bfcc_ann import BfccAnn
from training.baselines.capsules import CapsuleNetwork, Routing, margin_loss, squash
from training.baselines.majority import Majority
from training.baselines.method import Method, spread
from training.baselines.mfcc_gmm import MfccGmm
from training.baselines.rbm_cnn import RbmCnn
from training.baselines.sound import (
    BARK_BANDS,
    CEPSTRA,
    LONGEST,
    SHORTEST,
    bark,
    bark_matrix,
    bfcc,
    mfcc,
    normalised,
    pictures,
    waveforms,
    with_slopes,
)
from training.baselines.spectrogram_cnn import SpectrogramCnn
from training.baselines.vggish import Vggish
from training.baselines.waveform_cnn import WaveformCnn
from training.data.clips import ClipSet
from training.learn.initial_weights import InitialWeights
from training.learn.reason_head import balanced

EPOCHS = 30
"""Of one step each: 24 clips are less than a batch."""

CLIPS = reason_clips(32, babies=8)
TRAIN, TEST = np.arange(24), np.arange(24, 32)  # six babies, and two others

QUICK: dict[str, Callable[[ClipSet], Method]] = {"gmm": MfccGmm, "ann": BfccAnn, "rbm": lambda clips: RbmCnn(clips, 2)}


def test_mfcc_by_the_formula() -> None:
    """Coefficient k is the cosine series of the 64 log-mel bands, orthonormal: sqrt(2 / 64), for k = 0 sqrt(1 / 64)."""
    x = normalised(tone(440.0, 0.4) + noise(0.4))
    bands = log_mel(x[None])[0].astype(np.float64)  # [frames, 64]
    k, band = np.arange(CEPSTRA)[:, None], np.arange(64)[None]
    basis = np.cos(np.pi * k * (2 * band + 1) / (2 * 64)) * np.where(k == 0, np.sqrt(1 / 64), np.sqrt(2 / 64))
    np.testing.assert_allclose(mfcc(x), bands @ basis.T, atol=1e-4)
    assert mfcc(x).shape == (1 + (6400 - 400) // 160, 20)  # 0.4 s in whole frames of 25 ms every 10 ms


def test_bark_bands_stand_where_the_scale_says() -> None:
    """6 asinh(f / 600) by hand, and each triangle's peak in the middle between its neighbours on that scale."""
    assert bark(np.array([600.0]))[0] == pytest.approx(6 * np.log(1 + np.sqrt(2)))
    matrix = bark_matrix()
    assert matrix.shape == (257, BARK_BANDS)
    lowest, highest = 6 * np.arcsinh(125 / 600), 6 * np.arcsinh(7500 / 600)
    centres_hz = 600 * np.sinh(np.linspace(lowest, highest, BARK_BANDS + 2)[1:-1] / 6)
    bin_hz = RATE_HZ / 512
    np.testing.assert_allclose(matrix.argmax(axis=0) * bin_hz, centres_hz, atol=bin_hz / 2 + 1)


def test_bfcc_of_one_band_alone() -> None:
    """A spectrum that is the same in all bands has a 0th coefficient alone; a sine has not."""
    click = np.zeros(800)
    click[600] = 1.0  # in the third frame of three, off its middle: the same magnitude in every bin
    cepstra = bfcc(click)
    assert cepstra.shape == (3, 20)
    widths = np.log(bark_matrix().sum(axis=0) * (0.5 - 0.5 * np.cos(2 * np.pi * 280 / 400)) + 0.01)  # hann at 600 - 320
    assert cepstra[2, 0] == pytest.approx(widths.sum() / np.sqrt(BARK_BANDS), abs=1e-4)


def test_the_level_does_not_matter() -> None:
    """A phone that lay twice as far hears the same cepstra."""
    sound = noise(0.5, rms_dbfs=-20.0)
    near, far = (mfcc(normalised(clip)) for clip in (sound, sound // 2))
    np.testing.assert_allclose(near, far, atol=0.01)  # rounding to 16 bits
    assert np.abs(mfcc(normalised(tone(3000.0, 0.5)))[:, :3] - near[:, :3]).max() > 2.0


def test_slopes_stand_behind() -> None:
    """A coefficient that climbs by 3 a frame has slope 3."""
    cepstra = np.stack([3.0 * np.arange(5), np.ones(5)], axis=1).astype(np.float32)
    np.testing.assert_array_equal(with_slopes(cepstra)[:, 2:], [[3.0, 0.0]] * 5)


@pytest.mark.parametrize("samples", [1, 500, SHORTEST, 20_000, LONGEST, LONGEST + 5_000])
def test_clips_of_any_length(samples: int) -> None:
    """Everything that the methods see is there and finite: of a click, of the longest clip, of one cut too long."""
    clip = noise(samples / RATE_HZ, rms_dbfs=-20.0)
    assert len(clip) == samples
    assert mfcc(normalised(clip)).shape[0] >= 2
    x, picture = waveforms([clip]), pictures([clip])
    assert (x.shape, picture.shape) == ((1, 40_000), (1, 248, 64))  # 2.5 s, 1 + (40000 - 400) // 160
    assert np.isfinite(x).all()
    assert np.isfinite(picture).all()
    assert not x[0, max(samples, SHORTEST) :].any()


def test_balance_by_hand() -> None:
    """Three of one reason and one of another: weights 2/3 and 2, so that both weigh 2 in all; the mean is 1."""
    np.testing.assert_allclose(balanced(np.array([2, 2, 2, 0])), [2 / 3, 2 / 3, 2 / 3, 2.0])


def test_a_reason_that_was_not_trained_gets_no_share() -> None:
    """scikit-learn answers for the classes it saw; the others stand at 0."""
    np.testing.assert_array_equal(spread(np.array([[0.3, 0.7]]), np.array([1, 3])), [[0.0, 0.3, 0.0, 0.7]])


VECTORS = st.lists(st.floats(-1e4, 1e4, width=32), min_size=1, max_size=8)


@given(VECTORS)
@settings(max_examples=50)
def test_squash_keeps_the_direction_and_bounds_the_length(values: list[float]) -> None:
    """Length n becomes n^2 / (1 + n^2) at most, always under 1; a vector of nothing stays nothing."""
    vector = np.array(values, np.float64)
    out = np.asarray(ops.convert_to_numpy(squash(ops.convert_to_tensor(vector.astype(np.float32)))), np.float64)
    length, squashed = np.linalg.norm(vector), np.linalg.norm(out)
    assert squashed <= 1.0 + 1e-6
    assert squashed == pytest.approx(length**2 / (1 + length**2), abs=1e-3)
    assert out @ vector == pytest.approx(squashed * length, rel=1e-4, abs=1e-6)


def test_margin_loss_by_hand() -> None:
    """Told reason at .5: (.9 - .5)^2; another at .3: half of (.3 - .1)^2; at .05 and .1 none."""
    loss = margin_loss(ops.array([[1.0, 0.0, 0.0, 0.0]]), ops.array([[0.5, 0.3, 0.05, 0.1]]))
    assert ops.convert_to_numpy(loss).tolist() == pytest.approx([0.4**2 + 0.5 * 0.2**2])


def test_routing_without_a_preference() -> None:
    """Where every reason gets the same votes, each gets a quarter of all of them."""
    lower = np.random.default_rng(1).standard_normal((2, 5, 8)).astype(np.float32)
    layer = Routing()
    layer.build(lower.shape)
    one = np.random.default_rng(2).standard_normal((5, 8, 16)).astype(np.float32)
    layer.pairs.assign(np.tile(one, (1, 1, 4)))
    out = ops.convert_to_numpy(layer(lower))
    assert out.shape == (2, 4, 16)
    sums = np.einsum("nid,idw->nw", lower, one) / 4
    square = (sums**2).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(out[:, 2], sums * np.sqrt(square) / (1 + square), atol=1e-4)


def test_routing_follows_agreement() -> None:
    """Capsules that agree about one reason and not about another are routed to the first: its length grows."""
    layer = Routing()
    layer.build((1, 6, 8))
    rng = np.random.default_rng(3)
    pairs = rng.standard_normal((6, 8, 4, 16)).astype(np.float32)
    pairs[:, :, 1] = pairs[0, :, 1]  # all say the same about reason 1
    layer.pairs.assign(pairs.reshape(6, 8, 64))
    lower = np.tile(rng.standard_normal((1, 1, 8)).astype(np.float32), (1, 6, 1))
    lengths = np.linalg.norm(ops.convert_to_numpy(layer(lower)), axis=-1)[0]
    assert lengths.argmax() == 1


@pytest.mark.parametrize(
    "make",
    [
        MfccGmm,
        BfccAnn,
        *(lambda clips, net=net: net(clips, EPOCHS) for net in (RbmCnn, WaveformCnn, SpectrogramCnn)),
        lambda clips: CapsuleNetwork(clips, EPOCHS),
    ],
    ids=["gmm", "ann", "rbm", "waveform", "spectrogram", "capsules"],
)
def test_each_learns_what_can_be_heard(make: Callable[[ClipSet], Method]) -> None:
    """Four reasons of four pitches, told of babies that it never heard."""
    method = make(CLIPS)
    answer = method.fit_predict(TRAIN, TEST, 0)
    assert answer.probabilities.shape == (8, 4)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert (answer.probabilities.argmax(axis=1) == CLIPS.labels[TEST]).mean() >= 0.75
    assert answer.weights > 1000


@pytest.mark.parametrize("kind", QUICK)
def test_no_method_sees_what_it_is_tested_on(kind: str) -> None:
    """Other labels of the test clips, and another sound of one of them, move no other answer; the seed fixes all."""
    before = QUICK[kind](CLIPS).fit_predict(TRAIN, TEST, 0).probabilities
    lies = [replace(clip, label="hunger") if row in TEST else clip for row, clip in enumerate(CLIPS.clips)]
    sounds = [sound[::-1].copy() if row == TEST[-1] else sound for row, sound in enumerate(CLIPS.sounds)]
    after = QUICK[kind](replace(CLIPS, clips=lies, sounds=sounds)).fit_predict(TRAIN, TEST, 0).probabilities
    np.testing.assert_allclose(before[:-1], after[:-1], atol=1e-6)


@pytest.mark.parametrize("kind", QUICK)
def test_a_reason_missing_in_training_breaks_nothing(kind: str) -> None:
    """Where one family holds all clips of a reason, its fold trains without it."""
    rows = TRAIN[CLIPS.labels[TRAIN] != 2]
    answer = QUICK[kind](CLIPS).fit_predict(rows, TEST, 0)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1.0, atol=1e-6)


def test_majority_by_hand() -> None:
    """Says the training's most frequent reason, whatever the test holds."""
    rows = np.flatnonzero(CLIPS.labels[:12] != 0)
    rows = np.append(rows, np.flatnonzero(CLIPS.labels == 3)[-1])  # 3 of boredom, 3 of tiredness, 4 of discomfort
    answer = Majority(CLIPS).fit_predict(rows, np.arange(5), 0)
    np.testing.assert_array_equal(answer.probabilities, [[0.0, 0.0, 0.0, 1.0]] * 5)
    assert answer.weights == 0


def test_vggish_by_the_papers_recipe_is_one_of_them() -> None:
    """A narrow sister of the network, from any start: it answers, and all its weights are counted."""
    architecture = Architecture(width=1 / 16, dense=(16, 16), embedding=8)
    keras.utils.set_random_seed(1)
    weights = {name: np.array(v.numpy()) for name, v in named_weights(build_embedding(architecture)).items()}
    start = InitialWeights("narrow", architecture, FrontendParams(), weights, None, "abc")
    method = Vggish(CLIPS, start, epochs=1)
    answer = method.fit_predict(TRAIN, TEST, 0)
    assert answer.probabilities.shape == (8, 4)
    np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1.0, atol=1e-6)
    assert answer.weights == count_weights(architecture) + 8 * 4 + 4
    assert "abc" in method.settings
    assert method.classifier == "narrow, fine-tuned"


def test_frames_of_the_capsules_fit_the_picture() -> None:
    """The network's fixed number of frames is that of a 2.5 s picture."""
    found: NDArray[np.float32] = pictures([tone(400.0, 0.2)])
    assert found.shape[1] == capsules.FRAMES
    assert capsules.build().output_shape == (None, len(REASONS))
