"""What the daemon hears in the bench, made from formulas: the same on every machine."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from monitord.types import RATE_HZ, Pcm
from tests.support.sound.sounds import noise, silence, synthetic_cry, write_wav

Sound = Callable[[float], Pcm]
"""Makes a sound of so many seconds."""

ROOM_DBFS = -60.0
"""RMS of a quiet room (dBFS)."""
BOUTS = 4
"""Bouts of crying before the sound repeats: about a minute."""


def quiet(duration_s: float) -> Pcm:
    """A quiet room."""
    return noise(duration_s, rms_dbfs=ROOM_DBFS)


def crying(duration_s: float) -> Pcm:
    """Crying without an end, but for the breaths that belong to it."""
    cries = np.concatenate([synthetic_cry(seed=seed) for seed in range(1, BOUTS + 1)])
    sound = np.resize(cries, round(duration_s * RATE_HZ))
    return _over_room(sound)


def onset(before_s: float, seed: int) -> Pcm:
    """Quiet for so long, then a bout of crying."""
    return _over_room(np.concatenate([silence(before_s), synthetic_cry(seed=seed)]))


def write(path: Path, sound: Pcm) -> Path:
    """Writes a WAV file and returns its path."""
    return write_wav(path, sound)


def _over_room(sound: Pcm) -> Pcm:
    room = quiet(len(sound) / RATE_HZ)
    return np.asarray(np.clip(sound.astype(np.int32) + room, -32_768, 32_767), np.int16)
