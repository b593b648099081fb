"""Augmentations: levels and ratios exact, shapes kept, the same generator gives the same result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.sound.augment import Wave, active_rms, clip, fit, mix, speed

N = 15_600


def _noise(seed: int = 0, samples: int = N) -> Wave:
    return (np.random.default_rng(seed).standard_normal(samples) * 0.1).astype(np.float32)


def _tone(hertz: float, samples: int = N) -> Wave:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / 16_000).astype(np.float32)


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(wave.astype(np.float64) ** 2)))


def test_the_active_level_leaves_out_the_pauses() -> None:
    """A tone in the first quarter counts with its own level, 1 / sqrt(2), however long the pause after it."""
    burst = np.concatenate([_tone(500, 4_000), np.zeros(12_000, np.float32)])  # 4,000 samples: 125 periods
    assert active_rms(burst[:3_840]) == pytest.approx(2**-0.5, rel=1e-3)
    assert active_rms(burst[:4_000]) == pytest.approx(active_rms(burst), rel=0.03)  # the last frame is half full
    assert _rms(burst) == pytest.approx(2**-0.5 / 2, rel=1e-3)
    assert active_rms(np.zeros(N, np.float32)) == 0
    assert active_rms(np.full(5, 0.5, np.float32)) == pytest.approx(0.5)


@settings(deadline=None)  # the first call loads libraries
@given(snr_db=st.floats(-10, 20), seed=st.integers(0, 99))
def test_noise_is_mixed_at_the_asked_ratio(snr_db: float, seed: int) -> None:
    """What was added stands exactly so many decibels under the active level of the wave."""
    burst = np.concatenate([_tone(500, 4_000), np.zeros(11_600, np.float32)])
    added = mix(burst, _noise(seed), snr_db) - burst
    assert 20 * np.log10(active_rms(burst) / active_rms(added)) == pytest.approx(snr_db, abs=0.01)


def test_silence_has_no_ratio() -> None:
    """Silent noise or a silent wave leaves the wave as it is."""
    silence = np.zeros(N, np.float32)
    np.testing.assert_array_equal(mix(_tone(440), silence, 0), _tone(440))
    np.testing.assert_array_equal(mix(silence, _noise(), 0), silence)


@pytest.mark.parametrize("length", [100, N - 1, N, N + 1, 5 * N])
def test_noise_of_any_length_fits(length: int) -> None:
    """Right length, no seam where the noise is long enough, and the same place for the same seed."""
    ramp = np.arange(length, dtype=np.float32)
    places = {fit(ramp, N, np.random.default_rng(seed))[0] for seed in range(20)}
    assert len(places) > 1 or length == N
    for seed in range(20):
        taken = fit(ramp, N, np.random.default_rng(seed))
        assert taken.shape == (N,)
        assert set(np.unique(np.diff(taken))) <= ({1.0} if length >= N else {1.0, 1.0 - length})
        np.testing.assert_array_equal(taken, fit(ramp, N, np.random.default_rng(seed)))


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_speed_raises_the_pitch(factor: float) -> None:
    """A 1 kHz tone comes out at factor kHz and n / factor samples; out of range is a mistake."""
    faster = speed(_tone(1_000, 16_000), factor)
    assert len(faster) == pytest.approx(16_000 / factor, abs=1)
    spectrum = np.abs(np.fft.rfft(faster * np.hanning(len(faster))))
    assert spectrum.argmax() * 16_000 / len(faster) == pytest.approx(1_000 * factor, abs=2)
    with pytest.raises(ValueError, match="speed 3"):
        speed(faster, 3)


def test_everything_stays_float32() -> None:
    """No step widens the array: float64 would double the memory of every batch."""
    wave, noise = _noise(1), _noise(2)
    for result in (
        clip(wave),
        mix(wave, noise, 3.0),
        speed(wave, 1.05),
    ):
        assert result.dtype == np.float32
