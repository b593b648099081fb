"""What a broken microphone looks like in its samples: exact zeros, a stuck value, constant clipping.

A live microphone in a quiet room never does any of these: its noise moves the last bit. No audio at all (a stall) is
not in the samples; the shell sees it by comparing counts with a clock.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from monitord.types import Pcm

Fault = Literal["ok", "stalled", "digital_silence", "flat", "clipping", "reconnecting", "auth_failed", "decode_error"]


@dataclass(frozen=True, slots=True)
class FaultParams:
    """When a run becomes a fault. Well inside the 10 s in which every fault must be visible."""

    still_s: float = 6.0
    """Seconds of one and the same value, zero or other: no microphone's noise is so still."""
    clipped_s: float = 6.0
    """Seconds in which clipping never pauses: a cry too near the microphone clips, but a baby breathes."""
    clipped_share: float = 0.2
    """Share of a chunk's samples at either end of the range from which it counts as clipped; a square wave has 1.0,
    the loudest clipped cries of the shared recordings have less than 0.1."""
    rail: int = 32_700
    """Magnitude from which a sample counts as at the end of the int16 range; codecs ring a little below it."""


class FaultWatch:
    """Follows one source's samples."""

    def __init__(self, params: FaultParams | None = None) -> None:
        self._params = params or FaultParams()
        self._value = 0  # of the run of equal samples
        self._still_s = 0.0
        self._clipped_s = 0.0

    def feed(self, samples: Pcm, rate_hz: int) -> Fault:
        """Takes the next int16 [n]; says what is wrong with the sound up to its end, `ok` if nothing."""
        params = self._params
        if len(samples) == 0:
            return self._fault()
        moved = np.flatnonzero(samples != samples[-1])
        if moved.size:
            self._still_s = (len(samples) - 1 - int(moved[-1])) / rate_hz
        elif int(samples[-1]) == self._value:
            self._still_s += len(samples) / rate_hz
        else:
            self._still_s = len(samples) / rate_hz
        self._value = int(samples[-1])
        at_rail = np.count_nonzero((samples >= params.rail) | (samples <= -params.rail)) / len(samples)
        self._clipped_s = self._clipped_s + len(samples) / rate_hz if at_rail >= params.clipped_share else 0.0
        return self._fault()

    def _fault(self) -> Fault:
        if self._still_s >= self._params.still_s:
            return "digital_silence" if self._value == 0 else "flat"
        return "clipping" if self._clipped_s >= self._params.clipped_s else "ok"
