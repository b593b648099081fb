"""A minute of an invented room, to be looped: quiet, small noises, a crying baby, quiet. No recording is in it."""

from typing import Final

import numpy as np

from monitord.pcm import FULL_SCALE
from monitord.synthetic.synthetic_cry import Signal, cry, drift
from monitord.types import RATE_HZ, Pcm

LENGTH_S: Final = 60.0
"""Seconds. The quiet after the cry outlasts the hold of an episode, so that each loop is an episode of its own."""
CRY_START_S: Final = 8.0
"""Seconds from the start: a person who tries it wants to see the quiet first, and not for long."""

_CRY_PEAK: Final = 0.5
"""-6 dBFS: a baby a metre or two from a microphone."""
_AIR: Final = 0.0025
"""Deviation of the room's own noise: -52 dBFS, a cheap microphone in a quiet room."""
_HUM: Final = ((100.0, 0.0008), (200.0, 0.0004), (300.0, 0.0002))
"""A refrigerator behind the wall: twice the mains frequency and its harmonics (hertz), with their amplitudes."""
_TAPS_S: Final = (2.1, 2.45, 37.2)
"""When something is put down (seconds)."""
_CLINKS_S: Final = (4.6, 44.3)
"""When a spoon meets a cup (seconds)."""
_THUMPS_S: Final = (31.0, 31.6, 52.5)
"""When somebody steps next door (seconds)."""


def demo_sound() -> Pcm:
    """Returns int16 [960000] at 16 kHz, the same on every call."""
    rng = np.random.default_rng(7)
    n = round(LENGTH_S * RATE_HZ)
    room = _AIR * (0.9 * drift(n, 400, rng) + 0.3 * rng.standard_normal(n)) + _hum(n)
    _add(room, [CRY_START_S], _CRY_PEAK * cry())
    _add(room, _TAPS_S, 0.05 * _tap(rng))
    _add(room, _CLINKS_S, 0.02 * _clink())
    _add(room, _THUMPS_S, 0.08 * _thump())
    return np.rint(room * (FULL_SCALE - 1)).astype(np.int16)


def _add(room: Signal, starts_s: tuple[float, ...] | list[float], sound: Signal) -> None:
    for start_s in starts_s:
        start = round(start_s * RATE_HZ)
        room[start : start + len(sound)] += sound


def _hum(n: int) -> Signal:
    t_s = np.arange(n) / RATE_HZ
    hum = np.zeros(n)
    for at_hz, amplitude in _HUM:
        hum += amplitude * np.sin(2 * np.pi * at_hz * t_s)
    return hum


def _tap(rng: np.random.Generator) -> Signal:
    t_s = _time(0.12)
    return np.exp(-t_s / 0.012) * (0.5 * rng.standard_normal(len(t_s)) + np.sin(2 * np.pi * 310 * t_s))


def _clink() -> Signal:
    t_s = _time(0.6)
    ring = np.zeros(len(t_s))
    # Partials of a struck bar stand as 1 : 2.76 : 5.40 (free ends), and die the faster the higher they are.
    for ratio, fall_s in ((1.0, 0.12), (2.76, 0.06)):
        ring += np.exp(-t_s / fall_s) * np.sin(2 * np.pi * 2_100 * ratio * t_s)
    return ring


def _thump() -> Signal:
    t_s = _time(0.4)
    return np.exp(-t_s / 0.08) * np.sin(2 * np.pi * (70 * t_s - 30 * t_s**2))


def _time(duration_s: float) -> Signal:
    return np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
