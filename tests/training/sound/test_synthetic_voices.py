"""Made-up voices: any of them is sound at full scale, each another, the same for the same chance."""

import numpy as np
import pytest

from monitord.listening.windows import WINDOW_SAMPLES
from training.sound.augment import active_rms
from training.sound.synthetic_voices import voice


@pytest.mark.parametrize("seed", range(12))
def test_a_voice_is_a_wave_at_full_scale(seed: int) -> None:
    """float32, as long as asked, peak at 1, no number missing, and the same again from the same generator."""
    made = voice(WINDOW_SAMPLES, np.random.default_rng(seed))
    assert (made.dtype, made.shape) == (np.dtype(np.float32), (WINDOW_SAMPLES,))
    assert np.isfinite(made).all()
    assert np.abs(made).max() in (0.0, pytest.approx(1.0))
    np.testing.assert_array_equal(made, voice(WINDOW_SAMPLES, np.random.default_rng(seed)))


def test_no_two_voices_are_alike() -> None:
    """Nearly all of them sound within a window, and their pitch differs by more than two octaves."""
    made = [voice(WINDOW_SAMPLES, np.random.default_rng(seed)) for seed in range(40)]
    assert sum(active_rms(wave) > 0.01 for wave in made) > 35
    spectra = [np.abs(np.fft.rfft(wave * np.hanning(WINDOW_SAMPLES))) for wave in made]
    loudest_hz = [float(spectrum.argmax()) * 16_000 / WINDOW_SAMPLES for spectrum in spectra]
    low, high = np.percentile(loudest_hz, [10, 90])
    assert high > 4 * low
