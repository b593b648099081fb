"""A sound laid over what a source captures, for a test alarm: from there on it takes the road of every cry."""

import numpy as np
import soxr

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm


class Injection:
    """Used by the capture thread under the inbox's lock; the fields with a docstring may be read by any thread.

    Args:
        sound: int16 [n] at 16 kHz.
    """

    def __init__(self, sound: Pcm) -> None:
        self.start: int | None = None
        """Position of its first sample (samples at 16 kHz); None before the source gave any sound."""
        self.end: int | None = None
        """Position one past its last sample so far (samples at 16 kHz)."""
        self.began_at = 0.0
        """Wall time of its first sample (Unix seconds)."""
        self._sound = sound
        self._rate_hz = RATE_HZ
        self._done = 0  # samples at _rate_hz
        self._stopped = False

    @property
    def over(self) -> bool:
        """Whether nothing of it will follow."""
        return self._stopped or self._done >= len(self._sound)

    def overlaps(self, start: int, end: int) -> bool:
        """Whether the sound from `start` up to `end` (samples at 16 kHz) has any of it in it."""
        return self.start is not None and self.end is not None and start < self.end and end > self.start

    def stop(self) -> None:
        """Lets nothing of it follow."""
        self._stopped = True

    def mix(self, samples: Pcm, rate_hz: int, position: int, at: float) -> Pcm:
        """Lays the next part over int16 [n] samples; what is too loud for both is clipped, as a microphone would.

        Args:
            samples: Captured.
            rate_hz: Of the samples.
            position: Of the first of them (samples at 16 kHz).
            at: Its wall time (Unix seconds).
        """
        if self.start is None:
            self._sound = np.asarray(soxr.resample(self._sound, RATE_HZ, rate_hz), dtype=np.int16)
            self._rate_hz, self.start, self.began_at = rate_hz, position, at
        if self.over or rate_hz != self._rate_hz:
            self._stopped = True
            return samples
        part = self._sound[self._done : self._done + len(samples)].astype(np.int32)
        mixed = samples.astype(np.int32)
        mixed[: len(part)] += part
        self._done += len(part)
        self.end = position + round(len(part) * RATE_HZ / rate_hz)
        return np.clip(mixed, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16)
