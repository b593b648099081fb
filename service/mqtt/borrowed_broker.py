"""A broker that was found running and is used: when it goes away for good, one of our own takes its place."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.mqtt.embedded_broker import EmbeddedBroker

log = logging.getLogger(__name__)

GONE_S: Final = 30.0
"""So long it may be away (seconds): a service that is restarted or upgraded needs less, and finds its port free."""

SAY_S: Final = 5.0
"""From when on that is worth a word (seconds): a first connection takes one or two."""

LOOK_S: Final = 1.0
"""Between two looks at our connection to it (seconds)."""


class BorrowedBroker:
    """Watches a broker that is not ours. The constructor opens nothing.

    Args:
        broker: What found it.
        state_dir: The daemon's, for a broker of our own.
        connected: Whether we have a connection to it.
    """

    def __init__(self, broker: EmbeddedBroker, state_dir: Path, connected: Callable[[], bool]) -> None:
        self._host, self._port = broker.host, broker.port
        self._state_dir = state_dir
        self._connected = connected
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, named `borrowed broker`."""
        self._thread = threading.Thread(target=self._watch, name="borrowed broker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ends the watch, and the broker of our own where one took its place."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _watch(self) -> None:
        where, seen_at, said = f"{self._host}:{self._port}", time.monotonic(), ""
        while not self._stopping.wait(LOOK_S):
            if self._connected():
                seen_at, said = time.monotonic(), ""
            elif not said and time.monotonic() - seen_at > SAY_S:
                said = f"broker: the one that was found on {where} is away"
                log.warning("%s; if it stays so for %.0f s, one of our own takes its place", said, GONE_S)
            if time.monotonic() - seen_at < GONE_S:
                continue
            seen_at = time.monotonic()
            with contextlib.ExitStack() as ours:
                broker = EmbeddedBroker(self._state_dir, self._host, self._port)
                try:
                    ours.enter_context(broker)
                except ConfigError as error:
                    if str(error) != said:
                        log.error("broker: none of our own takes its place: %s", error)  # noqa: TRY400 - no stack for it
                    said = str(error)
                    continue
                if not broker.reused:  # else it answers again
                    log.warning("broker: the one that was found on %s is gone; one of our own serves there now", where)
                    self._stopping.wait()
                    return
