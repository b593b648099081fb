"""Tells phones that a room is not heard, and that it is again: for families without Home Assistant.

With Home Assistant its own automation does that, from heartbeat and availability, and also when this machine is dead,
which nothing here can tell.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from monitord.faults import Fault
from service.messages.message import Node, iso_utc
from service.messages.texts import Kind, Texts
from service.notify.notice import Notice, severity_of

PATIENCE_S: Final = 60.0
"""Seconds that a room may be unheard before phones are told: a router that restarts wakes nobody."""


@dataclass(slots=True)
class _Room:
    unheard_since: float | None = None
    """Monotonic seconds; None while it is heard, or switched off by the family."""
    unheard_at: float = 0.0
    """The same as wall time (Unix seconds)."""
    told: bool = False


class OutageNotice:
    """Fed by the monitor, in the main thread.

    Args:
        node: Who speaks.
        names: What people call each source, by id.
        texts: In the family's language.
        notify: Tells phones; returns at once.
    """

    def __init__(self, node: Node, names: Mapping[str, str], texts: Texts, notify: Callable[[Notice], None]) -> None:
        self._node, self._names, self._texts, self._notify = node, names, texts, notify
        self._rooms = {source: _Room() for source in names}

    def poll(self, source: str, fault: Fault, *, heard: bool, wanted: bool) -> None:
        """Takes how a room stands now.

        Args:
            source: Id of the room.
            fault: What is wrong with it; `ok` where nobody knows.
            heard: Whether silence from it would mean a quiet baby.
            wanted: Whether the family wants it to be listened to.
        """
        room, now = self._rooms[source], time.monotonic()
        if heard or not wanted:
            # Switched off is not heard again: of that nothing is said.
            if room.told and heard:
                self._tell("hearing_again", source, room, fault)
            self._rooms[source] = _Room()
        elif room.unheard_since is None:
            room.unheard_since, room.unheard_at = now, time.time()
        elif not room.told and now - room.unheard_since >= PATIENCE_S:
            room.told = True
            self._tell("not_hearing", source, room, fault)

    def _tell(self, kind: Kind, source: str, room: _Room, fault: Fault) -> None:
        now, since = time.time(), room.unheard_since
        # By the clock that never jumps: the other one may have been set meanwhile.
        lasted_s = 0.0 if since is None else time.monotonic() - since
        text = self._texts.say(kind, room=self._names[source], since=room.unheard_at, lasted_s=lasted_s, fault=fault)
        payload = {
            "event_type": kind,
            "ts": iso_utc(now),
            "node": self._node.name,
            "source": source,
            "room": self._names[source],
            "since": iso_utc(room.unheard_at),
            "fault": fault,
        }
        tag = f"monitord-{self._node.name}-{source}-hearing"
        self._notify(Notice(kind, source, tag, text.title, text.message, severity_of(kind), now, payload))
