"""Tells phones that something fails, and that it is over: a room is not heard, or nothing can be saved.

For families without Home Assistant. With it, its own automation does that, from heartbeat and availability, and also
when this machine is dead, which nothing here can tell.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

from monitord.faults import Fault
from service.messages.message import Node, iso_utc
from service.messages.texts import Kind, Texts
from service.notify.notice import Notice, severity_of

PATIENCE_S: Final = 60.0
"""Seconds that it must fail before phones are told: a router that restarts, or a backup that fills the disk for a
moment, wakes nobody."""


@dataclass(slots=True)
class OutageNotice:
    """Looked at by the main thread; tells each outage once, and its end once."""

    node: Node
    """Who speaks."""
    texts: Texts
    """In the family's language."""
    notify: Callable[[Notice], None]
    """Tells phones; returns at once."""
    tag: str
    """What a phone replaces the one by the other with."""
    begins: Kind = "not_hearing"
    ends: Kind = "hearing_again"
    source: str = ""
    """Id of the room; empty where it is about the whole house."""
    room: str = ""
    """What people call it."""
    _since: tuple[float, float] | None = field(default=None, init=False)  # monotonic seconds, and Unix seconds
    _deaf_since: float | None = field(default=None, init=False)  # monotonic seconds; None while it is heard at times
    _told: Kind | None = field(default=None, init=False)

    @classmethod
    def of_room(cls, node: Node, source: str, room: str, texts: Texts, notify: Callable[[Notice], None]) -> Self:
        """Returns the one that tells that a room is not heard."""
        return cls(node, texts, notify, f"monitord-{node.name}-{source}-hearing", source=source, room=room)

    @classmethod
    def of_disk(cls, node: Node, texts: Texts, notify: Callable[[Notice], None]) -> Self:
        """Returns the one that tells that nothing can be saved."""
        return cls(node, texts, notify, f"monitord-{node.name}-disk", "not_saving", "saving_again")

    def poll(
        self, *, failing: bool, wanted: bool = True, at_times: bool = False, fault: Fault = "ok", detail: str = ""
    ) -> None:
        """Takes how it stands now.

        Args:
            failing: Whether it fails.
            wanted: Whether the family wants it to work: what they switched off neither fails nor is well again.
            at_times: Whether it works at this moment all the same: a room that is heard badly.
            fault: What is wrong with a room; `ok` where nobody knows, or it is about no room.
            detail: The same in words, where there is no fault word for it.
        """
        if failing and wanted:
            self._fails(time.monotonic(), fault, detail, at_times=at_times)
            return
        if self._told and not failing:
            self._tell(self.ends, fault, detail)
        self._since = self._deaf_since = self._told = None

    def _fails(self, now: float, fault: Fault, detail: str, *, at_times: bool) -> None:
        if self._since is None:
            self._since = (now, time.time())
        if at_times or self._deaf_since is None:
            self._deaf_since = None if at_times else now
        if self._deaf_since is not None and now - self._deaf_since >= PATIENCE_S:
            kind = self.begins
        elif now - self._since[0] >= PATIENCE_S:
            kind, fault = "heard_badly", "intermittent"
        else:
            return
        # That a room is heard badly is said once; that it is not heard at all is said besides.
        if self._told not in {kind, self.begins}:
            self._told = kind
            self._tell(kind, fault, detail)

    def _tell(self, kind: Kind, fault: Fault, detail: str) -> None:
        assert self._since is not None
        now, (began, since) = time.time(), self._since
        # By the clock that never jumps: the other one may have been set meanwhile.
        lasted_s = time.monotonic() - began
        text = self.texts.say(kind, room=self.room, since=since, lasted_s=lasted_s, fault=fault)
        payload: dict[str, object] = {"event_type": kind, "ts": iso_utc(now), "node": self.node.name}
        if self.source:
            payload |= {"source": self.source, "room": self.room}
        payload |= {"since": iso_utc(since), "fault": detail or fault}
        notice = Notice(kind, self.source, self.tag, text.title, text.message, severity_of(kind), now, payload)
        self.notify(notice)
