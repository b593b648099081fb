"""Streams on which somebody has decided by hand what the network says, window by window."""

import numpy as np

from monitord.types import RATE_HZ, Window
from training.streams.false_alarms import Heard
from training.streams.mixing import Laid, Stream

HOP_S = 0.5
"""Between two windows."""
SOUND = np.broadcast_to(np.int16(0), 15_600)


def laid(kind: str, start_s: float, end_s: float, snr_db: float = 0.0) -> Laid:
    """A sound or a cry from here to there."""
    return Laid(kind, int(start_s * RATE_HZ), int(end_s * RATE_HZ), snr_db)


def heard(
    *over: tuple[float, float],
    cries: tuple[Laid, ...] = (),
    sounds: tuple[Laid, ...] = (),
    length_s: float = 120.0,
) -> Heard:
    """A stream whose windows end every half second; those that end within one of the spans (s) are at 0.9."""
    ends_s = np.arange(1.0, length_s, HOP_S)
    starts = [int(end * RATE_HZ) - len(SOUND) for end in ends_s]
    windows = [Window("s", start, SOUND, start / RATE_HZ, start) for start in starts]
    p_cry = [0.9 if any(start <= end <= stop for start, stop in over) else 0.1 for end in ends_s]
    samples = np.broadcast_to(np.int16(0), int(length_s * RATE_HZ))
    return Heard(Stream(samples, cries, sounds), windows, p_cry)
