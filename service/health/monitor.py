"""Looks at every source twice a second, and tells what it sees: status, fault and counts."""

import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from monitord.faults import Fault
from monitord.types import RATE_HZ
from service.capture.source import Source, SourceState, SourceStatus
from service.health.outage_notice import OutageNotice
from service.health.verdict import STUCK_S, WAITING_S, Signs, is_online, judge
from service.messages import node_messages
from service.messages.fault_messages import fault_event
from service.messages.message import Message, Node
from service.pipeline.channel import SourceChannel
from service.terminal.console_text import fault_words

POLL_S: Final = 0.5
"""Seconds between two looks: a fault after 7 s of silence is told well within 10 s."""
HEALTH_S: Final = 30.0
"""Seconds after which the counts are told again although no fault changed."""


class Screen(Protocol):
    """Who shows a person what became of a source."""

    def fault(self, source: str, fault: Fault, detail: str = "") -> None:
        """A source has another fault, or with `ok` none any more."""


@dataclass(slots=True)
class _Seen:
    online: bool | None = None
    fault: Fault = "ok"
    reconnects: int = 0
    fault_at: float = 0.0
    """Wall time at which the fault came (Unix seconds)."""
    told_at: float = 0.0
    """When the health was last told (monotonic seconds)."""
    late_since: float | None = None
    """Since when too much sound waits for the worker (monotonic seconds)."""


class HealthMonitor:
    """Watches from the main thread, so that a stuck worker cannot hide itself.

    Args:
        node: Who speaks.
        watched: Every source with its channel.
        tell: Takes messages for MQTT.
        screen: Who shows a person what became of a source.
        hearing: Tells phones.
        moved_at: When the worker last finished a round (monotonic seconds); None where there is no worker.
    """

    def __init__(
        self,
        node: Node,
        watched: Sequence[tuple[Source, SourceChannel]],
        tell: Callable[[Message], bool],
        screen: Screen,
        hearing: OutageNotice,
        *,
        moved_at: Callable[[], float] | None = None,
    ) -> None:
        self._node, self._watched, self._tell, self._screen, self._hearing = node, watched, tell, screen, hearing
        self._started = self._looked = time.monotonic()
        self._moved_at = moved_at
        self._moved = 0.0  # what it said at the last look
        self._seen = {channel.source: _Seen() for _, channel in watched}
        self.still_s = 0.0
        """For how long the worker has not moved, as far as we were awake to see it (seconds)."""

    def count_ok(self) -> int:
        """How many sources are heard."""
        return sum(seen.online is True for seen in self._seen.values())

    def fault_of(self, source: str) -> str:
        """What is wrong with a source, in words; empty when it is heard."""
        fault = self._seen[source].fault
        return "" if fault == "ok" else fault_words(fault)

    def poll(self) -> None:
        """Judges every source; tells what changed, and the counts now and then."""
        now = time.monotonic()
        self._watch_worker(now)
        for source, channel in self._watched:
            status = source.status()
            signs = self._signs(channel, status, now)
            fault = judge(signs)
            online = is_online(signs, fault, heard=channel.last_audio_monotonic is not None, enabled=channel.enabled)
            self._compare(channel, status, online=online, fault=fault, now=now)
            # A recording that is over is no fault.
            wanted = channel.enabled and status.state is not SourceState.ENDED
            self._hearing.poll(channel.source, fault, heard=online, wanted=wanted)

    @property
    def stuck(self) -> bool:
        """Whether the worker does not move: every source is then told as not heard."""
        return self.still_s > STUCK_S

    def _watch_worker(self, now: float) -> None:
        moved = now if self._moved_at is None else self._moved_at()
        # After a sleep of the whole machine the worker had no more time than we: at most two looks count.
        self.still_s = self.still_s + min(now - self._looked, 2 * POLL_S) if moved == self._moved else 0.0
        self._moved, self._looked = moved, now

    def _signs(self, channel: SourceChannel, status: SourceStatus, now: float) -> Signs:
        seen, heard_at = self._seen[channel.source], channel.last_audio_monotonic
        waiting_s = channel.inbox.held / RATE_HZ
        if waiting_s < WAITING_S:
            seen.late_since = None
        elif seen.late_since is None:
            seen.late_since = now
        return Signs(
            status.state,
            samples=channel.fault,
            silent_s=now - (self._started if heard_at is None else heard_at),
            wrong_rate=channel.inbox.wrong_rate,
            waiting_s=waiting_s,
            late_s=0.0 if seen.late_since is None else now - seen.late_since,
            stuck=self.stuck,
        )

    def _tell_fault(self, channel: SourceChannel, seen: _Seen, fault: Fault, detail: str) -> None:
        """Durable: a fault that comes and goes while the broker is away leaves a trace."""
        at = time.time()
        since = seen.fault_at if seen.fault != "ok" else channel.last_audio or at
        self._tell(
            fault_event(
                self._node,
                channel.source,
                fault,
                message_id=uuid.uuid4().hex,
                ts=at,
                since=since,
                detail="" if fault == "ok" else detail,
            )
        )
        seen.fault_at = at

    def _compare(self, channel: SourceChannel, status: SourceStatus, *, online: bool, fault: Fault, now: float) -> None:
        seen = self._seen[channel.source]
        if seen.fault != fault:
            self._screen.fault(channel.source, fault, status.detail)
            self._tell_fault(channel, seen, fault, status.detail)
        # A source is heard a moment before its thread counts that it was opened again.
        changed = (seen.online, seen.fault, seen.reconnects) != (online, fault, status.reconnects)
        seen.online, seen.fault, seen.reconnects = online, fault, status.reconnects
        if changed:
            self._tell(node_messages.source_status(self._node, channel.source, online=online))
        if changed or now - seen.told_at >= HEALTH_S:
            seen.told_at = now
            self._tell(
                node_messages.health(
                    self._node,
                    channel.source,
                    fault=fault,
                    tally=channel.published_tally,
                    reconnects=status.reconnects,
                    last_audio=channel.last_audio,
                )
            )
