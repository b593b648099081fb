"""What need not be on disk: the newest message of each retained topic, and live messages while somebody listens."""

import threading
from collections import deque
from typing import Literal

from service.messages.message import Keep, Message

LIVE_BOUND = 100
"""Live messages not sent yet: a level and a heartbeat of 50 sources; when full the oldest goes, it is stale."""


Rank = Literal["least", "state", "picture"]
"""In this order: without the first nobody understands an event (a room that is offline has none), the last is 30 kB."""

_LEAST = ("/status", "/state")


class RetainedMessages:
    """Put up by any thread, taken down by the one that has the connection. Bounded by the number of topics."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, Message] = {}  # by topic
        self._fresh: dict[str, Message] = {}  # the part of it that this connection has not taken
        self._live: deque[Message] = deque(maxlen=LIVE_BOUND)
        self._listening = False
        self.announced = False
        """Whether discovery was told since the start: whoever is there knows our devices. For the sender alone."""

    def put(self, message: Message) -> bool:
        """Puts up a message of `Keep.LATEST` or `Keep.LIVE`; an unchanged state is no news.

        Returns:
            False where it is live and nobody listens: it is dropped.
        """
        with self._lock:
            if message.keep is Keep.LATEST:
                if self._latest.get(message.topic) != message:
                    self._latest[message.topic] = self._fresh[message.topic] = message
            elif self._listening:
                self._live.append(message)
            else:
                return False
        return True

    def begin(self) -> None:
        """A connection begins: every state is told again, and live messages have a listener."""
        with self._lock:
            self._fresh = dict(self._latest)
            self._listening = True

    def end(self) -> None:
        """The connection is over: live messages have no listener."""
        with self._lock:
            self._live.clear()
            self._listening = False

    def take(self, rank: Rank) -> Message | None:
        """Returns one state of this rank that this connection has not taken, the first that was put up."""
        with self._lock:
            ranked = (topic for topic, message in self._fresh.items() if _rank(message) == rank)
            topic = next(iter(ranked), None)
            return None if topic is None else self._fresh.pop(topic)

    def take_live(self) -> Message | None:
        """Returns the oldest live message, where there is one."""
        with self._lock:
            return self._live.popleft() if self._live else None

    @property
    def listening(self) -> bool:
        """Whether a connection has begun, and is not over."""
        with self._lock:
            return self._listening


def _rank(message: Message) -> Rank:
    if isinstance(message.content, bytes):
        return "picture"
    return "least" if message.topic.endswith(_LEAST) else "state"
