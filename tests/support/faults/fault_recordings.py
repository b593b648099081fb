"""Recordings that break while they play in a loop: deleted, on a disk that hangs, damaged, of another codec."""

import os
import shutil
import signal
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np

from monitord.types import RATE_HZ as PIPE_HZ
from monitord.types import Pcm
from tests.support.daemon.daemon import looped
from tests.support.faults.fault_feed import SOUNDS, Feed
from tests.support.sound.media import encoded

RATE_HZ: Final = 48_000
"""What recorders make. What FFmpeg's process decodes ahead is bounded in bytes: here it is a second."""
LOOP_S: Final = 1.5
"""Length of the recordings (seconds): a new file is seen when the old one is over."""


def _room() -> Pcm:
    return np.repeat(SOUNDS["room"], 3)[: round(LOOP_S * RATE_HZ)]


def _damaged() -> bytes:
    """A recording whose second half is no FLAC any more."""
    flac = encoded(_room(), "flac", "flac", rate_hz=RATE_HZ)
    return flac[: len(flac) // 2] + bytes(5_000)


def _two_codecs() -> bytes:
    """A transport stream, cut together of two recordings that are not alike."""
    return encoded(_room(), "mpegts", "aac", rate_hz=RATE_HZ) + encoded(_room(), "mpegts", "mp2", rate_hz=RATE_HZ)


class Recording:
    """One file that plays in a loop.

    Args:
        path: Of the file; it is written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._does = ""
        self._stopped: list[int] = []
        self.does = "room"

    @property
    def does(self) -> str:
        """What it does now.

        `room`, `gone` (deleted), `stall` (its disk hangs: the process that reads it is stopped), `damaged` or `codec`
        (another in the middle).
        """
        return self._does

    @does.setter
    def does(self, does: str) -> None:
        self._does = does
        match does:
            case "gone":
                self.path.unlink()
            case "stall":
                self._stopped = readers(self.path)
                assert self._stopped, f"nobody reads {self.path}"
                for process in self._stopped:
                    os.kill(process, signal.SIGSTOP)
            case "damaged":
                self._replace(_damaged())
            case "codec":
                self._replace(_two_codecs())
            case _:
                self._replace(encoded(_room(), "flac", "flac", rate_hz=RATE_HZ))
                self.let_go()

    def let_go(self) -> None:
        """Lets those go on that `stall` has stopped."""
        for process in self._stopped:
            with suppress(ProcessLookupError):  # the daemon gave it up meanwhile
                os.kill(process, signal.SIGCONT)
        self._stopped = []

    def _replace(self, content: bytes) -> None:
        """At once: who reads the old one reads it to its end."""
        fresh = self.path.with_suffix(".new")
        fresh.write_bytes(content)
        shutil.move(fresh, self.path)


class Recordings:
    """One file for each name.

    Args:
        folder: Where they lie; made here.
        names: Of the recordings.
    """

    def __init__(self, folder: Path, *names: str) -> None:
        folder.mkdir()
        self.feeds = {name: Recording(folder / f"{name}.flac") for name in names}

    @property
    def sources(self) -> dict[str, object]:
        """Of a configuration."""
        return {name: looped(recording.path) for name, recording in self.feeds.items()}

    @contextmanager
    def running(self) -> Iterator["Recordings"]:
        """Leaves no process stopped behind."""
        try:
            yield self
        finally:
            for recording in self.feeds.values():
                recording.let_go()


def write_endless(path: Path, feed: Feed, over: threading.Event) -> None:
    """Writes a recording without an end into a pipe, in real time, once somebody reads it."""
    endless = struct.pack("<I", 0xFFFFFFFF)
    form = struct.pack("<IHHIIHH", 16, 1, 1, PIPE_HZ, 2 * PIPE_HZ, 2, 16)
    with path.open("wb", buffering=0) as pipe, suppress(BrokenPipeError):  # who read it has left
        pipe.write(b"RIFF" + endless + b"WAVEfmt " + form + b"data" + endless)
        feed.play(pipe.write, over)


def readers(path: Path) -> list[int]:
    """Process ids of those that have the file open."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            with suppress(OSError):  # it ended meanwhile, or is another user's
                if any(path == file.readlink() for file in (process / "fd").iterdir()):
                    found.append(int(process.name))
    return found
