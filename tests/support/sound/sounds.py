"""Sounds from formulas, int16 at 16 kHz: what the tests feed. Lengths in seconds, levels in dBFS."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.pcm import FULL_SCALE
from monitord.synthetic.synthetic_cry import cry
from monitord.types import RATE_HZ, Pcm


def silence(duration_s: float, rate_hz: int = RATE_HZ) -> Pcm:
    """Digital silence: exact zeros, as no living microphone gives."""
    return np.zeros(round(duration_s * rate_hz), np.int16)


def tone(at_hz: float, duration_s: float, *, peak_dbfs: float = -6.0, rate_hz: int = RATE_HZ) -> Pcm:
    """A sine."""
    t_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return pcm(np.sin(2 * np.pi * at_hz * t_s), peak_dbfs)


def chirp(from_hz: float, to_hz: float, duration_s: float, *, peak_dbfs: float = -6.0, rate_hz: int = RATE_HZ) -> Pcm:
    """A sine that climbs evenly: every part of it is different, so a shift or a hole shows."""
    t_s = np.arange(round(duration_s * rate_hz)) / rate_hz
    return pcm(np.sin(2 * np.pi * (from_hz + (to_hz - from_hz) * t_s / (2 * duration_s)) * t_s), peak_dbfs)


def noise(duration_s: float, *, rms_dbfs: float = -50.0, seed: int = 1, rate_hz: int = RATE_HZ) -> Pcm:
    """White noise; at -50 dBFS a quiet room through a cheap microphone."""
    white = np.random.default_rng(seed).standard_normal(round(duration_s * rate_hz))
    return np.rint(np.clip(white * 10 ** (rms_dbfs / 20) * FULL_SCALE, -FULL_SCALE, FULL_SCALE - 1)).astype(np.int16)


def synthetic_cry(*, peak_dbfs: float = -6.0, seed: int = 1) -> Pcm:
    """A bout of crying, some 14 s, that AudioSet networks take for a baby's."""
    return pcm(cry(seed=seed), peak_dbfs)


def cry_in_room(before_s: float = 3.0, after_s: float = 3.0, *, rms_dbfs: float = -55.0, seed: int = 1) -> Pcm:
    """Quiet, a bout of crying, quiet; the room's noise runs through."""
    sound = np.concatenate([silence(before_s), synthetic_cry(seed=seed), silence(after_s)])
    return sound + noise(len(sound) / RATE_HZ, rms_dbfs=rms_dbfs, seed=seed)


def pcm(signal: NDArray[np.float64], peak_dbfs: float) -> Pcm:
    """Turns a signal with its peak at 1 into samples with their peak at `peak_dbfs`."""
    return np.rint(signal * 10 ** (peak_dbfs / 20) * (FULL_SCALE - 1)).astype(np.int16)


def write_wav(path: Path, samples: Pcm, rate_hz: int = RATE_HZ) -> Path:
    """Writes int16 [n] or [n, channels] as a WAV file and returns its path."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.tobytes())
    return path
