"""What of a patch says how hard it cries: worked out by hand, and untouched by level and place."""

import numpy as np
import pytest
from scipy.fft import dct

from model.distress.features import N_CEPSTRA, N_FEATURES, N_RATES, features
from model.distress.head import DistressHead, p_distress
from model.frontend import FrontendParams, patches
from tests.support.sound.sounds import synthetic_cry

STEADY = np.tile(np.linspace(-1, 2, 64, dtype=np.float32), (96, 1))
"""A spectrum that stands still."""


def test_a_steady_sound_has_a_colour_and_no_movement() -> None:
    """The mean of each band, and nothing else."""
    (found,) = features(STEADY[None])
    np.testing.assert_allclose(found[:64], STEADY[0], atol=1e-5)
    np.testing.assert_allclose(found[64:], 0.0, atol=1e-3)
    assert found.shape == (N_FEATURES,)


@pytest.mark.parametrize("rate", [1, 4, 10])
@pytest.mark.parametrize("order", [0, 7, 19])
def test_a_movement_is_found_at_its_rate_and_shape(rate: int, order: int) -> None:
    """One shape of the spectrum that comes and goes so many times is the largest number of its kind."""
    shape = dct(np.eye(64), axis=1, norm="ortho")[:, order]
    moving = STEADY + np.sin(2 * np.pi * rate * np.arange(96) / 96)[:, None] * shape
    rates = features(moving[None].astype(np.float32))[0, 128:].reshape(N_RATES, N_CEPSTRA)
    assert np.unravel_index(rates.argmax(), rates.shape) == (rate - 1, order)


def test_the_level_of_a_cry_is_nothing_to_them() -> None:
    """From -40 to -15 dBFS the same cry in the same room has the same features, but for the steps of 16 bits."""
    room = np.random.default_rng(0).normal(size=15_600)
    cry = synthetic_cry(seed=1)[:15_600].astype(np.float64)
    cry = 32_768 * (cry / cry.std() + 0.05 * room)
    quiet, loud = (np.rint(cry * 10 ** (dbfs / 20)).astype(np.int16) for dbfs in (-40.0, -15.0))
    found = features(patches([quiet, loud], FrontendParams()))
    assert np.linalg.norm(found[0] - found[1]) < 0.01 * np.linalg.norm(found[1])


def test_a_head_is_linear_and_gives_a_probability() -> None:
    """The colour of one band alone, with a bias."""
    head = DistressHead((0.0,) * 63 + (0.5,) + (0.0,) * (N_FEATURES - 64), -0.25)
    assert p_distress(head, STEADY[None])[0] == pytest.approx(1 / (1 + np.exp(-(0.5 * 2 - 0.25))))


def test_a_head_of_another_length_is_refused() -> None:
    """It was fitted to other features."""
    with pytest.raises(ValueError, match=f"kernel has 3 numbers, expected {N_FEATURES}"):
        DistressHead((0.0,) * 3, 0.0)
