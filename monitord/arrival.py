"""Whether sound arrives as fast as it was recorded: a device whose clock is not the one that it states.

Such sound is too high or too low for all that hears it, and ages or runs ahead. Bursts are no such thing: a segment
every few seconds, a stall and what was kept meanwhile, a server's greeting of some seconds at once.
"""

import math
from collections import deque
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class ArrivalParams:
    """When a rate is wrong. Well inside the 10 s in which every fault must be visible."""

    slot_s: float = 1.0
    """Seconds of one count: ten reads of a microphone."""
    slots: int = 7
    """Counts in a row of which none may lie on the other side, and most must be off: a burst has pauses, or is one
    count among right ones."""
    edge: float = 0.25
    """Where on the caller's clock a slot begins (share of it, before each whole number): between the moments at which
    sound is taken that is taken twice a second, which would else fall now into one slot and now into the next."""
    side: float = 0.01
    """Share by which a count is off, or on the other side: less than a read, more than a bad crystal."""
    tolerance: float = 0.06
    """Share by which all of them together must be off. Rates that are taken for each other lie further apart (44.1 and
    48 kHz: 0.08); a read too much or too little in a row of counts is 0.014."""


class ArrivalWatch:
    """Follows one live source."""

    def __init__(self, params: ArrivalParams | None = None) -> None:
        self._params = params or ArrivalParams()
        self._counts: deque[float] = deque(maxlen=self._params.slots)  # seconds of sound in each slot
        self._slot = 0  # the open one, counted from zero of the caller's clock
        self._heard_s: float | None = None  # in it (seconds); None where it began before the first sound
        self._rate_hz = 0

    def feed(self, n: int, rate_hz: int, now_s: float) -> None:
        """Takes that n samples of the stated rate came at `now_s` (seconds, on a clock that never jumps)."""
        slot_s = self._params.slot_s
        slot = math.floor(now_s / slot_s + self._params.edge)
        if rate_hz != self._rate_hz or slot - self._slot > self._params.slots:
            self._rate_hz, self._slot, self._heard_s = rate_hz, slot, None
            self._counts.clear()
        while self._slot < slot:
            if self._heard_s is not None:
                self._counts.append(self._heard_s / slot_s)
            self._heard_s = 0.0
            self._slot += 1
        if self._heard_s is not None:
            self._heard_s += n / rate_hz

    @property
    def wrong(self) -> bool:
        """Whether all of the last seconds were too fast, or all too slow."""
        if len(self._counts) < self._params.slots:
            return False
        side, tolerance = self._params.side, self._params.tolerance
        counts = sorted(self._counts)
        least, middle, most, mean = counts[0], median(counts), counts[-1], sum(counts) / len(counts)
        too_fast = least > 1.0 - side and middle > 1.0 + side and mean > 1.0 + tolerance
        # A slot without anything is a stall, and that has a name of its own.
        too_slow = least > 0.0 and most < 1.0 + side and middle < 1.0 - side and mean < 1.0 - tolerance
        return too_fast or too_slow
