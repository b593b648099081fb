"""What the daemon hears in the bench, made from formulas: the same on every machine."""

from collections.abc import Callable

import numpy as np

from monitord.types import RATE_HZ, Pcm
from tests.support.daemon.daemon import room
from tests.support.sound.sounds import cry_in_room, noise, synthetic_cry

Sound = Callable[[float], Pcm]
"""Makes a sound of so many seconds."""

ROOM_DBFS = -60.0
"""RMS of a quiet room (dBFS)."""
NOISY_DBFS = -30.0
"""RMS of a noisy room (dBFS): a fan beside the microphone; over Frigate's gate and ours."""
BOUTS = 4
"""Bouts of crying before the sound repeats: about a minute."""


def quiet(duration_s: float) -> Pcm:
    """A quiet room."""
    return noise(duration_s, rms_dbfs=ROOM_DBFS)


def noisy(duration_s: float) -> Pcm:
    """A room as loud as a fan."""
    return noise(duration_s, rms_dbfs=NOISY_DBFS)


def crying(duration_s: float) -> Pcm:
    """Crying without an end, but for the breaths that belong to it."""
    cries = np.concatenate([synthetic_cry(seed=seed) for seed in range(1, BOUTS + 1)])
    return room(np.resize(cries, round(duration_s * RATE_HZ)), rms_dbfs=ROOM_DBFS)


def onset(before_s: float, seed: int) -> Pcm:
    """Quiet for so long, then a bout of crying."""
    return cry_in_room(before_s, 0.0, rms_dbfs=ROOM_DBFS, seed=seed)
