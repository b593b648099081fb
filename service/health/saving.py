"""Tells phones that nothing can be saved, and that it can again: for families without Home Assistant."""

import time
from collections.abc import Callable
from typing import Final

from service.messages.message import Node, iso_utc
from service.messages.texts import Kind, Texts
from service.notify.notice import Notice, severity_of

PATIENCE_S: Final = 60.0
"""Seconds that the disk may refuse before phones are told: a backup that fills it for a moment wakes nobody."""


class Saving:
    """Looked at by the main thread; tells each once.

    Args:
        node: Who speaks.
        texts: In the family's language.
        notify: Tells phones; returns at once.
    """

    def __init__(self, node: Node, texts: Texts, notify: Callable[[Notice], None]) -> None:
        self._node, self._texts, self._notify = node, texts, notify
        self._since: tuple[float, float] | None = None  # monotonic seconds, and wall time (Unix seconds)
        self._told = False

    def poll(self, fault: str) -> None:
        """Takes what is wrong with the disk now; empty where nothing is."""
        now = time.monotonic()
        if fault and self._since is None:
            self._since = (now, time.time())
        if self._since is None:
            return
        lasted_s = now - self._since[0]
        if fault and not self._told and lasted_s >= PATIENCE_S:
            self._told = True
            self._tell("not_saving", fault, self._since[1], lasted_s)
        if not fault:
            if self._told:
                self._tell("saving_again", fault, self._since[1], lasted_s)
            self._since, self._told = None, False

    def _tell(self, kind: Kind, fault: str, since: float, lasted_s: float) -> None:
        now, node = time.time(), self._node.name
        text = self._texts.say(kind, room="", since=since, lasted_s=lasted_s)
        payload = {"event_type": kind, "ts": iso_utc(now), "node": node, "since": iso_utc(since), "fault": fault}
        tag = f"monitord-{node}-disk"
        self._notify(Notice(kind, "", tag, text.title, text.message, severity_of(kind), now, payload))
