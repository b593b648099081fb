"""Voices that nobody has: bursts of harmonic sound with any pitch, melody, rhythm, vocal tract and roughness.

There are few cats, laughs and sirens among the recordings, and the student would learn these few. The teachers have
heard thousands; what they say of made-up voices between all of these tells the student where they draw the line.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from monitord.types import RATE_HZ
from training.sound.augment import Wave

PITCH_HZ: Final = (110.0, 1_600.0)
"""From a man's speech to a bird's call."""
BURST_S: Final = (0.06, 1.6)
"""From one syllable of laughter to a long wail."""
GAP_S: Final = (0.03, 0.5)
FORMANTS_HZ: Final = (650.0, 1_500.0, 2_700.0, 4_000.0)
"""A grown-up's; shorter tracts scale them up."""
TRACT: Final = (0.8, 1.9)
"""Scale of the formants: a man's to a kitten's."""
TILT_DB: Final = (-14.0, -2.0)
"""Fall of the harmonics per octave."""


def voice(samples: int, rng: np.random.Generator) -> Wave:
    """Returns float32 [samples] at 16 kHz: one random voice, which starts and stops."""
    pitch_hz = float(np.exp(rng.uniform(*np.log(PITCH_HZ))))
    burst_s = float(np.exp(rng.uniform(*np.log(BURST_S))))
    tract, tilt_db = float(rng.uniform(*TRACT)), float(rng.uniform(*TILT_DB))
    rough, breath = float(rng.uniform(0, 0.8) ** 2), float(rng.uniform(0, 0.7) ** 2)
    melody = rng.normal(0.0, 0.18, 4)
    out = np.zeros(samples, np.float32)
    at = -int(rng.uniform(0, burst_s) * RATE_HZ)
    while at < samples:
        n = max(320, int(burst_s * float(np.exp(rng.normal(0.0, 0.25))) * RATE_HZ))
        curve = melody + rng.normal(0.0, 0.05, 4)
        burst = _burst(n, pitch_hz * float(np.exp(rng.normal(0.0, 0.06))), curve, tilt_db, rough, breath, rng)
        burst = _tract(burst, tract * float(np.exp(rng.normal(0.0, 0.03))))
        begin, end = max(0, at), min(samples, at + n)
        if end > begin:
            out[begin:end] += (burst[begin - at : end - at] * float(np.exp(rng.normal(0.0, 0.3)))).astype(np.float32)
        at += n + int(np.exp(rng.uniform(*np.log(GAP_S))) * RATE_HZ)
    peak = float(np.abs(out).max())
    return out / np.float32(peak) if peak > 0 else out


def _burst(  # noqa: PLR0917 - a voice is all of these
    n: int,
    pitch_hz: float,
    melody: NDArray[np.float64],
    tilt_db: float,
    rough: float,
    breath: float,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    t_s = np.arange(n) / RATE_HZ
    bend = np.interp(np.linspace(0, 1, n), np.linspace(0, 1, len(melody)), melody)
    vibrato = rng.uniform(0, 0.04) * np.sin(2 * np.pi * rng.uniform(3, 9) * t_s)
    at_hz = np.clip(pitch_hz * np.exp(bend + vibrato), 60.0, 3_500.0)
    phase = 2 * np.pi * np.cumsum(at_hz) / RATE_HZ
    highest = max(1, min(24, int(7_500.0 / float(at_hz.max()))))
    out = np.zeros(n)
    for harmonic in range(1, highest + 1):
        out += 10 ** (tilt_db * np.log2(harmonic) / 20) * np.sin(harmonic * phase + harmonic**2)
    out *= 1 + rough * np.sin(phase / 2 + rng.uniform(0, 6))
    out = out / max(float(out.std()), 1e-9) + breath * rng.standard_normal(n)
    rise = rng.uniform(0.03, 0.4)
    return np.asarray(out * np.interp(np.linspace(0, 1, n), [0, rise, rng.uniform(rise, 0.95), 1], [0, 1, 0.8, 0]))


def _tract(x: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Adds four resonances to the voice."""
    out = 0.3 * x
    for centre_hz in FORMANTS_HZ:
        at_hz = min(7_600.0, centre_hz * scale)
        radius = np.exp(-np.pi * (80.0 + 0.06 * at_hz) / RATE_HZ)
        feedback = [1.0, -2 * radius * np.cos(2 * np.pi * at_hz / RATE_HZ), radius**2]
        out = out + (1 - radius) * np.asarray(lfilter([1.0], feedback, x))
    return out
