"""What is told all the time: levels, and the heartbeat that only a worker that works can send."""

import time
from collections.abc import Callable, Mapping
from typing import Final

from monitord.quiet_minutes import NEAR
from service.alerts.publisher import Publisher
from service.messages import node_messages
from service.messages.message import Message
from service.pipeline.channel import SourceChannel

LEVEL_S: Final = 0.95
"""Seconds between two levels of a source, at least: the contract's second, less the jitter of a calm house's looks."""
HEARTBEAT_S: Final = 30.0
"""Seconds between two heartbeats: the contract's."""


class Telemetry:
    """Used by the worker alone.

    Args:
        publisher: Where it is told.
        channels: By source.
        count_heard: How many rooms are heard now.
    """

    def __init__(
        self, publisher: Publisher, channels: Mapping[str, SourceChannel], count_heard: Callable[[], int]
    ) -> None:
        self._publisher, self._channels, self._count_heard = publisher, channels, count_heard
        self._started = time.monotonic()
        self._level_at = dict.fromkeys(channels, 0.0)  # when the last level was told (monotonic seconds)
        self._heartbeat_due = 0.0  # when to try the next one (monotonic seconds)

    def tick(self) -> None:
        """Tells what is due."""
        now = time.monotonic()
        for source, channel in self._channels.items():
            fresh, told_at = channel.last_audio_monotonic, self._level_at[source]
            if fresh is not None and fresh > told_at and now - told_at >= LEVEL_S:
                self._level_at[source] = now
                self._tell_level(source, channel)
        if now >= self._heartbeat_due:
            # Without a connection it is lost: whoever waits for it would wait for the next one after that.
            told = self._publisher.send(self._heartbeat(now))
            self._heartbeat_due = now + (HEARTBEAT_S if told else LEVEL_S)

    def tell_again(self) -> None:
        """Sends a heartbeat at the next tick: it is not retained, and without one nothing is healthy."""
        self._heartbeat_due = 0.0

    def lag_ms(self) -> float:
        """Age of the newest sound heard, of the source that is furthest behind and still comes in (milliseconds)."""
        now = time.time()
        ages = [
            now - channel.last_audio
            for channel in self._channels.values()
            if channel.last_audio is not None and channel.inbox.held
        ]
        return max(ages, default=0.0) * 1000.0

    def _tell_level(self, source: str, channel: SourceChannel) -> None:
        dbfs, floor_dbfs = channel.listener.dbfs, channel.listener.floor_dbfs
        tracker = channel.tracker
        evidence = tracker.evidence(channel.listener.position)
        self._publisher.send(
            node_messages.level(
                self._publisher.node,
                source,
                dbfs=dbfs,
                floor_dbfs=floor_dbfs,
                evidence=evidence,
                on=tracker.on,
                quiet_from=channel.hindsight.quiet_from(NEAR),
            )
        )
        self._publisher.screen.level(source, dbfs, floor_dbfs)

    def _heartbeat(self, now: float) -> Message:
        return node_messages.heartbeat(
            self._publisher.node,
            ts=time.time(),
            uptime_s=now - self._started,
            sources_ok=self._count_heard(),
            # A room that the family has switched off is not missing.
            sources_total=sum(channel.enabled for channel in self._channels.values()),
            lag_ms=self.lag_ms(),
        )
