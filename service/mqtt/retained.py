"""What need not be on disk: the newest message of each retained topic, and live messages while somebody listens."""

import threading
from collections import deque

from service.messages.message import Keep, Message

LIVE_BOUND = 100
"""Live messages not sent yet: a level and a heartbeat of 50 sources; when full the oldest goes, it is stale."""


class RetainedMessages:
    """Put up by any thread, taken down by the one that has the connection. Bounded by the number of topics."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._latest: dict[str, Message] = {}  # by topic
        self._fresh: dict[str, Message] = {}  # the part of it that this connection has not taken
        self._live: deque[Message] = deque(maxlen=LIVE_BOUND)
        self._listening = False

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

    def take(self) -> list[Message]:
        """Returns what was put up since the last time, states first."""
        with self._lock:
            taken = [*self._fresh.values(), *self._live]
            self._fresh = {}
            self._live.clear()
        return taken
