"""The one thread that hears: chunks from every inbox in turn, through the ears and one forward pass, to the teller."""

import threading
import time
from collections.abc import Sequence
from typing import Protocol

from model.classifier import Classifier, pool
from monitord.types import CryEvent, Scores, Segment, Window
from service.ear import Ear

IDLE_S = 0.1
"""Longest nap when no inbox has anything (seconds): a live source wakes the worker itself."""


class Teller(Protocol):
    """Who is told, from the worker's thread."""

    def event(self, ear: Ear, event: CryEvent) -> None:
        """An episode moved."""

    def segment(self, ear: Ear, segment: Segment, scores: Scores) -> None:
        """A sound was finished and scored."""

    def tick(self) -> None:
        """A round is over: time for levels and the heartbeat, which only a worker that works may send."""


class Worker:
    """Hears all sources. `run` is its thread's life; `round` is one turn, for tests and replay."""

    def __init__(self, ears: Sequence[Ear], classifier: Classifier, teller: Teller, wake: threading.Event) -> None:
        self.ears = ears
        self.moved_at = time.monotonic()
        """When the last round ended (monotonic seconds)."""
        self._classifier = classifier
        self._teller = teller
        self._wake = wake
        self._stop = threading.Event()

    def run(self) -> None:
        """Works until `stop`, or until every source has ended; then flushes what is open."""
        while not self._stop.is_set() and not all(ear.flushed for ear in self.ears):
            self._wake.clear()
            if not self.round():
                self._wake.wait(IDLE_S)
        self.flush()

    def stop(self) -> None:
        """Asks `run` to leave after the round in hand."""
        self._stop.set()
        self._wake.set()

    def round(self) -> bool:
        """Takes at most a second from each source; says whether there was anything."""
        heard = [(ear, item) for ear in self.ears for item in ear.take()]
        self._score(heard)
        for ear in self.ears:
            self._tell(ear, ear.tracker.advance(ear.listener.position))
            if ear.flushed:
                self._tell(ear, ear.tracker.flush(ear.listener.position))
            ear.told = ear.tally()
        self._teller.tick()
        self.moved_at = time.monotonic()
        return bool(heard) or any(ear.inbox.held for ear in self.ears)

    def flush(self) -> None:
        """Hears what is still in the inboxes, ends open segments and episodes."""
        for ear in self.ears:
            ear.inbox.end()
        while not all(ear.flushed for ear in self.ears):
            self.round()

    def _score(self, heard: list[tuple[Ear, Window | Segment]]) -> None:
        """Scores the windows of all sources in one pass, then walks the items in the order of their streams."""
        windows = [item for ear, item in heard if isinstance(item, Window) and ear.enabled]
        scores = iter(self._classifier.score(windows))
        for ear, item in heard:
            if not ear.enabled:
                continue
            if isinstance(item, Window):
                self._tell(ear, ear.window(item, next(scores)))
            elif over := ear.over(item):  # empty where the room was switched on in the middle of the sound, or tested
                pooled = pool(over)
                self._teller.segment(ear, item, pooled)
                self._tell(ear, ear.tracker.segment(item, pooled, ear.on_p))

    def _tell(self, ear: Ear, events: list[CryEvent]) -> None:
        for event in events:
            self._teller.event(ear, event)
