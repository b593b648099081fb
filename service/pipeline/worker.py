"""The one thread that hears: chunks from every inbox in turn, through one forward pass, to the reporter.

A machine that is too weak for its rooms falls behind with all of them. Then, with live sound, the worker leaves out
first what no alarm hangs on: in rooms that are known to cry it scores each fourth window, which is enough to follow the
episode, but makes reasons and segments coarser. Further behind, it scores each second window of the others: `started`
comes half a second later there, and no room is left out. What even that does not help is overwritten in the ring, the
oldest first, and counted.
"""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from model.classifier import Classifier, pool
from monitord.types import RATE_HZ, CryEvent, Scores, Segment, Window
from service.pacing import until_poll_s
from service.pipeline.channel import SourceChannel
from service.pipeline.trace import Trace

IDLE_S = 0.5
"""Longest nap when no inbox has anything (seconds): a source wakes the worker itself; what else waits for a round are
commands in a house where nothing is heard, and the heartbeat."""
PACE_S = 0.1
"""Least time between two rounds of live sound (seconds). All that comes meanwhile is heard in one: a round costs as
much for one buffer of a microphone as for two, and 32 rooms would ask for 320 rounds a second. An alert waits half of
it."""
POLL_LATER_S = 0.02
"""How long after a calm house's moment the worker looks (seconds): the sources have taken their sound by then."""

BEHIND_S = 2.0
"""Sound waiting in a room (seconds) from which rooms that cry are followed coarsely: more than a round takes, and less
than the 3 s in which a cry must be told."""
FAR_BEHIND_S = 4.0
"""The same, from which the others are too."""
CRYING_EACH, CALM_EACH = 4, 2
"""One window in so many is scored then: one a second keeps an episode alive, two a second find a new one, for which 3
of 5 must speak within 4 s."""


class Reporter(Protocol):
    """Who is told, from the worker's thread."""

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """An episode moved."""

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """A sound was finished and scored."""

    def tick(self) -> None:
        """A round is over: time for levels and the heartbeat, which only a worker that works may send."""


class Worker:
    """Hears all sources. `run` is its thread's life; `round` is one turn, for tests and replay.

    Args:
        channels: Of all sources.
        classifier: Scores their windows.
        reporter: Who is told.
        wake: Set by each inbox that got sound.
        live: Whether it may leave out windows when it falls behind; a replay is exact and has time.
        trace: Follows what happens on the way to each decision; None: nobody does.
    """

    def __init__(
        self,
        channels: Sequence[SourceChannel],
        classifier: Classifier,
        reporter: Reporter,
        wake: threading.Event,
        *,
        live: bool = False,
        trace: Trace | None = None,
    ) -> None:
        self.channels = channels
        self._trace = trace
        if trace is not None:
            for channel in channels:
                trace.follow(channel)
        self._live = live
        self.moved_at = time.monotonic()
        """When the last round ended (monotonic seconds)."""
        self._classifier = classifier
        self._teller = reporter
        self._wake = wake
        self._stop = threading.Event()

    def run(self) -> None:
        """Works until `stop`, or until every source has ended; then flushes what is open."""
        while not self._stop.is_set() and not self._over:
            self._wake.clear()
            if not self.round() and not self._over:  # nothing wakes it after the end
                if self.calm:
                    self._stop.wait(until_poll_s() + POLL_LATER_S)  # what comes meanwhile wakes nobody
                self._wake.wait(IDLE_S)
                if self._live:
                    self._stop.wait(max(0.0, self.moved_at + PACE_S - time.monotonic()))
        self.flush()

    def stop(self) -> None:
        """Asks `run` to leave after the round in hand."""
        self._stop.set()
        self._wake.set()

    def round(self) -> bool:
        """Takes at most a second from each source; says whether there is more."""
        behind_s = max((channel.inbox.held for channel in self.channels), default=0) / RATE_HZ if self._live else 0.0
        heard = [(channel, item) for channel in self.channels for item in _worth_it(channel, channel.take(), behind_s)]
        if self._trace is not None:
            for channel in self.channels:
                self._trace.heard(channel)
        self._score(heard)
        for channel in self.channels:
            self._tell(channel, channel.tracker.advance(channel.listener.position))
            if channel.flushed:
                self._tell(channel, channel.tracker.flush(channel.listener.position))
            if self._trace is not None:
                self._trace.round(channel)
            channel.published_tally = channel.tally()
            channel.inbox.calm = self._live and channel.calm and not channel.inbox.tap.at_once
        self._teller.tick()
        self.moved_at = time.monotonic()
        return any(channel.inbox.held for channel in self.channels)

    @property
    def calm(self) -> bool:
        """Whether all rooms are, so that the next round may wait; never in a replay."""
        return all(channel.inbox.calm for channel in self.channels)

    @property
    def _over(self) -> bool:
        """Whether every source has ended; a house without any waits for its first."""
        return bool(self.channels) and all(channel.flushed for channel in self.channels)

    def flush(self) -> None:
        """Hears what is still in the inboxes, ends open segments and episodes."""
        for channel in self.channels:
            channel.inbox.end()
        while not all(channel.flushed for channel in self.channels):
            self.round()

    def _score(self, heard: list[tuple[SourceChannel, Window | Segment]]) -> None:
        """Scores the windows of all sources in one pass, then walks the items in the order of their streams."""
        windows = [item for channel, item in heard if isinstance(item, Window) and channel.enabled]
        scores = iter(self._classifier.score(windows))
        for channel, item in heard:
            if not channel.enabled:
                continue
            if isinstance(item, Window):
                scored = next(scores)
                events = channel.window(item, scored)
                if self._trace is not None:
                    self._trace.window(channel, item, scored)
                self._tell(channel, events)
            elif over := channel.over(
                item
            ):  # empty where the room was switched on in the middle of the sound, or tested
                pooled = pool(over)
                if self._trace is not None:
                    self._trace.segment(channel, item, pooled)
                self._teller.segment(channel, item, pooled)
                self._tell(channel, channel.tracker.segment(item, pooled, channel.on_p))

    def _tell(self, channel: SourceChannel, events: list[CryEvent]) -> None:
        for event in events:
            if self._trace is not None:
                self._trace.event(channel, event)
            self._teller.event(channel, event)


def _worth_it(channel: SourceChannel, items: list[Window | Segment], behind_s: float) -> list[Window | Segment]:
    """Leaves out windows as far as the worker is behind (seconds); the first of a round and all segments stay."""
    crying = channel.tracker.crying
    if behind_s < (BEHIND_S if crying else FAR_BEHIND_S) or channel.test_tracker is not None:
        return items
    each, windows = CRYING_EACH if crying else CALM_EACH, itertools.count()
    return [item for item in items if isinstance(item, Segment) or next(windows) % each == 0]
