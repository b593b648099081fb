"""A baby's cry from formulas: for the demo and the tests, with no recording in it.

It follows what acoustics says of infants. A voice at 350 to 550 Hz, rich in harmonics, rises and falls in each burst
of 0.6 to 1.4 s; a vocal tract half as long as a woman's puts the formants where hers are, times 1.5; between the bursts
the baby breathes in, audibly; where the cry is strained the voice trembles at half its pitch, which is heard as rough.
The free numbers were tuned until two AudioSet networks, YAMNet and EfficientAT mn04, called it a baby's cry.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2, lfilter

from monitord.types import RATE_HZ

Signal = NDArray[np.float64]
"""float64 [samples] at 16 kHz; 1 is full scale."""

_FORMANTS: Final = ((910.0, 130.0), (2_730.0, 250.0), (6_000.0, 640.0), (6_930.0, 200.0))
"""Resonances of the vocal tract: centre and bandwidth (hertz)."""
_TILT: Final = 0.33
"""Exponent over frequency, 2 dB an octave: it makes the resonances' low-pass skirts the bright voice of a cry."""
_TOP_HZ: Final = 7_800.0
"""No harmonic above it: a little under half the sample rate."""
_VIBRATO: Final = (0.0063, 4.6)
"""Depth (share of the pitch) and speed (hertz)."""
_JITTER: Final = (0.0063, 13.0)
"""Random drift of the pitch: depth (share of it) and corner of its spectrum (hertz)."""
_SHIMMER: Final = (0.073, 15.0)
"""Random drift of the loudness: the same two."""
_TREMBLE: Final = 0.6
"""Depth of the modulation at half the pitch where a burst is as rough as can be (share of the amplitude)."""
_AIR: Final = 0.019
"""Noise in the voice of a clean burst (share of its level)."""
_INSPIRATION: Final = (0.6, 0.20, 0.04)
"""Level (share of the burst's), length, and pause before the next burst (seconds)."""
_ROOM: Final = (0.0104, 0.30)
"""Reverberation of a small furnished room: level of its first reflections, time to fall by 60 dB (seconds)."""


@dataclass(frozen=True, slots=True)
class Burst:
    """One breath out: one cry sound."""

    duration_s: float
    pitch_hz: float
    """Fundamental frequency at the top of the melody."""
    rough: float
    """0 clean, 1 harsh."""
    level: float
    """Share of the loudest burst's."""
    gap_s: float
    """From its end to the next burst; a breath in is the last of it."""


BOUT: Final = (
    Burst(0.68, 472, 0.06, 0.50, 0.60),
    Burst(0.90, 515, 0.11, 0.70, 0.58),
    Burst(1.03, 526, 0.29, 0.90, 0.66),
    Burst(0.81, 548, 0.17, 0.85, 0.60),
    Burst(1.17, 515, 0.40, 1.00, 0.60),
    Burst(0.95, 500, 0.17, 0.90, 0.56),
    Burst(1.08, 538, 0.34, 1.00, 0.60),
    Burst(0.77, 483, 0.11, 0.80, 0.58),
    Burst(0.99, 505, 0.23, 0.90, 0.58),
    Burst(0.63, 450, 0.06, 0.60, 0.00),
)
"""Fourteen seconds: it works itself up and calms down. The gaps let a segmenter tell the cry sounds apart."""


def cry(bursts: tuple[Burst, ...] = BOUT, seed: int = 1) -> Signal:
    """Returns the bursts and the breaths between them in a small room, its peak at 1. The same seed, the same cry."""
    rng = np.random.default_rng(seed)
    parts = []
    for burst in bursts:
        parts.append(burst.level * _voice(burst, rng))
        if burst.gap_s:
            parts.append(burst.level * _breath_in(burst.gap_s, rng))
    return _unit_peak(_in_room(np.concatenate(parts), rng))


def drift(n: int, corner_hz: float, rng: np.random.Generator) -> Signal:
    """Returns n samples of noise with deviation 1 that hardly moves faster than `corner_hz`."""
    keep = np.exp(-2 * np.pi * corner_hz / RATE_HZ)
    warm = round(3 * RATE_HZ / corner_hz)  # so that it does not start at rest
    moving: Signal = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(warm + n))[warm:]
    return moving


def _voice(burst: Burst, rng: np.random.Generator) -> Signal:
    n = round(burst.duration_s * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    share = np.arange(n) / n  # of the burst, 0 to 1
    pitch_hz = burst.pitch_hz * _melody(share, n)
    pitch_hz *= 1 + _VIBRATO[0] * np.sin(2 * np.pi * (_VIBRATO[1] * t_s + rng.random()))
    pitch_hz *= 1 + _JITTER[0] * drift(n, _JITTER[1], rng)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = np.zeros(n)
    for harmonic in range(1, int(_TOP_HZ / float(np.min(pitch_hz))) + 1):
        at_hz = harmonic * pitch_hz
        strength = np.where(at_hz < _TOP_HZ, _tract(at_hz), 0.0)
        voice += strength * np.sin(harmonic * phase + 0.7 * harmonic**2)  # spread phases: no click at each period
    strained = burst.rough * np.exp(-0.5 * ((share - 0.55) / 0.25) ** 2)  # most in the middle
    voice *= 1 + _TREMBLE * strained * np.sin(phase / 2) + _SHIMMER[0] * drift(n, _SHIMMER[1], rng)
    voice /= voice.std()
    voice += _AIR * (1 + 8 * strained) * _air(n, rng)
    end_s = burst.duration_s
    return voice * np.interp(t_s, [0, 0.07, 0.6 * end_s, end_s - 0.12, end_s], [0, 0.9, 1.0, 0.6, 0])


def _melody(share: Signal, n: int) -> Signal:
    """Rise, dome, fall (share of the top pitch), without corners."""
    points = np.interp(share, [0, 0.035, 0.27, 0.8, 1], [0.67, 0.89, 1.0, 0.93, 0.63])
    half = min(round(0.05 * RATE_HZ), n // 4)
    bell = np.hanning(2 * half + 1)
    return np.convolve(np.pad(points, half, mode="edge"), bell / bell.sum(), mode="valid")


def _tract(at_hz: Signal) -> Signal:
    """Gain of the vocal tract: a chain of second-order resonances."""
    gain = (at_hz / 500) ** _TILT
    for centre_hz, bandwidth_hz in _FORMANTS:
        gain = gain * centre_hz**2 / np.hypot(centre_hz**2 - at_hz**2, bandwidth_hz * at_hz)
    return gain


def _air(n: int, rng: np.random.Generator) -> Signal:
    """Noise through the vocal tract, deviation 1."""
    grid_hz = np.linspace(0, RATE_HZ / 2, 257)
    gain = _tract(np.maximum(grid_hz, 300)) * np.clip(grid_hz / 800, 0, 1)
    air = fftconvolve(rng.standard_normal(n), firwin2(255, grid_hz, gain, fs=RATE_HZ), mode="same")
    return np.asarray(air / air.std())


def _breath_in(gap_s: float, rng: np.random.Generator) -> Signal:
    level, length_s, pause_s = _INSPIRATION
    n, after = round(length_s * RATE_HZ), round(pause_s * RATE_HZ)
    breath = level * _air(n, rng) * np.sin(np.pi * np.arange(n) / n) ** 1.5
    return np.pad(breath, (round(gap_s * RATE_HZ) - n - after, after))


def _in_room(dry: Signal, rng: np.random.Generator) -> Signal:
    level, fall_s = _ROOM
    n = round(fall_s * RATE_HZ)
    response = level * rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    response[0] = 1
    return np.asarray(fftconvolve(dry, response))


def _unit_peak(signal: Signal) -> Signal:
    return np.asarray(signal / np.abs(signal).max())
