"""Codec round trips: real encoders, same length, in step with the input."""

import numpy as np
import pytest
from scipy.signal import chirp, correlate

from monitord.types import Pcm
from training.sound.codecs import CODECS, Codec, round_trip


def _sweeps(samples: int) -> Pcm:
    """Repeated sweeps from 400 to 1,500 Hz, as a cry's pitch moves: every codec passes them, and they show a delay."""
    t = np.arange(samples) / 16_000
    return (chirp(t % 0.3, 400, 0.3, 1_500) * 8_000 * np.hanning(samples)).astype(np.int16)


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
def test_a_round_trip_keeps_length_and_step(codec: Codec) -> None:
    """At most 3 samples (0.2 ms) late or early, changed but recognisable, and the same twice."""
    sound = _sweeps(31_999)
    heard = round_trip(sound, codec)
    assert (heard.shape, heard.dtype.name) == (sound.shape, "int16")
    a, b = heard.astype(np.float64), sound.astype(np.float64)
    agreement = correlate(a, b, method="fft") / (np.linalg.norm(a) * np.linalg.norm(b))
    assert abs(int(agreement.argmax()) - (len(sound) - 1)) <= 3
    assert 0.15 < agreement.max() < 1  # Opus at 6 kbit/s models a voice: .25 on sweeps, .83 on speech
    np.testing.assert_array_equal(heard, round_trip(sound, codec))


@pytest.mark.parametrize("codec", CODECS, ids=lambda codec: codec.name)
@pytest.mark.parametrize("samples", [0, 1, 2_880])
def test_short_sound_survives(codec: Codec, samples: int) -> None:
    """No codec's block length shortens or refuses a short sound."""
    assert round_trip(_sweeps(samples), codec).shape == (samples,)
