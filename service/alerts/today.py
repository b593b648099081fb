"""How often and how long each room has cried today, in the family's own day: from local midnight to now.

It keeps each episode of the last days with its times, so that neither midnight, a restart nor a changed clock needs a
rule of its own: an episode counts on the day it began, its minutes on the day they were cried.
"""

import time
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from service.alerts.publisher import Publisher
from service.messages import cry_messages
from service.storage.documents import DocumentStore
from service.storage.schemas import KeptCounts

DOCUMENT: Final = "today"
"""Name in the store."""

KEEP_S: Final = 48 * 3600.0
"""Seconds after its end for which an episode is kept: longer than any day, those of 25 hours and more included."""


class Today:
    """Counts for all rooms.

    Args:
        zone: The family's time zone; None is the computer's.
        kept: What was counted before.
    """

    def __init__(self, zone: tzinfo | None = None, kept: KeptCounts | None = None) -> None:
        self._zone = zone
        self._rooms = {} if kept is None else kept.rooms

    def started(self, source: str, at: float) -> None:
        """A room began to cry at wall time `at` (Unix seconds); what was open in it ends there at the latest."""
        self._close(source, at)
        cried = self._rooms.get(source, [])
        kept = [(since, until) for since, until in cried if until is None or until > at - KEEP_S]
        self._rooms[source] = [*kept, (at, None)]

    def ended(self, source: str, since: float, until: float) -> None:
        """A room's episode is over; one whose start was never told counts as well (Unix seconds)."""
        if not self._close(source, until):
            self.started(source, since)
            self._close(source, until)

    def of(self, source: str, now: float) -> dict[str, Any]:
        """Returns the payload of `<source>/today`: date, episodes, crying minutes so far (`now` in Unix seconds)."""
        day = datetime.fromtimestamp(now, self._zone).date()
        begin, end = self._midnight(day), self._midnight(day + timedelta(days=1))
        cried = self._rooms.get(source, [])
        seconds = sum(max(0.0, min(now if until is None else until, end) - max(since, begin)) for since, until in cried)
        return {
            "date": day.isoformat(),
            "episodes": sum(begin <= since < end for since, _ in cried),
            "crying_min": round(seconds / 60, 1),
        }

    def dump(self) -> dict[str, Any]:
        """Returns what must outlive the process, as values of JSON: see `KeptCounts`."""
        return {"rooms": self._rooms}

    def _midnight(self, day: date) -> float:
        """Wall time at which a local day begins (Unix seconds)."""
        return datetime.combine(day, datetime.min.time(), self._zone).timestamp()

    def _close(self, source: str, until: float) -> bool:
        """Ends what is open in a room; returns whether anything was."""
        cried = self._rooms.get(source, [])
        was_open = any(end is None for _, end in cried)
        if was_open:
            self._rooms[source] = [(since, until if end is None else end) for since, end in cried]
        return was_open


class Counts:
    """Today, told and kept over a restart. Used by the worker alone.

    Args:
        publisher: Where `<source>/today` is told.
        store: Keeps it.
    """

    def __init__(self, publisher: Publisher, store: DocumentStore) -> None:
        self._publisher, self._store = publisher, store
        self._today = Today(kept=store.read(DOCUMENT, KeptCounts))

    def started(self, source: str, at: float) -> None:
        """A room began to cry at wall time `at` (Unix seconds)."""
        self._today.started(source, at)
        self.tell(source)

    def ended(self, source: str, since: float, until: float) -> None:
        """An episode is over (Unix seconds)."""
        self._today.ended(source, since, until)
        self.tell(source)

    def close(self) -> None:
        """Ends what is open still, at its beginning: an end that was lost with a kill adds no minutes."""
        for source, cried in self._today.dump()["rooms"].items():
            for since, until in cried:
                if until is None:
                    self._today.ended(source, since, since)

    def tell(self, source: str) -> None:
        """Tells where it stands; of a room that was configured only in an earlier run, nothing."""
        if source in self._publisher.names:
            self._publisher.send(cry_messages.today(self._publisher.node, source, self._today.of(source, time.time())))

    def save(self) -> None:
        """Keeps it."""
        self._store.save(DOCUMENT, self._today.dump())
