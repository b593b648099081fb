"""What the worker says becomes messages: durable first, then on MQTT, then on the screen.

All methods run in the worker's thread; commands from outside wait in a queue until its next tick.
"""

import logging
import queue
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from monitord.tracker import NONE, UNSURE, likely_reason
from monitord.types import CryEvent, Scores, Segment
from service import commands, lines, messages
from service.commands import Command
from service.ear import Ear
from service.messages import Message, Node

LEVEL_S: Final = 1.0
"""Seconds between two levels of a source: the contract's most."""
HEARTBEAT_S: Final = 30.0
"""Seconds between two heartbeats: the contract's."""
COMMANDS_BOUND: Final = 100
"""Commands that may wait for the worker: more than a family's fingers make in a round; the rest is refused."""
PROFILES: Final = ("day", "night", "silent")
"""Alert profiles. They never change health."""


_log = logging.getLogger(__name__)


class Screen(Protocol):
    """Who shows a person, or a script, what happens."""

    def line(self, line: lines.Line) -> None:
        """A segment or an event, as `replay` prints it, with the id that MQTT carries."""

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """The level of a source, once a second."""


@dataclass(slots=True)
class _Room:
    """What is remembered of one source between two messages."""

    episode: str | None = None
    """Id of the open episode."""
    since: float | None = None
    """Wall time at which the present state began (Unix seconds)."""
    profile: str = "day"
    snoozed_until: float = 0.0
    """Wall time up to which new episodes count as acknowledged (Unix seconds)."""
    level_at: float = 0.0
    """When the last level was told (monotonic seconds)."""


@dataclass(slots=True)
class _Clock:
    started: float = field(default_factory=time.monotonic)
    heartbeat_due: float = 0.0
    """When to try the next one (monotonic seconds)."""


class MqttTeller:
    """Tells MQTT and the screen.

    Args:
        node: Who speaks.
        ears: By source.
        tell: Makes a message durable where it must be, and sends it; returns whether it is kept until it is there.
        screen: Shows it; only after `tell`.
        sources_ok: How many sources are heard now.
        restart: Called when the family asks for a restart.
    """

    def __init__(
        self,
        node: Node,
        ears: Mapping[str, Ear],
        tell: Callable[[Message], bool],
        screen: Screen,
        *,
        sources_ok: Callable[[], int],
        restart: Callable[[], None],
    ) -> None:
        self._node, self._ears, self._send, self._screen = node, ears, tell, screen
        self._sources_ok, self._restart = sources_ok, restart
        self._rooms = {source: _Room() for source in ears}
        self._clock = _Clock()
        self._commands: queue.Queue[Command] = queue.Queue(COMMANDS_BOUND)

    def begin(self) -> None:
        """Tells the first state and settings of every source: an entity starts with a value, not with `unknown`."""
        for source, ear in self._ears.items():
            self._tell_state(ear)
            self._tell_settings(source)

    def command(self, command: Command) -> None:
        """Takes a command from any thread; the worker obeys at its next tick."""
        try:
            self._commands.put_nowait(command)
        except queue.Full:
            _log.warning("refused %s: %d commands wait already", command, COMMANDS_BOUND)

    def event(self, ear: Ear, event: CryEvent) -> None:
        """An episode moved: event, state and attributes."""
        room = self._rooms[ear.source]
        started, ended = event.event_type == "started", event.event_type == "ended"
        began = ear.listener.at(event.start)
        decided = ear.listener.at(event.decided)
        if started:
            room.episode = messages.episode_id(ear.source, began, event.episode)
            room.since = began
        episode = room.episode or messages.episode_id(ear.source, began, event.episode)
        if ended:
            room.episode, room.since = None, decided
        latency_ms = max(0, round((time.time() - began) * 1000)) if started else None
        self._tell_event(event, episode, decided, latency_ms)
        self._send(
            messages.episode(
                self._node,
                ear.source,
                episode=episode,
                since=began,
                ended=decided if ended else None,
                p_cry=event.p_cry,
                reason=event.reason,
                reason_p=event.reason_p,
                reasons=event.reasons,
            )
        )
        self._tell_state(ear, NONE if ended else event.reason, 0.0 if ended else event.reason_p)
        if started and time.time() < room.snoozed_until:
            self._acknowledge(ear.source, None)

    def segment(self, ear: Ear, segment: Segment, scores: Scores) -> None:
        """A sound was finished: told where it is a cry."""
        if scores.p_cry < ear.threshold:
            return
        reason, _ = likely_reason(scores.reasons, ear.tracker.params.unsure_below)
        message_id, episode = uuid.uuid4().hex, self._rooms[ear.source].episode
        self._send(messages.segment(self._node, segment, scores, message_id=message_id, episode=episode, reason=reason))
        self._screen.line(
            lines.replay_segment(
                segment, scores, reason=reason, message_id=message_id, episode=episode, demo=self._node.demo
            )
        )

    def tick(self) -> None:
        """After each round: obeys commands, tells levels and the heartbeat."""
        while not self._commands.empty():
            self._obey(self._commands.get_nowait())
        now = time.monotonic()
        for source, ear in self._ears.items():
            room = self._rooms[source]
            fresh = ear.last_audio_monotonic
            if fresh is not None and fresh > room.level_at and now - room.level_at >= LEVEL_S:
                room.level_at = now
                level = messages.level(self._node, source, dbfs=ear.listener.dbfs, floor_dbfs=ear.listener.floor_dbfs)
                self._send(level)
                self._screen.level(source, ear.listener.dbfs, ear.listener.floor_dbfs)
        if now >= self._clock.heartbeat_due:
            # Without a connection it is lost: whoever waits for it would wait for the next one after that.
            told = self._send(self._heartbeat(now))
            self._clock.heartbeat_due = now + (HEARTBEAT_S if told else LEVEL_S)

    def lag_ms(self) -> float:
        """Age of the newest sound heard, of the source that is furthest behind and still comes in (milliseconds)."""
        now = time.time()
        ages = [now - ear.last_audio for ear in self._ears.values() if ear.last_audio is not None and ear.inbox.held]
        return max(ages, default=0.0) * 1000.0

    def _heartbeat(self, now: float) -> Message:
        return messages.heartbeat(
            self._node,
            ts=time.time(),
            uptime_s=now - self._clock.started,
            sources_ok=self._sources_ok(),
            sources_total=len(self._ears),
            lag_ms=self.lag_ms(),
        )

    def _obey(self, command: Command) -> None:  # noqa: C901 - one arm per command
        match command:
            case commands.TestAlarm():
                for ear in self._ears.values():
                    self._test(ear)
            case commands.Restart():
                self._restart()
            case commands.SetEnabled(source, enabled):
                ear = self._ears[source]
                ear.enabled = enabled
                if not enabled:
                    for event in ear.tracker.flush(ear.listener.position):
                        self.event(ear, event)
                self._tell_settings(source)
            case commands.SetThreshold(source, threshold):
                self._ears[source].on_p = threshold
                self._tell_settings(source)
            case commands.SetProfile(source, profile):
                if profile in PROFILES:
                    self._rooms[source].profile = profile
                self._tell_settings(source)
            case commands.Acknowledge(source, episode):
                self._acknowledge(source, episode)
            case commands.Snooze(source, minutes):
                self._rooms[source].snoozed_until = time.time() + 60 * minutes
                self._acknowledge(source, None)

    def _acknowledge(self, source: str, episode: str | None) -> None:
        ear = self._ears[source]
        if episode in (None, self._rooms[source].episode):
            for event in ear.tracker.acknowledge():
                self.event(ear, event)

    def _test(self, ear: Ear) -> None:
        position = ear.listener.position
        event = CryEvent(0, ear.source, "test", position, position, 0.0, UNSURE, 0.0)
        now = time.time()
        self._tell_event(event, messages.episode_id(ear.source, now, 0), now, 0)

    def _tell_event(self, event: CryEvent, episode: str, ts: float, latency_ms: int | None) -> None:
        message_id = uuid.uuid4().hex
        self._send(
            messages.event(self._node, event, message_id=message_id, episode=episode, ts=ts, latency_ms=latency_ms)
        )
        self._screen.line(lines.replay_event(event, message_id=message_id, episode=episode, demo=self._node.demo))

    def _tell_state(self, ear: Ear, reason: str = NONE, reason_p: float = 0.0) -> None:
        room = self._rooms[ear.source]
        self._send(
            messages.state(
                self._node,
                ear.source,
                crying=ear.tracker.crying,
                reason=reason,
                reason_p=reason_p,
                since=room.since,
                episode=room.episode,
            )
        )

    def _tell_settings(self, source: str) -> None:
        ear = self._ears[source]
        profile = self._rooms[source].profile
        self._send(messages.settings(self._node, source, enabled=ear.enabled, threshold=ear.threshold, profile=profile))
