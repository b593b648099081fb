"""Commands on their way to the worker: put in by any thread, obeyed in one."""

import logging
import queue
import threading
from collections.abc import Iterator
from typing import Final

from service.messages.commands import Command, NotReceived, Received
from service.notify.notice import Notice

COMMANDS_BOUND: Final = 100
"""Commands that may wait for the worker: more than a family's fingers make in a round; the rest is refused."""

_log = logging.getLogger(__name__)


class CommandQueue:
    """Bounded; never blocks.

    Args:
        wake: Set after each command: where nothing is heard, the worker naps.
    """

    def __init__(self, wake: threading.Event) -> None:
        self._waiting: queue.Queue[Command] = queue.Queue(COMMANDS_BOUND)
        self._wake = wake

    def put(self, command: Command) -> None:
        """Takes a command from any thread; the worker obeys at its next tick."""
        try:
            self._waiting.put_nowait(command)
        except queue.Full:
            _log.warning("refused %s: %d commands wait already", command, COMMANDS_BOUND)
        self._wake.set()

    def delivered(self, channel: str, notice: Notice) -> None:
        """A service took a notice for a phone: of a test alarm that is news."""
        if notice.kind == "test":
            self.put(Received(notice.source, notice.tag, channel))

    def not_delivered(self, channel: str, notice: Notice, why: str) -> None:
        """A service did not take a notice: whoever tests wants to know it now."""
        if notice.kind == "test":
            self.put(NotReceived(notice.source, notice.tag, channel, why))

    def take(self) -> Iterator[Command]:
        """Yields what waits now."""
        while True:
            try:
                yield self._waiting.get_nowait()
            except queue.Empty:
                return
