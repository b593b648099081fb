"""Looks at every source twice a second, and tells what it sees: status, fault and counts."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from monitord.continuity import Continuity
from monitord.faults import Fault
from monitord.types import RATE_HZ
from service.capture.source import Source, SourceState, SourceStatus
from service.health.outage_notice import OutageNotice
from service.health.verdict import STUCK_S, WAITING_S, RoomHealth, Signs, is_heard, judge
from service.messages import node_messages
from service.messages.fault_messages import fault_event
from service.messages.message import Message, Node
from service.messages.texts import Texts
from service.notify.notice import Notice
from service.pipeline.channel import SourceChannel
from service.terminal.journal import Screen

POLL_S: Final = 0.5
"""Seconds between two looks: a fault after 7 s of silence is told well within 10 s."""
HEALTH_S: Final = 30.0
"""Seconds after which the counts are told again although no fault changed."""


@dataclass(slots=True)
class _Watched:
    """A source, its channel, and what was seen of them last."""

    source: Source
    channel: SourceChannel
    notice: OutageNotice
    health: RoomHealth
    told: tuple[bool, Fault, int, str] | None = None
    """Whether it was heard, its fault, its reconnects and what of it is heard, as told last."""
    fault_at: float = 0.0
    """Wall time at which the fault came (Unix seconds)."""
    counts_told_at: float = 0.0
    """When the counts were told last (monotonic seconds)."""
    continuity: Continuity = field(default_factory=Continuity)
    late_since: float | None = None
    """Since when too much sound waits for the worker (monotonic seconds)."""
    started: float = field(default_factory=time.monotonic)


class HealthMonitor:
    """Watches from the main thread, so that a stuck worker cannot hide itself.

    Args:
        node: Who speaks.
        names: What people call each source, by id.
        watched: Every source with its channel.
        tell: Takes messages for MQTT.
        screen: Who shows a person what became of a source.
        texts: What phones are told, in the family's language.
        notify: Tells phones; returns at once.
    """

    def __init__(
        self,
        node: Node,
        names: Mapping[str, str],
        watched: Sequence[tuple[Source, SourceChannel]],
        *,
        tell: Callable[[Message], bool],
        screen: Screen,
        texts: Texts,
        notify: Callable[[Notice], None],
    ) -> None:
        self._node, self._tell, self._screen = node, tell, screen
        self._polled = time.monotonic()
        self._moved: float | None = None  # what the worker said at the last look
        self._rooms = {
            source.id: _Watched(
                source,
                channel,
                OutageNotice.of_room(node, source.id, names[source.id], texts, notify),
                RoomHealth(source.id, names[source.id]),
            )
            for source, channel in watched
        }
        self.still_s = 0.0
        """For how long the worker has not moved, as far as we were awake to see it (seconds)."""

    @property
    def rooms(self) -> list[RoomHealth]:
        """How every room stood at the last look."""
        return [room.health for room in self._rooms.values()]

    def count_heard(self) -> int:
        """How many rooms are heard."""
        return sum(room.heard for room in self.rooms)

    def fault_of(self, source: str) -> str:
        """What is wrong with a room, in words; empty where nothing is."""
        return self._rooms[source].health.words

    def poll(self, moved_at: float | None = None) -> None:
        """Judges every room; tells what changed, and the counts now and then.

        Args:
            moved_at: When the worker last finished a round (monotonic seconds); None where there is no worker yet.
        """
        now = time.monotonic()
        self._watch_worker(now, moved_at)
        for room in self._rooms.values():
            status = room.source.status()
            before, room.health = room.health, self._judge(room, status, now)
            if before.fault != room.health.fault:
                self._tell_fault(room, before.fault, status.detail)
            self._tell_changes(room, status, now)
            health = room.health
            room.notice.poll(failing=health.fails, wanted=health.wanted, at_times=health.heard, fault=health.fault)

    @property
    def stuck(self) -> bool:
        """Whether the worker does not move: every source is then told as not heard."""
        return self.still_s > STUCK_S

    def _watch_worker(self, now: float, moved_at: float | None) -> None:
        stands = moved_at is not None and moved_at == self._moved
        # After a sleep of the whole machine the worker had no more time than we: at most two looks count.
        self.still_s = self.still_s + min(now - self._polled, 2 * POLL_S) if stands else 0.0
        self._moved, self._polled = moved_at, now

    def _judge(self, room: _Watched, status: SourceStatus, now: float) -> RoomHealth:
        channel, before = room.channel, room.health
        heard_at = channel.last_audio_monotonic
        signs = self._signs(room, status, now)
        fault = judge(signs)
        wanted = channel.enabled and status.state is not SourceState.ENDED  # a recording that is over is no fault
        crying_since = (before.crying_since or time.time()) if channel.tracker.crying else None
        return replace(
            before,
            wanted=wanted,
            heard=is_heard(signs, fault, ever=heard_at is not None, enabled=channel.enabled),
            fault=fault,
            heard_at=heard_at,
            crying_since=crying_since,
        )

    def _signs(self, room: _Watched, status: SourceStatus, now: float) -> Signs:
        channel = room.channel
        heard_at = channel.last_audio_monotonic
        came = channel.inbox.tally()
        room.continuity.feed(now, (came.captured - came.lost) / RATE_HZ, status.reconnects)
        waiting_s = channel.inbox.held / RATE_HZ
        if waiting_s < WAITING_S:
            room.late_since = None
        elif room.late_since is None:
            room.late_since = now
        return Signs(
            status.state,
            samples=channel.fault,
            silent_s=now - (room.started if heard_at is None else heard_at),
            wrong_rate=channel.inbox.wrong_rate,
            waiting_s=waiting_s,
            late_s=0.0 if room.late_since is None else now - room.late_since,
            heard_badly=room.continuity.heard_badly and status.state is not SourceState.ENDED,
            stuck=self.stuck,
            opposite=channel.inbox.opposite,
            says=status.says,
        )

    def _tell_fault(self, room: _Watched, before: Fault, detail: str) -> None:
        """Durable: a fault that comes and goes while the broker is away leaves a trace."""
        at, source, fault = time.time(), room.health.source, room.health.fault
        self._screen.fault(source, fault, detail)
        since = room.fault_at if before != "ok" else room.channel.last_audio or at
        self._tell(
            fault_event(
                self._node,
                source,
                fault,
                message_id=uuid.uuid4().hex,
                ts=at,
                since=since,
                detail="" if fault == "ok" else detail,
            )
        )
        room.fault_at = at

    def _tell_changes(self, room: _Watched, status: SourceStatus, now: float) -> None:
        health = room.health
        # A source is heard a moment before its thread counts that it was opened again.
        seen = (health.heard, health.fault, status.reconnects, status.part)
        if changed := seen != room.told:
            room.told = seen
            self._tell(node_messages.source_status(self._node, health.source, online=health.heard))
        if changed or now - room.counts_told_at >= HEALTH_S:
            room.counts_told_at = now
            self._tell(
                node_messages.health(
                    self._node,
                    health.source,
                    fault=health.fault,
                    tally=room.channel.published_tally,
                    reconnects=status.reconnects,
                    last_audio=room.channel.last_audio,
                    hears=status.part,
                )
            )
