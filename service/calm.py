"""When a calm house looks: all of its threads at the same moments, so that no wait adds to another.

Most of what a quiet house costs are its wakes, not its sound. Where nothing stands out of a room, its sound is taken
twice a second instead of as it comes; from the first window of a sound on, at once. No alert waits for it: it takes
three windows or more, 0.24 s apart.
"""

import time
from typing import Final

LOOK_S: Final = 0.5
"""Between two looks of a calm house (seconds)."""


def until_look_s() -> float:
    """Returns how long it is until the next (seconds)."""
    return LOOK_S - time.monotonic() % LOOK_S
