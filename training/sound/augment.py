"""What a microphone in another room would have heard: pure changes to a waveform, each exact, none slow.

Waves are float32 [n] at 16 kHz, full scale 1. Chance comes only from the generator that is handed in.
"""

from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

from monitord.types import RATE_HZ

Wave = NDArray[np.float32]
"""float32 [samples] at 16 kHz, mono, full scale 1."""

ACTIVE_FRAME_SAMPLES: Final = 320
"""Frames in which a level is measured (samples at 16 kHz): 20 ms."""
ACTIVE_RANGE_DB: Final = 20.0
"""A frame counts as active up to this far under the loudest one (decibels): a cry's breaths do not, its fading does."""
LOWEST_SPEED, HIGHEST_SPEED = 0.5, 2.0
"""Beyond an octave a cry is no cry any more; training stays within 0.9 to 1.1."""


def clip(wave: Wave) -> Wave:
    """Returns the wave as a converter would hand it over: cut at full scale."""
    return np.clip(wave, np.float32(-1), np.float32(1))


def active_rms(wave: Wave) -> float:
    """Root mean square over the frames within 20 dB of the loudest; 0 for silence. At least one sample."""
    n_frames = max(1, len(wave) // ACTIVE_FRAME_SAMPLES)
    whole = wave[: n_frames * ACTIVE_FRAME_SAMPLES].astype(np.float64)
    powers = np.mean(
        whole.reshape(n_frames, -1) ** 2, axis=1
    )  # [frames]; what is left over at the end is not looked at
    return float(np.sqrt(powers[powers >= powers.max() * 10 ** (-ACTIVE_RANGE_DB / 10)].mean()))


def mix(wave: Wave, noise: Wave, snr_db: float) -> Wave:
    """Adds noise so that the active level of the wave stands `snr_db` decibels over the active level of the noise.

    Args:
        wave: float32 [n].
        noise: float32 [n], see `fit`.
        snr_db: Decibels; may be negative.

    Returns:
        float32 [n]; the wave itself where wave or noise is silent, because there is no ratio then.
    """
    loud, soft = active_rms(wave), active_rms(noise)
    if loud == 0 or soft == 0:
        return wave
    return wave + noise * np.float32(loud / soft * 10 ** (-snr_db / 20))


def fit(noise: Wave, samples: int, rng: np.random.Generator) -> Wave:
    """Returns float32 [samples] of the noise from a random place; shorter noise goes round and round."""
    start = int(rng.integers(len(noise)))
    if start + samples <= len(noise):
        return noise[start : start + samples]
    if samples <= len(noise):
        # Long enough, but this start is too late: a seam inside would click.
        return noise[start % (len(noise) - samples + 1) :][:samples]
    return np.resize(np.roll(noise, -start), samples)


def speed(wave: Wave, factor: float) -> Wave:
    """Plays the wave faster by a factor in 0.5 .. 2: pitch rises with it. Returns about n / factor samples."""
    if not LOWEST_SPEED <= factor <= HIGHEST_SPEED:
        raise ValueError(f"speed {factor}, expected {LOWEST_SPEED} to {HIGHEST_SPEED}")
    return np.asarray(soxr.resample(wave, RATE_HZ * factor, RATE_HZ, quality="MQ"), np.float32)
