"""Samples as the house knows them: mono, 16 kHz, the same in any chunk sizes, and none too many or too few."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.pcm import Resampler, position_16k, to_mono
from monitord.types import Pcm
from tests.support.sound.chunks import RATES_HZ, SIZES, cut_up
from tests.support.sound.sounds import chirp, noise, tone


def resampled(samples: Pcm, rate_hz: int, sizes: list[int], start: int = 0) -> Pcm:
    """Feeds a new resampler chunk by chunk; what is inside and what came out is all that went in, at any time."""
    resampler = Resampler(rate_hz, start)
    parts: list[Pcm] = []
    fed = 0
    for part in cut_up(samples, sizes):
        parts.append(resampler.feed(part))
        fed += len(part)
        went_in = position_16k(start + fed, rate_hz) - position_16k(start, rate_hz)
        assert sum(map(len, parts)) + resampler.held == went_in
        assert resampler.held >= 0
    parts.append(resampler.flush())
    assert resampler.held == 0
    return np.concatenate(parts)


def test_mono_is_the_mean_of_the_channels() -> None:
    """Channels are averaged, never summed, so loud stereo cannot wrap around; mono passes untouched."""
    stereo = np.array([[100, 300], [-32_768, -32_768], [32_767, 32_767], [7, -7]], np.int16)
    assert to_mono(stereo).tolist() == [200, -32_768, 32_767, 0]
    assert to_mono(stereo).dtype == np.int16
    mono = tone(440, 0.1)
    assert to_mono(mono) is mono


@given(st.sampled_from(RATES_HZ), st.integers(0, 10**9), st.integers(0, 10**6), st.integers(0, 10**6))
def test_positions_add_up(rate_hz: int, start: int, first: int, second: int) -> None:
    """Lengths of neighbouring chunks at 16 kHz sum to the length of both, however they are cut."""
    a, b, c = (position_16k(index, rate_hz) for index in (start, start + first, start + first + second))
    assert a <= b <= c
    assert abs((c - a) - (first + second) * 16_000 / rate_hz) < 1


@given(st.sampled_from(RATES_HZ), SIZES, st.integers(0, 10**9), st.integers(0, 40_000))
@settings(max_examples=60)
def test_chunk_sizes_do_not_matter(rate_hz: int, sizes: list[int], start: int, n: int) -> None:
    """Any chunk sizes give the same samples, as many as the axis advanced, from any place on it."""
    sound = noise(1.0, rms_dbfs=-12, rate_hz=40_000)[:n]
    out = resampled(sound, rate_hz, sizes, start)
    assert len(out) == position_16k(start + n, rate_hz) - position_16k(start, rate_hz)
    at_once = resampled(sound, rate_hz, [10**6], start)
    assert np.array_equal(out, at_once)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_sound_stays_where_and_what_it_was(rate_hz: int) -> None:
    """A chirp made at any rate comes out as the chirp made at 16 kHz: same pitch, level and time."""
    expected = chirp(200, 3_000, 1.0)
    out = resampled(chirp(200, 3_000, 1.0, rate_hz=rate_hz), rate_hz, [480])
    middle = slice(800, -800)  # at its ends a filter sees an edge
    error = out[middle].astype(float) - expected[middle]
    assert np.sqrt(np.mean(error**2)) < 3  # of 16,400: -75 dB


def test_what_16_khz_cannot_hold_is_gone() -> None:
    """A tone at 12 kHz would fold down to 4 kHz, into a cry: the filter takes it out."""
    out = resampled(tone(12_000, 1.0, rate_hz=48_000), 48_000, [480])
    assert np.abs(out[800:-800]).max() <= 2


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_full_scale_does_not_wrap_around(rate_hz: int) -> None:
    """A clipped tone overshoots in any filter: it is cut at full scale and never changes its sign."""
    t_s = np.arange(rate_hz) / rate_hz
    square = np.where(np.sin(2 * np.pi * 100 * t_s + 0.1) > 0, 32_767, -32_768).astype(np.int16)
    out = resampled(square, rate_hz, [480])
    phase = (100 * np.arange(len(out)) / 16_000 + 0.1 / (2 * np.pi)) % 1.0
    inside = np.minimum(np.minimum(phase, 1 - phase), np.abs(phase - 0.5)) > 0.1  # a tenth of a period off the edges
    inside[:800] = inside[-800:] = False
    assert np.array_equal(out[inside] > 0, phase[inside] < 0.5)
    assert np.abs(out[inside].astype(int)).min() > 25_000


def test_16_khz_passes_untouched() -> None:
    """A stream that is at 16 kHz already is not filtered, copied or delayed."""
    resampler = Resampler(16_000)
    sound = noise(0.1)
    assert resampler.feed(sound) is sound
    assert resampler.held == len(resampler.flush()) == 0
