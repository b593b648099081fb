"""What the worker hears is told: durable first, then on MQTT, then on the screen. All in the worker's thread."""

import datetime as dt
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from monitord.household import Household
from monitord.tracker import likely_reason
from monitord.types import CryEvent, Scores, Segment
from service.adaptation.adapter import Adapter
from service.alerts.command_handler import CommandHandler
from service.alerts.command_queue import CommandQueue
from service.alerts.episodes import Episodes
from service.alerts.publisher import Publisher
from service.alerts.room_settings import Settings
from service.alerts.telemetry import Telemetry
from service.alerts.test_alarm import TestAlarms
from service.messages import cry_messages
from service.messages.json_lines import replay_segment
from service.messages.spectrogram import spectrogram_png
from service.pipeline.channel import SourceChannel
from service.settings.profiles import ProfilesConfig
from service.storage.documents import DocumentStore

_log = logging.getLogger(__name__)

PICTURE_S: Final = 10.0
"""Seconds between two pictures of a room's cry sounds: nobody looks more often."""


class Health(Protocol):
    """Who knows whether rooms are heard."""

    def count_heard(self) -> int:
        """How many are."""

    def fault_of(self, source: str) -> str:
        """What is wrong with a room, in words; empty where nothing is."""


class AlertReporter:
    """Told by the worker what it hears.

    Args:
        publisher: Where it is told.
        channels: By source.
        store: Keeps what must outlive a restart.
        queue: Where commands wait.
        household: Empty; which episodes are open, for whoever asks.
        health: Knows which rooms are heard.
        adapter: Learns from the family's word on episodes.
        profiles: From the configuration.
        daily_at: Local time of the daily test alarm; None is never.
        restart: Called when somebody asks for a restart.
    """

    def __init__(
        self,
        publisher: Publisher,
        channels: Mapping[str, SourceChannel],
        store: DocumentStore,
        queue: CommandQueue,
        *,
        household: Household,
        health: Health,
        adapter: Adapter,
        profiles: ProfilesConfig,
        daily_at: dt.time | None,
        restart: Callable[[], None],
    ) -> None:
        settings = Settings(store, channels, profiles)
        self._publisher = publisher
        self._episodes = Episodes(publisher, channels, settings, store, household)
        self._test_alarms = TestAlarms(publisher, channels, store, fault=health.fault_of, daily_at=daily_at)
        self._telemetry = Telemetry(publisher, channels, health.count_heard)
        self._command_handler = CommandHandler(
            queue,
            publisher,
            channels,
            settings=settings,
            episodes=self._episodes,
            test_alarms=self._test_alarms,
            telemetry=self._telemetry,
            adapter=adapter,
            restart=restart,
        )
        self._adapter = adapter
        self._picture_due = dict.fromkeys(channels, 0.0)  # monotonic seconds

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
        message_id, episode = uuid.uuid4().hex, self._episodes.open(channel.source)
        message = cry_messages.segment(
            publisher.node, segment, scores, message_id=message_id, episode=episode, reason=reason
        )
        line = replay_segment(segment, scores, reason=reason)
        publisher.publish(message, line, message_id, episode=None if episode is None else episode.id)
        self._draw(segment)

    def tick(self) -> None:
        """After each round: obeys commands, reminds, tells levels and the heartbeat."""
        self._command_handler.tick()
        self._episodes.tick()
        self._test_alarms.tick()
        self._telemetry.tick()
        self._adapter.tick()

    def _draw(self, segment: Segment) -> None:
        """Draws the last cry sound, now and then: a picture takes as long as hearing half a second."""
        source, now = segment.source, time.monotonic()
        if now < self._picture_due[source]:
            return
        self._picture_due[source] = now + PICTURE_S
        at = dt.datetime.fromtimestamp(segment.at, dt.UTC).astimezone()
        try:
            png = spectrogram_png(segment.samples, title=self._publisher.names[source], at=at)
        except OSError as error:  # no file descriptor left for what draws: no reason to stop hearing
            _log.warning("%s: no picture of the cry: %s", source, error)
            return
        self._publisher.send(cry_messages.spectrogram(self._publisher.node, source, png))
