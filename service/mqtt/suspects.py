"""Which message may be the one that breaks the connection, over all connections of one client.

A broker that does not like a message, and has no word for it, closes the connection. Sent first on each connection, one
such message would hold up every other for ever. So whatever was unanswered when the broker hung up is suspected; from
then on one message goes at a time, and one that was alone under way when that happened again is set aside: it stays
where it is kept, and is tried again later. Used by one thread.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

ENOUGH: Final = 4
"""Points from which a message is set aside: two broken connections of which the broker was back at once."""

AT_ONCE, AFTER_ABSENCE = 2, 1
"""Points for a broken connection: a broker that was away in between may have been restarted by somebody."""

ASIDE_S: Final = 600.0
"""After which a message that was set aside is tried again (seconds), each time twice as long: a try costs every other
message a second, and a limit may have been raised."""

CLEAR_S: Final = 60.0
"""So long after the last broken connection, and all that could be sent answered, nothing else is suspected (seconds): a
level comes each second, a heartbeat each half minute."""

ASIDE_MAX_S: Final = 6 * 3600.0
"""Longest such pause (seconds)."""


class Suspects:
    """A message is known by a key of the caller's: a topic, or its number in the outbox."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._points: dict[str, int] = {}
        self._aside: dict[str, tuple[str, float, float]] = {}  # key -> (words, until, how long)
        self._under_way: dict[str, str] = {}  # words by key, when the broker last hung up
        self._absent = False
        self._mute = False
        self._broke_at = 0.0

    def broke(self, under_way: Mapping[str, str]) -> None:
        """The broker hung up; these were unanswered (words for a person by key)."""
        self._under_way = dict(under_way)
        self._absent = False
        self._broke_at = self._clock()

    def absent(self) -> None:
        """The broker cannot be reached."""
        self._absent = True

    def mute(self) -> None:
        """The broker answered nothing: until it does, one message goes at a time."""
        self._mute = True

    def reached(self) -> list[str]:
        """The broker lets us in again; returns words for each message that is set aside now (see `words`)."""
        points = AFTER_ABSENCE if self._absent else AT_ONCE
        aside = []
        for key, words in self._under_way.items():
            self._points[key] = self._points.get(key, 0) + points
            if len(self._under_way) == 1 and self._points[key] >= ENOUGH:
                pause_s = min(2 * self._aside[key][2] if key in self._aside else ASIDE_S, ASIDE_MAX_S)
                self._aside[key] = (words, self._clock() + pause_s, pause_s)
                aside.append(words)
        self._under_way = {}
        return aside

    def passed(self, key: str) -> None:
        """The broker answered this one."""
        self._mute = False
        self._points.pop(key, None)
        self._aside.pop(key, None)

    def clear(self) -> None:
        """All that could be sent was answered: nothing else is suspected."""
        if self._clock() - self._broke_at > CLEAR_S:
            self._points = {key: points for key, points in self._points.items() if key in self._aside}

    def is_aside(self, key: str) -> bool:
        """Whether this one is not to be sent now."""
        return key in self._aside and self._clock() < self._aside[key][1]

    @property
    def careful(self) -> bool:
        """Whether one message goes at a time."""
        return self._mute or any(not self.is_aside(key) for key in self._points)

    @property
    def words(self) -> str:
        """What is set aside, for a person; empty where nothing is."""
        return ", ".join(words for words, _, _ in self._aside.values())
