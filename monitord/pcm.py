"""Samples as the house knows them: int16, mono, 16 kHz; and the streaming resampler that makes them so.

soxr does the filtering, in float32: fed float32 its output does not depend on how the input is cut into chunks
(int16 in and out is dithered and does depend on it), and a stream of n samples always ends with the same length.
"""

import numpy as np
import soxr
from numpy.typing import NDArray

from monitord.types import RATE_HZ, Pcm

FULL_SCALE = 32_768.0
"""Magnitude of the most negative int16 sample; 0 dBFS."""


def to_mono(samples: NDArray[np.int16]) -> Pcm:
    """Mixes int16 [n, channels] down to int16 [n] by the mean; a single channel passes."""
    if samples.ndim == 1:
        return samples
    if samples.shape[1] == 1:
        return samples[:, 0]
    share = np.full(samples.shape[1], 1 / samples.shape[1], np.float32)
    # A mean along so short an axis takes NumPy twenty times as long.
    return np.asarray(np.rint(samples.astype(np.float32) @ share), np.int16)


def amplified(samples: Pcm, gain_db: float) -> Pcm:
    """Returns int16 [n] louder by so many decibels; what is too loud then is clipped, as a microphone would."""
    louder = np.rint(samples.astype(np.float32) * np.float32(10.0 ** (gain_db / 20.0)))
    clipped: Pcm = np.clip(louder, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
    return clipped


def position_16k(index: int, rate_hz: int) -> int:
    """Turns a sample index at `rate_hz` into one at 16 kHz, rounding down, so that differences telescope."""
    return index * RATE_HZ // rate_hz


class Resampler:
    """Any rate to 16 kHz, streaming; the same samples in any chunk sizes give the same samples out."""

    def __init__(self, rate_hz: int, start: int = 0) -> None:
        """Begins at sample `start` of an axis at `rate_hz`, so that lengths add up along the axis."""
        self.rate_hz = rate_hz
        self._start = start
        self._fed = 0
        self._out = 0
        self._stream = (
            None if rate_hz == RATE_HZ else soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")
        )

    @property
    def held(self) -> int:
        """Samples at 16 kHz that went in and have not come out yet."""
        end = position_16k(self._start + self._fed, self.rate_hz)
        return end - position_16k(self._start, self.rate_hz) - self._out

    def feed(self, samples: Pcm) -> Pcm:
        """Returns what is ready, int16 [m] at 16 kHz; m may be 0."""
        self._fed += len(samples)
        if self._stream is None:
            self._out += len(samples)
            return samples
        return self._take(self._stream.resample_chunk(samples.astype(np.float32)))

    def flush(self) -> Pcm:
        """Returns the rest, so that in all as many samples came out as the axis advanced. Feed nothing after it."""
        if self._stream is None:
            return np.empty(0, np.int16)
        rest = self._take(self._stream.resample_chunk(np.empty(0, np.float32), last=True))
        missing = self.held
        if missing < 0:
            raise AssertionError(f"the resampler made {-missing} samples too many")
        self._out += missing
        return np.concatenate([rest, np.zeros(missing, np.int16)])

    def _take(self, ready: NDArray[np.float32]) -> Pcm:
        # The last samples of a stream may round up by one; what is out never exceeds what went in.
        ready = ready[: self.held]
        self._out += len(ready)
        return np.clip(np.rint(ready), -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
