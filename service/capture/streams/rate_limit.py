"""A bound on how fast live sound may come: a sender that pours in hours a second may not starve the other rooms."""

from typing import Final

BURST_S: Final = 30.0
"""Sound that may come at once (seconds), after a stall or from a server's buffer: as much as the inbox holds."""

SPEED: Final = 1.25
"""Rate of what comes beyond it (seconds of sound a second): no crystal is off by as much, and an overloaded worker is
not the price of a file that says that it is a live stream."""


class RateLimit:
    """Tells how long to wait before the next sound is taken; meanwhile the sender waits, too."""

    def __init__(self) -> None:
        self._room_s = BURST_S
        self._last_s: float | None = None

    def wait_s(self, length_s: float, now_s: float) -> float:
        """Returns the pause (seconds) after sound of this length came at monotonic `now_s`; 0 for honest streams."""
        passed_s = 0.0 if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self._room_s = min(BURST_S, self._room_s + SPEED * passed_s) - length_s
        return max(0.0, -self._room_s / SPEED)
