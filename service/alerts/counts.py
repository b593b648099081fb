"""What was counted today, told and kept over a restart."""

import time
from typing import Final

from service.alerts.publisher import Publisher
from service.alerts.today import Today
from service.messages import cry_messages
from service.storage.documents import DocumentStore
from service.storage.schemas import KeptCounts

DOCUMENT: Final = "today"
"""Name in the store."""


class Counts:
    """Used by the worker alone.

    Args:
        publisher: Where `<source>/today` is told.
        store: Keeps it.
    """

    def __init__(self, publisher: Publisher, store: DocumentStore) -> None:
        self._publisher, self._store = publisher, store
        self._today = Today.of_kept(store.read(DOCUMENT, KeptCounts))

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
