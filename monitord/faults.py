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
    """Share of a block's samples at either end of the range from which it counts as clipped; a square wave has 1.0,
    the loudest clipped cries of the shared recordings have less than 0.1."""
    blocks_per_s: int = 10
    """Blocks in a second, each judged by itself, so that it does not matter how a source cuts its chunks; 0.1 s is
    shorter than a breath and longer than a period of any voice."""
    rail: int = 32_700
    """Magnitude from which a sample counts as at the end of the int16 range; codecs ring a little below it."""


class FaultWatch:
    """Follows one source's samples; any chunk sizes give the same answer at the same sample."""

    def __init__(self, params: FaultParams | None = None) -> None:
        self._params = params or FaultParams()
        self._rate_hz = 0
        self._value = 0  # of the run of equal samples
        self._still = 0  # length of that run (samples)
        self._filled = 0  # of the open block (samples)
        self._at_rail = 0  # of these
        self._clipped = 0  # clipped blocks in a row

    def feed(self, samples: Pcm, rate_hz: int) -> Fault:
        """Takes the next int16 [n]; says what is wrong with the sound up to its end, `ok` if nothing."""
        if rate_hz != self._rate_hz:  # runs are counted in samples: at another rate they begin anew
            self._rate_hz, self._still, self._filled, self._at_rail, self._clipped = rate_hz, 0, 0, 0, 0
        if len(samples):
            self._follow_value(samples)
            self._follow_rail(samples)
        return self._fault()

    def _follow_value(self, samples: Pcm) -> None:
        moved = np.flatnonzero(samples != samples[-1])
        if moved.size:
            self._still = len(samples) - 1 - int(moved[-1])
        elif int(samples[-1]) == self._value:
            self._still += len(samples)
        else:
            self._still = len(samples)
        self._value = int(samples[-1])

    def _follow_rail(self, samples: Pcm) -> None:
        params = self._params
        block = self._rate_hz // params.blocks_per_s
        at_rail = (samples >= params.rail) | (samples <= -params.rail)
        done = 0
        while done < len(samples):
            part = at_rail[done : done + block - self._filled]
            done += len(part)
            self._filled += len(part)
            self._at_rail += int(np.count_nonzero(part))
            if self._filled == block:
                self._clipped = self._clipped + 1 if self._at_rail >= params.clipped_share * block else 0
                self._filled = self._at_rail = 0

    def _fault(self) -> Fault:
        params = self._params
        if self._still >= params.still_s * self._rate_hz > 0:
            return "digital_silence" if self._value == 0 else "flat"
        return "clipping" if self._clipped >= params.clipped_s * params.blocks_per_s else "ok"
