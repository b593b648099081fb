"""Sound against the clock: how old live sound is, and when recorded sound is due."""

import threading
import time

from service.pacing import until_poll_s

DRIFT = 1e-3
"""Fastest rate at which a stream's clock may run away from ours (seconds per second): ten times a bad crystal."""

SLIP_S = 1.0
"""Lateness (seconds) past which a recording goes on from now instead of catching up: the machine slept."""


class LiveClock:
    """Tells how long ago live sound was captured: a burst after a stall is old sound, and says so.

    The quickest delivery so far tells where the stream's time axis lies against our clock; sound that comes later
    than that was on the way for so long. Sound that a server kept from before the connection counts as new.
    """

    def __init__(self) -> None:
        self._heard_s = 0.0
        self._zero_s: float | None = None  # our monotonic time of the stream's first sample
        self._last_s = 0.0

    @property
    def heard(self) -> bool:
        """Whether any sound has come."""
        return self._zero_s is not None

    def age_s(self, n: int, rate_hz: int, now_s: float) -> float:
        """Returns the age (seconds) of the first of the n samples that came just now, at monotonic `now_s`."""
        start_s = self._heard_s
        self._heard_s += n / rate_hz
        quickest_s = now_s - self._heard_s
        if self._zero_s is None:
            self._zero_s = quickest_s
        else:
            self._zero_s = min(quickest_s, self._zero_s + DRIFT * (now_s - self._last_s))
        self._last_s = now_s
        return now_s - self._zero_s - start_s


class Pace:
    """Holds recorded sound back until it would have been heard."""

    def __init__(self) -> None:
        self._due_s: float | None = None

    def wait(self, n: int, rate_hz: int, stopping: threading.Event, *, calm: bool = False) -> bool:
        """Waits until n more samples have gone by, in a calm room until the next look; False where told to stop."""
        now_s = time.monotonic()
        if self._due_s is None or now_s - self._due_s > SLIP_S:
            self._due_s = now_s
        self._due_s += n / rate_hz
        if self._due_s <= now_s:
            return not stopping.is_set()
        return not stopping.wait(until_poll_s(self._due_s) if calm else self._due_s - now_s)

    @property
    def late_s(self) -> float:
        """How long ago the samples last waited for had gone by (seconds)."""
        return 0.0 if self._due_s is None else time.monotonic() - self._due_s
