"""Augmentations: levels and ratios exact, shapes kept, the same generator gives the same result."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.augment import Wave, active_rms, band_limit, clip, fit, gain, mix, mix_up, shift, speed

N = 15_600


def _noise(seed: int = 0, samples: int = N) -> Wave:
    return (np.random.default_rng(seed).standard_normal(samples) * 0.1).astype(np.float32)


def _tone(hertz: float, samples: int = N) -> Wave:
    return np.sin(2 * np.pi * hertz * np.arange(samples) / 16_000).astype(np.float32)


def _rms(wave: Wave) -> float:
    return float(np.sqrt(np.mean(wave.astype(np.float64) ** 2)))


def test_gain_is_in_decibels_and_clips_nothing() -> None:
    """20 dB are a factor of 10; the cut is a step of its own."""
    np.testing.assert_allclose(gain(_tone(440), 20), 10 * _tone(440), rtol=1e-6)
    assert np.abs(clip(gain(_tone(440), 20))).max() == 1


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


def test_shift_moves_and_fills_with_zeros() -> None:
    """Later, earlier, not at all, and beyond the end."""
    wave = np.array([1, 2, 3], np.float32)
    assert shift(wave, 1).tolist() == [0, 1, 2]
    assert shift(wave, -1).tolist() == [2, 3, 0]
    assert shift(wave, 0).tolist() == [1, 2, 3]
    assert shift(wave, 3).tolist() == shift(wave, -9).tolist() == [0, 0, 0]


@pytest.mark.parametrize("factor", [0.9, 1.0, 1.1])
def test_speed_raises_the_pitch(factor: float) -> None:
    """A 1 kHz tone comes out at factor kHz and n / factor samples; out of range is a mistake."""
    faster = speed(_tone(1_000, 16_000), factor)
    assert len(faster) == pytest.approx(16_000 / factor, abs=1)
    spectrum = np.abs(np.fft.rfft(faster * np.hanning(len(faster))))
    assert spectrum.argmax() * 16_000 / len(faster) == pytest.approx(1_000 * factor, abs=2)
    with pytest.raises(ValueError, match="speed 3"):
        speed(faster, 3)


def test_the_band_ends_at_4_khz() -> None:
    """3 kHz passes within 0.1 dB, 5 kHz falls by more than 60 dB, and any length stays."""
    middle = slice(1_000, -1_000)
    assert 20 * np.log10(_rms(band_limit(_tone(3_000))[middle]) / _rms(_tone(3_000)[middle])) == pytest.approx(
        0, abs=0.1
    )
    assert 20 * np.log10(_rms(band_limit(_tone(5_000))[middle]) / _rms(_tone(5_000)[middle])) < -60
    assert [len(band_limit(_noise(0, n))) for n in (1, 2, 999, 15_600)] == [1, 2, 999, 15_600]


def test_mix_up_blends_rows_and_targets_alike() -> None:
    """Targets that equal the first sample of their rows still do; each row stays the heavier part; shapes stay."""
    waves = np.random.default_rng(1).standard_normal((64, 7, 5)).astype(np.float32)
    targets = waves[:, 0, :2]
    mixed, blended = mix_up(waves, targets, np.random.default_rng(2), 0.3)
    assert (mixed.shape, blended.shape) == (waves.shape, targets.shape)
    np.testing.assert_allclose(mixed[:, 0, :2], blended)
    own = np.linalg.norm(mixed - waves, axis=(1, 2))
    assert (own <= 0.5 * np.linalg.norm(waves[:, None] - waves[None], axis=(2, 3)).max(axis=1) + 1e-4).all()
    again, _ = mix_up(waves, targets, np.random.default_rng(2), 0.3)
    np.testing.assert_array_equal(mixed, again)


def test_everything_stays_float32() -> None:
    """No step widens the array: float64 would double the memory of every batch."""
    wave, noise = _noise(1), _noise(2)
    for result in (
        gain(wave, 3.0),
        clip(wave),
        mix(wave, noise, 3.0),
        shift(wave, 5),
        speed(wave, 1.05),
        band_limit(wave),
    ):
        assert result.dtype == np.float32
