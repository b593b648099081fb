"""Live sound that falls behind: a network too slow for its stream, whose sender keeps what it cannot send.

Nothing is missing and nothing stands still, and yet the cry that is heard is minutes old. What was kept is given up for
what is now. A rate that is steadily wrong is another fault, with a name of its own, and a new connection heals none.
"""

from typing import Final

LATE_S: Final = 15.0
"""Age (seconds) that is too old to go on with: more than a stall may last, and than what a server keeps."""

FOR_S: Final = 10.0
"""For how long all of it must be as old (seconds): what waited while this machine or its network stood still is caught
up with in less, and all of it is heard."""


class Lateness:
    """Follows one connection."""

    def __init__(self) -> None:
        self._since_s: float | None = None

    def too_late(self, age_s: float, now_s: float) -> bool:
        """Takes the age of the newest sound at monotonic `now_s`; returns whether it has been too old for too long."""
        if age_s < LATE_S:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        return now_s - self._since_s >= FOR_S
