"""How long to wait before the next attempt: doubling, with a cap and jitter."""

import random

FIRST_S = 0.5
"""First pause (seconds): a sound server that restarts is back in about that time."""

CAP_S = 10.0
"""Longest pause (seconds). A deaf monitor costs more than one attempt in ten seconds; a rebooting phone takes 30 s."""

JITTER = 0.5
"""Share of a pause that is random, so that several sources of one dead access point do not return in step."""

_RANDOM = random.SystemRandom()


class BackOff:
    """Pauses between attempts."""

    def __init__(self, *, first_s: float = FIRST_S, cap_s: float = CAP_S) -> None:
        self._first_s = first_s
        self._cap_s = cap_s
        self._pause_s = first_s

    def next_s(self) -> float:
        """Returns the next pause (seconds): between (1 - `JITTER`) and 1 times 0.5, 1, 2, 4 .. `cap_s`."""
        pause_s = self._pause_s
        self._pause_s = min(2 * pause_s, self._cap_s)
        return pause_s * (1 - JITTER * _RANDOM.random())

    def reset(self) -> None:
        """Starts over: the source was well."""
        self._pause_s = self._first_s
