"""A baby's cry from formulas: for the demo, the tests and the training's virtual babies, with no recording in it.

It follows what acoustics says of infants. A voice at 350 to 550 Hz, rich in harmonics, rises and falls in each burst
of 0.6 to 1.4 s; a vocal tract half as long as a woman's puts the formants where hers are, times 1.5; between the bursts
the baby breathes in, audibly; where the cry is strained the voice trembles at half its pitch, which is heard as rough.
The free numbers were tuned until two AudioSet networks, YAMNet and EfficientAT mn04, called it a baby's cry. Other
voices, melodies and rooms can be asked for; the numbers here are those of the demo.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve, firwin2, lfilter

from monitord.types import RATE_HZ

Signal = NDArray[np.float64]
"""float64 [samples] at 16 kHz; 1 is full scale."""

FORMANTS: Final = ((910.0, 130.0), (2_730.0, 250.0), (6_000.0, 640.0), (6_930.0, 200.0))
"""Resonances of the vocal tract: centre and bandwidth (hertz)."""
_TILT: Final = 0.33
"""Exponent over frequency, 2 dB an octave: it makes the resonances' low-pass skirts the bright voice of a cry."""
_TOP_HZ: Final = 7_800.0
"""No harmonic above it: a little under half the sample rate."""
_JITTER: Final = (0.0063, 13.0)
"""Random drift of the pitch: depth (share of it) and corner of its spectrum (hertz)."""
_SHIMMER: Final = (0.073, 15.0)
"""Random drift of the loudness: the same two."""
_TREMBLE: Final = 0.6
"""Depth of the modulation at half the pitch where a burst is as rough as can be (share of the amplitude)."""
_INSPIRATION: Final = (0.6, 0.20, 0.04)
"""Level (share of the burst's), length, and pause before the next burst (seconds)."""
DOME: Final = ((0.0, 0.67), (0.035, 0.89), (0.27, 1.0), (0.8, 0.93), (1.0, 0.63))
"""Rise, dome, fall: the melody of a healthy cry (share of the burst, share of the top pitch)."""

_ATTACK_S: Final = 0.07
"""From silence to nine tenths of the level (seconds); in a very short burst a quarter of it."""
_RELEASE_S: Final = 0.12
"""From six tenths of the level to silence (seconds); in a very short burst three tenths of it."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose cry it is."""

    formants: tuple[tuple[float, float], ...] = FORMANTS
    """Resonances of the vocal tract: centre and bandwidth (hertz); a shorter one has higher ones."""
    vibrato: tuple[float, float] = (0.0063, 4.6)
    """Depth (share of the pitch) and speed (hertz)."""
    air: float = 0.019
    """Noise in the voice of a clean burst (share of its level)."""


@dataclass(frozen=True, slots=True)
class Room:
    """Where it cries: the default is small and furnished."""

    reflections: float = 0.0104
    """Level of the first reflections (share of the direct sound's)."""
    fall_s: float = 0.30
    """Time in which they fall by 60 dB (seconds)."""


_VOICE: Final = Voice()
_ROOM: Final = Room()


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
    melody: tuple[tuple[float, float], ...] = DOME
    """Corners, rounded off: share of the burst from 0 to 1, share of the top pitch."""


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
        parts.append(burst.level * burst_sound(burst, _VOICE, rng))
        if burst.gap_s:
            parts.append(burst.level * _breath_in(burst.gap_s, rng))
    return _unit_peak(in_room(np.concatenate(parts), _ROOM, rng))


def drift(n: int, corner_hz: float, rng: np.random.Generator) -> Signal:
    """Returns n samples of noise with deviation 1 that hardly moves faster than `corner_hz`."""
    keep = np.exp(-2 * np.pi * corner_hz / RATE_HZ)
    warm = round(3 * RATE_HZ / corner_hz)  # so that it does not start at rest
    moving: Signal = lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(warm + n))[warm:]
    return moving


def burst_sound(burst: Burst, voice: Voice, rng: np.random.Generator) -> Signal:
    """Returns one burst in no room, [duration_s * 16,000], its deviation about 1; `level` and `gap_s` do not matter."""
    n = round(burst.duration_s * RATE_HZ)
    t_s = np.arange(n) / RATE_HZ
    share = np.arange(n) / n  # of the burst, 0 to 1
    pitch_hz = burst.pitch_hz * _melody(burst.melody, share, n)
    pitch_hz *= 1 + voice.vibrato[0] * np.sin(2 * np.pi * (voice.vibrato[1] * t_s + rng.random()))
    pitch_hz *= 1 + _JITTER[0] * drift(n, _JITTER[1], rng)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    sound = np.zeros(n)
    for harmonic in range(1, int(_TOP_HZ / float(np.min(pitch_hz))) + 1):
        at_hz = harmonic * pitch_hz
        strength = np.where(at_hz < _TOP_HZ, _tract(voice, at_hz), 0.0)
        sound += strength * np.sin(harmonic * phase + 0.7 * harmonic**2)  # spread phases: no click at each period
    strained = burst.rough * np.exp(-0.5 * ((share - 0.55) / 0.25) ** 2)  # most in the middle
    sound *= 1 + _TREMBLE * strained * np.sin(phase / 2) + _SHIMMER[0] * drift(n, _SHIMMER[1], rng)
    sound /= sound.std()
    sound += voice.air * (1 + 8 * strained) * _air(voice, n, rng)
    end_s = burst.duration_s
    attack_s, release_s = min(_ATTACK_S, end_s / 4), min(_RELEASE_S, 0.3 * end_s)
    return sound * np.interp(t_s, [0, attack_s, 0.6 * end_s, end_s - release_s, end_s], [0, 0.9, 1.0, 0.6, 0])


def in_room(dry: Signal, room: Room, rng: np.random.Generator) -> Signal:
    """Returns the sound with its reverberation, which outlasts it by `fall_s`."""
    n = round(room.fall_s * RATE_HZ)
    response = room.reflections * rng.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
    response[0] = 1
    return np.asarray(fftconvolve(dry, response))


def _melody(corners: tuple[tuple[float, float], ...], share: Signal, n: int) -> Signal:
    """Pitch along the burst (share of the top pitch), without corners."""
    points = np.interp(share, [at for at, _ in corners], [pitch for _, pitch in corners])
    half = min(round(0.05 * RATE_HZ), n // 4)
    bell = np.hanning(2 * half + 1)
    return np.convolve(np.pad(points, half, mode="edge"), bell / bell.sum(), mode="valid")


def _tract(voice: Voice, at_hz: Signal) -> Signal:
    """Gain of the vocal tract: a chain of second-order resonances."""
    gain = (at_hz / 500) ** _TILT
    for centre_hz, bandwidth_hz in voice.formants:
        gain = gain * centre_hz**2 / np.hypot(centre_hz**2 - at_hz**2, bandwidth_hz * at_hz)
    return gain


def _air(voice: Voice, n: int, rng: np.random.Generator) -> Signal:
    """Noise through the vocal tract, deviation 1."""
    grid_hz = np.linspace(0, RATE_HZ / 2, 257)
    gain = _tract(voice, np.maximum(grid_hz, 300)) * np.clip(grid_hz / 800, 0, 1)
    air = fftconvolve(rng.standard_normal(n), firwin2(255, grid_hz, gain, fs=RATE_HZ), mode="same")
    return np.asarray(air / air.std())


def _breath_in(gap_s: float, rng: np.random.Generator) -> Signal:
    level, length_s, pause_s = _INSPIRATION
    n, after = round(length_s * RATE_HZ), round(pause_s * RATE_HZ)
    breath = level * _air(_VOICE, n, rng) * np.sin(np.pi * np.arange(n) / n) ** 1.5
    return np.pad(breath, (round(gap_s * RATE_HZ) - n - after, after))


def _unit_peak(signal: Signal) -> Signal:
    return np.asarray(signal / np.abs(signal).max())
