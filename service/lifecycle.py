"""What signals and commands ask of the main thread: they only set flags."""

import _thread
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType

from service.config import Config


@dataclass(slots=True)
class Lifecycle:
    """What signals and commands ask of the main thread; they only set flags."""

    reread: Callable[[], Config] | None = None
    """Reads the configuration anew, for SIGHUP; None: there is no file, or a terminal whose end is ours."""
    stop: threading.Event = field(default_factory=threading.Event)
    restart: bool = False
    reload: bool = False

    def ask_restart(self) -> None:
        """Ends the daemon so that it begins anew."""
        self.restart = True
        self.stop.set()


@contextlib.contextmanager
def obeying_signals(lifecycle: Lifecycle) -> Iterator[None]:
    """SIGINT and SIGTERM ask to leave, and a second one leaves at once; SIGHUP asks to read the configuration anew."""
    asked = False

    def leave(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        del frame
        if asked or lifecycle.stop.is_set():
            os._exit(128 + number)
        asked = True
        # By a thread of its own: the main thread, which looks at the event twice a second, may hold its lock just now,
        # and would wait for itself for ever. What `threading` starts threads by has locks, too.
        _thread.start_new_thread(lifecycle.stop.set, ())

    def reload(number: int, frame: FrameType | None) -> None:
        del number, frame
        lifecycle.reload = True

    before = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    if lifecycle.reread is not None:
        before[signal.SIGHUP] = signal.signal(signal.SIGHUP, reload)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
