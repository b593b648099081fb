"""When a calm house looks: all of its threads at the same moments, so that no wait adds to another.

Most of what a quiet house costs are its wakes, not its sound. Where nothing stands out of a room, its sound is taken
twice a second instead of as it comes; from the first window of a sound on, at once. No alert waits for it: it takes
three windows or more, 0.24 s apart.
"""

import time
from typing import Final

POLL_S: Final = 0.5
"""Between two looks of a calm house (seconds)."""


def until_poll_s(at_s: float | None = None) -> float:
    """Returns how long it is until the next look after `at_s` (monotonic seconds; None: now), in seconds."""
    now_s = time.monotonic()
    at_s = now_s if at_s is None else at_s
    return at_s - now_s + POLL_S - at_s % POLL_S
