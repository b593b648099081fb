"""What is told of the house, as whoever opens the page sees it: the newest of each state, then each message.

Filled by any thread, read by the web thread. While nobody looks nothing is passed on, only kept.
"""

import asyncio
import json
import threading
import time
from collections import deque
from collections.abc import Mapping
from typing import Final

from service.messages.message import Keep, Message, Node

PENDING_BOUND: Final = 500
"""Messages on their way to the web thread: a burst of an evening's faults in 20 rooms; when full the oldest goes, and
is counted."""
VIEWER_BOUND: Final = 200
"""Messages that wait for one viewer: some 20 s of a house's. Who does not take them is dropped, and comes back by
itself where it still lives."""

Content = Mapping[str, object] | str


class Viewer:
    """Somebody who looks. Used by the web thread alone.

    Args:
        device: Its id.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(VIEWER_BOUND)
        self.gone = asyncio.Event()
        """Set once nothing is told any more: it did not keep up, was removed, or the server stops."""

    def tell(self, event: bytes) -> None:
        """Takes an event; one too many and the viewer is gone."""
        try:
            self.waiting.put_nowait(event)
        except asyncio.QueueFull:
            self.gone.set()


class Board:
    """All states of the node, and who looks.

    Args:
        node: Whose topics are shown.
    """

    def __init__(self, node: Node) -> None:
        self._prefix = f"{node.root}/"
        self._lock = threading.Lock()
        self._states: dict[str, Content] = {}  # by topic under the node
        self._pending: deque[tuple[str, Content]] = deque(maxlen=PENDING_BOUND)
        self._woken = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._viewers: set[Viewer] = set()
        self.dropped = 0
        """Messages that the web thread was too slow for."""
        self.heartbeat_at: float | None = None
        """When the worker last said that it works (monotonic seconds); None before the first time."""

    def tell(self, message: Message) -> None:
        """Takes a message from any thread; returns at once. Pictures are not for the page."""
        if isinstance(message.content, bytes) or not message.topic.startswith(self._prefix):
            return
        topic = message.topic.removeprefix(self._prefix)
        if topic == "heartbeat":
            self.heartbeat_at = time.monotonic()
        with self._lock:
            if message.keep is Keep.LATEST:
                if message.content:
                    self._states[topic] = message.content
                else:
                    self._states.pop(topic, None)
            if self._loop is None or not self._viewers:
                return
            self.dropped += len(self._pending) == PENDING_BOUND
            self._pending.append((topic, message.content))
            if not self._woken:
                self._woken = True
                self._loop.call_soon_threadsafe(self._pass_on)

    @property
    def states(self) -> dict[str, Content]:
        """The newest of each state, by topic under the node."""
        with self._lock:
            return dict(self._states)

    # From here on: the web thread.

    def open(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """Says which loop passes messages on; None: none any more."""
        with self._lock:
            self._loop = loop
        if loop is None:
            for viewer in self._viewers:
                viewer.gone.set()

    def join(self, viewer: Viewer) -> None:
        """Tells a viewer all states, and from now on each message."""
        with self._lock:
            self._viewers.add(viewer)
            viewer.tell(_event({"topics": self._states}, "state"))

    def leave(self, viewer: Viewer) -> None:
        """Tells it nothing more."""
        with self._lock:
            self._viewers.discard(viewer)

    def remove(self, device: str) -> None:
        """Ends what a device looks at: it was removed."""
        for viewer in self._viewers:
            if viewer.device == device:
                viewer.gone.set()

    def show(self, kind: str, values: Mapping[str, object]) -> None:
        """Tells all viewers what is no message of the house, by a kind of event of its own."""
        event = _event(values, kind)
        for viewer in self._viewers:
            viewer.tell(event)

    @property
    def viewers(self) -> int:
        """How many look."""
        return len(self._viewers)

    def _pass_on(self) -> None:
        with self._lock:
            told, self._woken = list(self._pending), False
            self._pending.clear()
        for topic, content in told:
            event = _event({"topic": topic, "content": content})
            for viewer in self._viewers:
                viewer.tell(event)


def _event(values: Mapping[str, object], kind: str = "message") -> bytes:
    """Returns one server-sent event; JSON holds no line end of its own."""
    return f"event: {kind}\ndata: {json.dumps(values, separators=(',', ':'))}\n\n".encode()
