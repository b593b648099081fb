"""Why it rang, or why it did not: what the worker saw on its way to each decision, line by line.

Nothing of it is worked out where nobody asks: a worker without a trace and a listener without `looks` do none of this.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from monitord.faults import Fault
from monitord.listening.gate import frame_dbfs
from monitord.listening.look import Look, TooShort
from monitord.tracker import likely_reason
from monitord.types import RATE_HZ, CryEvent, Scores, Segment, Window
from service.messages import trace_lines
from service.messages.json_lines import Line, replay_event, replay_segment
from service.messages.message import iso_utc
from service.pipeline.channel import SourceChannel

STRETCH_S: Final = 5.0
"""Longest stretch of a gate that stands still (seconds): what came nearest to the bound in it is told. Without it a
quiet night would be one line."""


@dataclass(slots=True)
class _Stretch:
    """A gate that stands still: from `start` (samples at 16 kHz) on."""

    start: int
    nearest: Look
    """The frame that came nearest to the bound, or passed it by most."""

    def is_over(self, look: Look) -> bool:
        """Whether the next frame begins another: the gate has moved, or it is long enough."""
        return look.opening != self.nearest.opening or look.start - self.start >= STRETCH_S * RATE_HZ


@dataclass(slots=True)
class _Room:
    """What is kept of one source."""

    newest: Look | None = None
    looks: dict[int, Look] = field(default_factory=dict)
    """Of this round and the newest before it, by their end (samples at 16 kHz)."""
    due: deque[int] = field(default_factory=deque)
    """Ends of windows that are not scored yet (samples at 16 kHz)."""
    stretch: _Stretch | None = None
    waiting: list[tuple[int, Line]] = field(default_factory=list)
    """Lines until their turn comes, with the position at which they were known (samples at 16 kHz)."""
    crying: bool = False
    told: tuple[bool, float, Fault] | None = None
    """Whether it was listened to, with which threshold, and its fault, as written last."""


class Trace:
    """Follows the worker. All methods are called by the worker's thread.

    Args:
        write: Takes each line.
        live: Whether each line has a wall time, `at`, and segments and events are written too: a replay prints them.
    """

    def __init__(self, write: Callable[[Line], object], *, live: bool = False) -> None:
        self._write, self._live = write, live
        self._rooms: dict[str, _Room] = {}

    def follow(self, channel: SourceChannel) -> None:
        """Begins with a source, before anything of it is heard."""
        channel.listener.looks = []
        self._rooms[channel.source] = _Room()

    def heard(self, channel: SourceChannel) -> None:
        """Takes what the gate made of a round's sound, before its windows are scored."""
        room, looks = self._rooms[channel.source], channel.listener.looks
        if room.newest is not None or looks:  # before any sound there is no time
            self._tell_settings(channel, room)
        for look in looks or ():
            if isinstance(look, TooShort):
                least = channel.listener.least_samples
                room.waiting.append((look.known, trace_lines.too_short(channel.source, look.start, look.end, least)))
            else:
                self._follow_gate(channel.source, room, look)
        channel.listener.looks = []
        if channel.flushed and room.newest is not None:
            self._end_stretch(channel.source, room, room.newest.end)

    def window(self, channel: SourceChannel, window: Window, scores: Scores) -> None:
        """Takes a window that was scored and has met the tracker."""
        room, tracker = self._rooms[channel.source], channel.tracker
        skipped = 0
        while room.due and room.due[0] <= window.end:
            skipped += room.due.popleft() < window.end
        line = trace_lines.window(
            window,
            scores,
            room.looks[window.end],
            dbfs=float(frame_dbfs(window.samples[None])[0]),
            threshold=channel.threshold,
            evidence=tracker.evidence(window.end),
            on=tracker.on,
            crying=tracker.crying,
            skipped=skipped,
            test=channel.is_test(window),
        )
        self._release(channel, room, window.end)
        self._emit(channel, window.end, line)

    def segment(self, channel: SourceChannel, segment: Segment, scores: Scores) -> None:
        """Takes a sound that was finished and scored."""
        self._release(channel, self._rooms[channel.source], segment.closed)
        if self._live:
            reason, _ = likely_reason(scores.reasons, channel.tracker.params.unsure_below)
            self._emit(channel, segment.closed, replay_segment(segment, scores, reason=reason))

    def event(self, channel: SourceChannel, event: CryEvent) -> None:
        """Takes what the tracker decided."""
        room = self._rooms[channel.source]
        self._release(channel, room, event.decided)
        if event.event_type in {"started", "ended"}:
            self._tell_state(channel, room, event.decided, crying=event.event_type == "started")
        if self._live:
            self._emit(channel, event.decided, replay_event(event))

    def round(self, channel: SourceChannel) -> None:
        """Ends a round: all of it is scored."""
        room, position = self._rooms[channel.source], channel.listener.position
        self._release(channel, room, position)
        if channel.tracker.crying is not room.crying:  # another room's cry opened it, or it was switched off
            self._tell_state(channel, room, position, crying=channel.tracker.crying)
        if not channel.enabled:
            room.due.clear()
        room.looks = {} if room.newest is None else {room.newest.end: room.newest}

    def _follow_gate(self, source: str, room: _Room, look: Look) -> None:
        last, room.newest = room.newest, look
        room.looks[look.end] = look
        if look.windowed:
            room.due.append(look.end)
        if last is not None and look.start != last.end:
            self._end_stretch(source, room, last.end)
            room.waiting.append((look.start, trace_lines.hole(source, last.end, look.start)))
        if room.stretch is not None and room.stretch.is_over(look):
            self._end_stretch(source, room, look.start)
        if room.stretch is None:
            room.stretch = _Stretch(look.start, look)
        elif look.over_db > room.stretch.nearest.over_db:
            room.stretch.nearest = look

    def _end_stretch(self, source: str, room: _Room, end: int) -> None:
        if room.stretch is not None:
            room.waiting.append((end, trace_lines.gate(source, room.stretch.start, end, room.stretch.nearest)))
            room.stretch = None

    def _tell_settings(self, channel: SourceChannel, room: _Room) -> None:
        now = (channel.enabled, channel.threshold, channel.fault)
        if now != room.told:
            room.told = now
            position = 0 if room.newest is None else room.newest.end
            enabled, threshold, fault = now
            line = trace_lines.room(channel.source, position, enabled=enabled, threshold=threshold, fault=fault)
            self._emit(channel, position, line)

    def _tell_state(self, channel: SourceChannel, room: _Room, position: int, *, crying: bool) -> None:
        room.crying = crying
        evidence = channel.tracker.evidence(position)
        line = trace_lines.state(channel.source, position, crying=crying, evidence=evidence, on=channel.tracker.on)
        self._emit(channel, position, line)

    def _release(self, channel: SourceChannel, room: _Room, position: int) -> None:
        """Writes what was known by then, in the order of the stream."""
        while room.waiting and room.waiting[0][0] <= position:
            self._emit(channel, *room.waiting.pop(0))

    def _emit(self, channel: SourceChannel, position: int, line: Line) -> None:
        self._write({**line, "at": iso_utc(channel.listener.at(position))} if self._live else line)
