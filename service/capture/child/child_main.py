"""The beginning and the words of a process that opens sound for the daemon, from inside it.

It imports next to nothing (no NumPy): each room has such a process of its own.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Final

from service.capture.child.protocol import ENDED, FAILED, HEADER, MOST_TEXT, NOTE, OPENED, Failed

FIRST_TO_DIE: Final = 500
"""Added to the kernel's choice when memory runs out (-1000 to 1000): the source that one room lost comes back."""

_PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h: the signal that comes when the thread that started this process ends."""


class Daemon:
    """Who asked, and hears what is found."""

    def __init__(self) -> None:
        self._pipe = os.dup(1)
        os.dup2(2, 1)  # what a library prints is no record

    def asked(self) -> dict[str, Any] | None:
        """Waits for a line; None where there is nothing more to ask."""
        line = sys.stdin.buffer.readline()
        return json.loads(line) if line else None

    def note(self, seen: object) -> None:
        """Says what is seen before anything is opened, a JSON value."""
        self._say(NOTE, seen)

    def opened(self, found: object) -> None:
        """Says what was found, a JSON value."""
        self._say(OPENED, found)

    def _say(self, kind: bytes, words: object) -> None:
        text = json.dumps(words).encode()
        self.write(HEADER.pack(kind, 0, len(text)), text)

    def write(self, *parts: bytes) -> None:
        """Waits until there is room: what is in the pipe is all that waits on this side."""
        rest = memoryview(b"".join(parts))
        while rest:
            rest = rest[os.write(self._pipe, rest) :]


def serve(
    work: Callable[[Daemon, dict[str, Any]], None],
    limits: Iterable[tuple[int, int]],
    load: Callable[[], object] = lambda: None,
) -> None:
    """Does what a line asks, and says how it ended. Does not return.

    Where the line says `more`, a copy of this process does it, and then the next line is read: libraries are loaded
    once, and no recording meets what another one has left of them.

    Args:
        work: Takes the line, a JSON object.
        limits: Of `resource`, and the most that the process may take.
        load: Loads what the copies need.
    """
    daemon = Daemon()
    asked = daemon.asked() or {}
    _confine(asked["daemon"], limits)
    while asked.get("more"):
        load()
        if not _copied():
            break
        following = daemon.asked()
        if following is None:
            os._exit(0)
        asked = following
    with suppress(BrokenPipeError):  # the daemon leaves by closing the pipe, or by killing
        try:
            work(daemon, {key: value for key, value in asked.items() if key not in {"daemon", "more"}})
        except Exception as error:  # noqa: BLE001 - the library's are expected, others are told with their place
            text = _failed(error)
            daemon.write(HEADER.pack(FAILED, 0, len(text)), text)
        else:
            daemon.write(HEADER.pack(ENDED, 0, 0))
    os._exit(0)  # nothing is left to be saved, and closing a connection may hang


def _copied() -> bool:
    """Copies this process: False in the copy; True here, when that is done. It ends here as well where it crashed."""
    here = os.getpid()
    copy = os.fork()
    if copy == 0:
        _die_with(here)
        return False
    _, status = os.waitpid(copy, 0)
    if os.WIFSIGNALED(status):
        os.kill(here, os.WTERMSIG(status))
    if status:
        os._exit(os.waitstatus_to_exitcode(status))
    return True


def _confine(daemon: int, limits: Iterable[tuple[int, int]]) -> None:
    # Ctrl-C and a service manager's end go to all processes: the daemon has its goodbyes to say, and ends this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for limit, most in limits:
        hard = resource.getrlimit(limit)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (value, value))
    _die_with(daemon)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123 - pathlib is a megabyte
        score.write(str(FIRST_TO_DIE))


def _die_with(parent: int) -> None:
    with suppress(OSError, AttributeError):  # Linux has it; elsewhere the closed pipe ends this process
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)  # it ended before the line above


def _failed(error: Exception) -> bytes:
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    text, errno = traceback.format_exc(), None
    if "FFmpegError" in kinds:
        text, errno = getattr(error, "strerror", None) or kinds[0], getattr(error, "errno", None)
    elif "SourceError" in kinds:
        text = str(error)
    # JSON writes a character in up to six bytes.
    return json.dumps(asdict(Failed(kinds, text[-MOST_TEXT // 8 :], errno))).encode()
