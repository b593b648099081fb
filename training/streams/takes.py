"""One recording as it is laid into a stream: from its first sound to its last, at active level 1."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from training.sound.augment import ACTIVE_FRAME_SAMPLES, Wave, active_rms

FRAME: Final = ACTIVE_FRAME_SAMPLES
"""Frames in which it is told where a sound begins and ends (samples at 16 kHz)."""
HOP: Final = 3_840
"""From one window to the next (samples at 16 kHz): 0.24 s, the daemon's."""
UNHEARD_S: Final = 0.5
"""Most seconds of a cry that may lie in a window in which no teacher hears it yet."""
SUSTAINED_S: Final = 0.2
"""Over so many seconds from its onset a cry is loud at least half of the time: a click of the phone is not."""


@dataclass(frozen=True, slots=True)
class Take:
    """A recording, ready to be laid."""

    kind: str
    wave: Wave
    """float32 [n] at 16 kHz, active level 1."""
    group: str
    teacher_hears: int | None = None
    """Of a cry: where the first window ends in which either teacher hears it (samples at 16 kHz from its onset)."""


def take(kind: str, samples: Pcm, group: str, teacher_hears: int | None = None) -> Take:
    """Brings a recording to active level 1."""
    sound = samples.astype(np.float32) / np.float32(FULL_SCALE)
    return Take(kind, sound / np.float32(active_rms(sound)), group, teacher_hears)


def sound_span(samples: Pcm) -> tuple[int, int]:
    """From the first loud frame to the last (samples, one past the last): sound without silence at its edges."""
    frames = np.flatnonzero(_loud(samples))
    return int(frames[0]) * FRAME, (int(frames[-1]) + 1) * FRAME


def cry_span(samples: Pcm, first: int, last: int) -> tuple[int, int]:
    """From the cry's onset to its last loud frame (samples); 0 to 0 where it is never loud for long enough.

    Args:
        samples: int16 [n] at 16 kHz.
        first: One past the first window in which a teacher hears it (samples).
        last: One past the last.
    """
    # The window before did not hold enough of it: what sounds earlier is rustle and talk.
    begin = max(0, first - HOP - int(UNHEARD_S * RATE_HZ))
    loud = _loud(samples[begin:last])
    sustained = int(SUSTAINED_S * RATE_HZ) // FRAME
    padded = np.append(loud, np.zeros(sustained, np.bool_)).astype(np.int64)
    ahead = np.convolve(padded, np.ones(sustained, np.int64))[sustained - 1 : sustained - 1 + len(loud)]
    onsets = np.flatnonzero(loud & (2 * ahead >= sustained))
    if not len(onsets):
        return 0, 0
    return begin + int(onsets[0]) * FRAME, begin + (int(np.flatnonzero(loud)[-1]) + 1) * FRAME


def _loud(samples: Pcm) -> NDArray[np.bool_]:
    """By frame of `FRAME` samples: whether it lies within 20 dB of the loudest, as in `active_rms`."""
    n = len(samples) // FRAME
    level = np.sqrt(np.mean(samples[: n * FRAME].astype(np.float64).reshape(n, FRAME) ** 2, axis=1))
    return np.asarray(level >= level.max(initial=0.0) / 10.0)
