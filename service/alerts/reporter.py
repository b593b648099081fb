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
from service.alerts.command_handler import Family
from service.alerts.episodes import Episodes
from service.alerts.publisher import Voice
from service.alerts.room_settings import Settings
from service.alerts.test_alarm import Proving
from service.config import Config
from service.messages import cry_messages, json_lines, messages
from service.messages.commands import Command, TellAgain
from service.messages.messages import Message
from service.messages.spectrogram import spectrogram_png
from service.pipeline.channel import Ear
from service.storage.documents import Store

_log = logging.getLogger(__name__)

LEVEL_S: Final = 0.95
"""Seconds between two levels of a source, at least: the contract's second, less the jitter of a calm house's looks."""
PICTURE_S: Final = 10.0
"""Seconds between two pictures of a room's cry sounds: nobody looks more often."""
HEARTBEAT_S: Final = 30.0
"""Seconds between two heartbeats: the contract's."""


class MqttTeller:
    """Tells MQTT and the screen.

    Args:
        voice: Where it is told.
        ears: By source.
        episodes: Of the whole house.
        family: Whose commands are obeyed.
        proving: Test alarms.
        sources_ok: How many sources are heard now.
    """

    def __init__(
        self,
        voice: Voice,
        ears: Mapping[str, Ear],
        episodes: Episodes,
        family: Family,
        proving: Proving,
        *,
        sources_ok: Callable[[], int],
    ) -> None:
        self._voice, self._ears, self._sources_ok = voice, ears, sources_ok
        self._episodes, self._family, self._proving = episodes, family, proving
        self._started = time.monotonic()
        self._level_at = dict.fromkeys(ears, 0.0)  # when the last level was told (monotonic seconds)
        self._picture_due = dict.fromkeys(ears, 0.0)  # monotonic seconds
        self._heartbeat_due = 0.0  # when to try the next one (monotonic seconds)

    @classmethod
    def of(
        cls,
        config: Config,
        voice: Voice,
        ears: Mapping[str, Ear],
        store: Store,
        *,
        sources_ok: Callable[[], int],
        fault: Callable[[str], str],
        restart: Callable[[], None],
    ) -> Self:
        """Builds it with all its parts; `fault` says what is wrong with a source, `restart` asks for a new start."""
        settings = Settings(store, ears, config.profiles)
        episodes = Episodes(voice, ears, settings, store)
        proving = Proving(voice, ears, store, fault=fault, daily_at=config.test_alarm.daily_at)
        family = Family(voice, ears, settings, episodes, proving, restart=restart)
        return cls(voice, ears, episodes, family, proving, sources_ok=sources_ok)

    def ask(self, command: Command) -> None:
        """Takes a command from any thread; the worker obeys at its next tick."""
        if isinstance(command, TellAgain):
            self._heartbeat_due = 0.0  # it is not retained, and without one nothing is healthy
        self._family.ask(command)

    def begin(self) -> None:
        """Tells the first state and settings of every source: an entity starts with a value, not with `unknown`."""
        self._family.begin()
        self._episodes.begin()
        self._proving.begin_all()

    def event(self, ear: Ear, event: CryEvent) -> None:
        """An episode moved, or a test alarm was heard."""
        if event.event_type == "test":
            self._proving.heard(ear, event)
        else:
            self._episodes.event(ear, event)

    def segment(self, ear: Ear, segment: Segment, scores: Scores) -> None:
        """A sound was finished: told where it is a cry."""
        if scores.p_cry < ear.threshold:
            return
        voice = self._voice
        reason, _ = likely_reason(scores.reasons, ear.tracker.params.unsure_below)
        message_id, open_episode = uuid.uuid4().hex, self._episodes.open(ear.source)
        episode = None if open_episode is None else open_episode.id
        durable = voice.send(
            cry_messages.segment(
                voice.node,
                segment,
                scores,
                message_id=message_id,
                episode=episode,
                reason=reason,
            )
        )
        line = json_lines.replay_segment(
            segment, scores, reason=reason, message_id=message_id, episode=episode, demo=voice.node.demo
        )
        voice.show(line, durable=durable)

        self._draw(segment)

    def tick(self) -> None:
        """After each round: obeys commands, reminds, tells levels and the heartbeat."""
        self._family.tick()
        self._episodes.tick()
        self._proving.tick()
        now = time.monotonic()
        for source, ear in self._ears.items():
            fresh, told_at = ear.last_audio_monotonic, self._level_at[source]
            if fresh is not None and fresh > told_at and now - told_at >= LEVEL_S:
                self._level_at[source] = now
                dbfs, floor_dbfs = ear.listener.dbfs, ear.listener.floor_dbfs
                self._voice.send(messages.level(self._voice.node, source, dbfs=dbfs, floor_dbfs=floor_dbfs))
                self._voice.screen.level(source, dbfs, floor_dbfs)
        if now >= self._heartbeat_due:
            # Without a connection it is lost: whoever waits for it would wait for the next one after that.
            told = self._voice.send(self._heartbeat(now))
            self._heartbeat_due = now + (HEARTBEAT_S if told else LEVEL_S)

    def lag_ms(self) -> float:
        """Age of the newest sound heard, of the source that is furthest behind and still comes in (milliseconds)."""
        now = time.time()
        ages = [now - ear.last_audio for ear in self._ears.values() if ear.last_audio is not None and ear.inbox.held]
        return max(ages, default=0.0) * 1000.0

    def _draw(self, segment: Segment) -> None:
        """Draws the last cry sound, now and then: a picture takes as long as hearing half a second."""
        source, now = segment.source, time.monotonic()
        if now < self._picture_due[source]:
            return
        self._picture_due[source] = now + PICTURE_S
        at = datetime.fromtimestamp(segment.at, UTC).astimezone()
        try:
            png = spectrogram_png(segment.samples, title=self._voice.names[source], at=at)
        except OSError as error:  # no file descriptor left for what draws: no reason to stop hearing
            _log.warning("%s: no picture of the cry: %s", source, error)
            return
        self._voice.send(cry_messages.spectrogram(self._voice.node, source, png))

    def _heartbeat(self, now: float) -> Message:
        return messages.heartbeat(
            self._voice.node,
            ts=time.time(),
            uptime_s=now - self._started,
            sources_ok=self._sources_ok(),
            # A room that the family has switched off is not missing.
            sources_total=sum(ear.enabled for ear in self._ears.values()),
            lag_ms=self.lag_ms(),
        )
