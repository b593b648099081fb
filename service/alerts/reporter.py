"""What the worker says becomes messages: durable first, then on MQTT, then on the screen.

All methods run in the worker's thread; commands from outside wait in a queue until its next tick.
"""

import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Self

from monitord.tracker import likely_reason
from monitord.types import CryEvent, Scores, Segment
from service.alerts.command_handler import CommandHandler
from service.alerts.episodes import Episodes
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.alerts.test_alarm import TestAlarms
from service.config import Config
from service.messages import cry_messages, json_lines, node_messages
from service.messages.commands import Command, TellAgain
from service.messages.message import Message
from service.messages.spectrogram import spectrogram_png
from service.pipeline.channel import SourceChannel
from service.storage.documents import DocumentStore

_log = logging.getLogger(__name__)

LEVEL_S: Final = 0.95
"""Seconds between two levels of a source, at least: the contract's second, less the jitter of a calm house's looks."""
PICTURE_S: Final = 10.0
"""Seconds between two pictures of a room's cry sounds: nobody looks more often."""
HEARTBEAT_S: Final = 30.0
"""Seconds between two heartbeats: the contract's."""


class AlertReporter:
    """Tells MQTT and the screen.

    Args:
        publisher: Where it is told.
        channels: By source.
        episodes: Of the whole house.
        command_handler: Whose commands are obeyed.
        test_alarms: Test alarms.
        sources_ok: How many sources are heard now.
    """

    def __init__(
        self,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        episodes: Episodes,
        command_handler: CommandHandler,
        test_alarms: TestAlarms,
        *,
        sources_ok: Callable[[], int],
    ) -> None:
        self._publisher, self._channels, self._sources_ok = publisher, channels, sources_ok
        self._episodes, self._command_handler, self._test_alarms = episodes, command_handler, test_alarms
        self._started = time.monotonic()
        self._level_at = dict.fromkeys(channels, 0.0)  # when the last level was told (monotonic seconds)
        self._picture_due = dict.fromkeys(channels, 0.0)  # monotonic seconds
        self._heartbeat_due = 0.0  # when to try the next one (monotonic seconds)

    @classmethod
    def of(
        cls,
        config: Config,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        store: DocumentStore,
        *,
        sources_ok: Callable[[], int],
        fault: Callable[[str], str],
        restart: Callable[[], None],
    ) -> Self:
        """Builds it with all its parts; `fault` says what is wrong with a source, `restart` asks for a new start."""
        settings = Settings(store, channels, config.profiles)
        episodes = Episodes(publisher, channels, settings, store)
        test_alarms = TestAlarms(publisher, channels, store, fault=fault, daily_at=config.test_alarm.daily_at)
        command_handler = CommandHandler(publisher, channels, settings, episodes, test_alarms, restart=restart)
        return cls(publisher, channels, episodes, command_handler, test_alarms, sources_ok=sources_ok)

    def ask(self, command: Command) -> None:
        """Takes a command from any thread; the worker obeys at its next tick."""
        if isinstance(command, TellAgain):
            self._heartbeat_due = 0.0  # it is not retained, and without one nothing is healthy
        self._command_handler.ask(command)

    def begin(self) -> None:
        """Tells the first state and settings of every source: an entity starts with a value, not with `unknown`."""
        self._command_handler.begin()
        self._episodes.begin()
        self._test_alarms.begin_all()

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """An episode moved, or a test alarm was heard."""
        if event.event_type == "test":
            self._test_alarms.heard(channel, event)
        else:
            self._episodes.event(channel, event)

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """A sound was finished: told where it is a cry."""
        if scores.p_cry < channel.threshold:
            return
        publisher = self._publisher
        reason, _ = likely_reason(scores.reasons, channel.tracker.params.unsure_below)
        message_id, open_episode = uuid.uuid4().hex, self._episodes.open(channel.source)
        episode = None if open_episode is None else open_episode.id
        durable = publisher.send(
            cry_messages.segment(
                publisher.node,
                segment,
                scores,
                message_id=message_id,
                episode=episode,
                reason=reason,
            )
        )
        line = json_lines.replay_segment(
            segment, scores, reason=reason, message_id=message_id, episode=episode, demo=publisher.node.demo
        )
        publisher.show(line, durable=durable)

        self._draw(segment)

    def tick(self) -> None:
        """After each round: obeys commands, reminds, tells levels and the heartbeat."""
        self._command_handler.tick()
        self._episodes.tick()
        self._test_alarms.tick()
        now = time.monotonic()
        for source, channel in self._channels.items():
            fresh, told_at = channel.last_audio_monotonic, self._level_at[source]
            if fresh is not None and fresh > told_at and now - told_at >= LEVEL_S:
                self._level_at[source] = now
                dbfs, floor_dbfs = channel.listener.dbfs, channel.listener.floor_dbfs
                self._publisher.send(
                    node_messages.level(self._publisher.node, source, dbfs=dbfs, floor_dbfs=floor_dbfs)
                )
                self._publisher.screen.level(source, dbfs, floor_dbfs)
        if now >= self._heartbeat_due:
            # Without a connection it is lost: whoever waits for it would wait for the next one after that.
            told = self._publisher.send(self._heartbeat(now))
            self._heartbeat_due = now + (HEARTBEAT_S if told else LEVEL_S)

    def lag_ms(self) -> float:
        """Age of the newest sound heard, of the source that is furthest behind and still comes in (milliseconds)."""
        now = time.time()
        ages = [
            now - channel.last_audio
            for channel in self._channels.values()
            if channel.last_audio is not None and channel.inbox.held
        ]
        return max(ages, default=0.0) * 1000.0

    def _draw(self, segment: Segment) -> None:
        """Draws the last cry sound, now and then: a picture takes as long as hearing half a second."""
        source, now = segment.source, time.monotonic()
        if now < self._picture_due[source]:
            return
        self._picture_due[source] = now + PICTURE_S
        at = datetime.fromtimestamp(segment.at, UTC).astimezone()
        try:
            png = spectrogram_png(segment.samples, title=self._publisher.names[source], at=at)
        except OSError as error:  # no file descriptor left for what draws: no reason to stop hearing
            _log.warning("%s: no picture of the cry: %s", source, error)
            return
        self._publisher.send(cry_messages.spectrogram(self._publisher.node, source, png))

    def _heartbeat(self, now: float) -> Message:
        return node_messages.heartbeat(
            self._publisher.node,
            ts=time.time(),
            uptime_s=now - self._started,
            sources_ok=self._sources_ok(),
            # A room that the family has switched off is not missing.
            sources_total=sum(channel.enabled for channel in self._channels.values()),
            lag_ms=self.lag_ms(),
        )
