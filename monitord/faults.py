"""What a broken microphone looks like in its samples: zeros, a stuck value, a floor that is gone, clipping, an offset.

A live microphone in a quiet room never does any of these: its noise moves more than the last bit. No audio at all (a
stall) is not in the samples; the shell sees it by comparing counts with a clock, and `monitord.arrival` sees a rate
that is not the stated one.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from monitord.pcm import FULL_SCALE
from monitord.types import Pcm

Fault = Literal[
    "ok", "stalled", "digital_silence", "flat", "clipping", "reconnecting", "auth_failed", "decode_error", "dc_offset",
    "wrong_rate", "overload", "stuck", "intermittent", "wiring",
    "needs_tap", "screen_off", "page_closed", "page_asleep", "not_allowed", "mic_taken", "battery_low",
]  # fmt: skip
"""The first eight are the contract's. `dc_offset` and `wrong_rate`: the device is broken in another way; `overload`:
heard, but late; `stuck`: the monitor itself hangs; `intermittent`: heard badly, for it comes and goes; `wiring`: heard,
but two channels are opposite, which `monitord.channels` sees. The last seven: what a page knows of
its phone."""

PAGE_FAULTS: Final[tuple[Fault, ...]] = (
    "needs_tap", "screen_off", "page_closed", "page_asleep", "not_allowed", "mic_taken", "battery_low",
)  # fmt: skip
"""What a phone's page may say of its phone."""


@dataclass(frozen=True, slots=True)
class FaultParams:
    """When a run becomes a fault. Well inside the 10 s in which every fault must be visible."""

    still_s: float = 6.0
    """Seconds of one and the same value, zero or other: no microphone's noise is so still."""
    floor_s: float = 6.0
    """Seconds in which nothing but the last bit moves: a mute or a noise gate that leaves its dither. White noise of
    -90 dBFS, quieter than any microphone, leaves this range a thousand times a second."""
    floor_range: int = 2
    """Largest less smallest sample of a floor that is gone (steps of int16): what triangular dither around zero has."""
    clipped_s: float = 6.0
    """Seconds in which clipping never pauses: a cry too near the microphone clips, but a baby breathes."""
    clipped_share: float = 0.2
    """Share of a block's samples at either end of the range from which it counts as clipped; a square wave has 1.0,
    the loudest clipped cries of the shared recordings have less than 0.1."""
    offset_s: float = 6.0
    """Seconds in which the middle of the sound never comes back to zero: wind and rumble swing to both sides."""
    offset_share: float = 0.1
    """Distance of that middle from zero, as a share of full scale: cheap sound cards have up to a twentieth, and hear
    well; at a tenth the energy of a cry no longer stands out."""
    blocks_per_s: int = 10
    """Blocks in a second, each judged by itself, so that it does not matter how a source cuts its chunks; 0.1 s is
    shorter than a breath and longer than a period of any voice."""
    rail: int = 32_700
    """Magnitude from which a sample counts as at the end of the int16 range; codecs ring a little below it."""


class FaultWatch:
    """Follows one source's samples; any chunk sizes give the same answer at the same sample."""

    def __init__(self, params: FaultParams | None = None) -> None:
        self._params = params or FaultParams()
        self._begin(0)

    def feed(self, samples: Pcm, rate_hz: int) -> Fault:
        """Takes the next int16 [n]; says what is wrong with the sound up to its end, `ok` if nothing."""
        if rate_hz != self._rate_hz:  # runs are counted in samples: at another rate they begin anew
            self._begin(rate_hz)
        if len(samples):
            self._follow_value(samples)
            self._follow_blocks(samples)
        return self._fault()

    def _begin(self, rate_hz: int) -> None:
        params = self._params
        self._rate_hz = rate_hz
        self._value = 0  # of the run of equal samples
        self._still = 0  # length of that run (samples)
        self._block: list[Pcm] = []  # the open one, in parts
        self._filled = 0  # of it (samples)
        # Smallest and largest sample of each.
        self._ranges: deque[tuple[int, int]] = deque(maxlen=round(params.floor_s * params.blocks_per_s))
        self._floor_gone = False
        self._clipped = 0  # clipped blocks in a row
        self._offset = 0  # blocks in a row whose middle is off zero, negative where it lies below

    def _follow_value(self, samples: Pcm) -> None:
        if len(samples) > 1 and samples[-1] != samples[-2]:  # live sound, nearly always
            self._still = 1
        elif (moved := np.flatnonzero(samples != samples[-1])).size:
            self._still = len(samples) - 1 - int(moved[-1])
        elif int(samples[-1]) == self._value:
            self._still += len(samples)
        else:
            self._still = len(samples)
        self._value = int(samples[-1])

    def _follow_blocks(self, samples: Pcm) -> None:
        length = max(self._rate_hz // self._params.blocks_per_s, 1)
        done = 0
        while done < len(samples):
            part = samples[done : done + length - self._filled]
            done += len(part)
            self._filled += len(part)
            self._block.append(part)
            if self._filled == length:
                self._judge(part if len(self._block) == 1 else np.concatenate(self._block))
                self._block, self._filled = [], 0
            elif self._floor_gone:  # sound that comes back ends it at once, not with the block
                self._floor_gone = self._moves_one_bit(int(part.min()), int(part.max()))

    def _judge(self, block: Pcm) -> None:
        params = self._params
        low, high = int(block.min()), int(block.max())
        self._ranges.append((low, high))
        self._floor_gone = high - low <= params.floor_range and self._moves_one_bit(low, high)
        at_rail = 0
        if high >= params.rail or low <= -params.rail:
            at_rail = int(np.count_nonzero((block >= params.rail) | (block <= -params.rail)))
        self._clipped = self._clipped + 1 if at_rail >= params.clipped_share * len(block) else 0
        side = self._side(block) if max(high, -low) >= params.offset_share * FULL_SCALE else 0
        self._offset = self._offset + side if side * self._offset >= 0 and side else side

    def _side(self, block: Pcm) -> int:
        """On which side of zero the middle lies, -1 or 1, and 0 where it lies near."""
        middle = float(block.mean())
        return int(np.sign(middle)) if abs(middle) >= self._params.offset_share * FULL_SCALE else 0

    def _moves_one_bit(self, low: int, high: int) -> bool:
        """Whether all blocks of the last seconds lie in one range, together with samples from `low` to `high`."""
        if len(self._ranges) != self._ranges.maxlen:
            return False
        lows, highs = zip(*self._ranges, strict=True)
        return int(max(high, *highs)) - int(min(low, *lows)) <= self._params.floor_range

    def _fault(self) -> Fault:
        params = self._params
        if self._still >= params.still_s * self._rate_hz > 0:
            return "digital_silence" if self._value == 0 else "flat"
        if self._floor_gone:
            return "flat"
        if self._clipped >= params.clipped_s * params.blocks_per_s:
            return "clipping"
        return "dc_offset" if abs(self._offset) >= params.offset_s * params.blocks_per_s else "ok"
