"""A process that opens sound for the daemon: a library that hangs, aborts or eats memory takes one room with it.

From the daemon's side: it starts the process, hears it record by record, never waits for longer than it was told, and
ends it. Whatever goes wrong in there is a `ChildError` here, and the caller tries again.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn, Self

import numpy as np

from monitord.tally import MOST_LOST_S
from service.capture.child.protocol import (
    CHANNELS,
    ENDED,
    FAILED,
    HEADER,
    LOST,
    MOST_SAMPLES,
    MOST_TEXT,
    NOTE,
    OPENED,
    SOUND,
    TRACK,
    Failed,
    failed,
)
from service.capture.child.sound import Lost, Raw, Sound, mixed
from service.pacing import until_poll_s

START_S: Final = 20.0
"""Longest start of the process (seconds): 0.1 s measured, and a small board that is busy is a hundred times slower."""

GRACE_S: Final = 1.0
"""For how long the library's own timeouts may be late (seconds), which say better what is wrong."""

POLL_S: Final = 0.25
"""How soon a stop is seen while nothing comes (seconds): longer than a read of a microphone, shorter than a stop."""

STALLED: Final = "ChildStalled"
CRASHED: Final = "ChildCrashed"
FOREIGN: Final = "ChildForeign"
ABSENT: Final = "ChildAbsent"
"""Kinds of a `ChildError` that no library has a name for: no word in time, ended by itself, words that none may say,
not started at all."""

RATES_HZ: Final = (4_000, 384_000)
"""Rates that are heard (hertz), the extremes of what recorders make. At 1 Hz a frame of samples would be hours."""

MOST_CHANNELS: Final = 1_024
"""No device and no codec has more; ALSA's plug-ins say 128."""

Noted = Callable[[dict[str, object]], None]

_PIPE_BYTES: Final = 262_144
"""Size of the pipe, read at once: half a second of 48 kHz with two channels, and as much again. Linux gives 64 KiB
where nobody asks, and to anybody up to 1 MiB (fcntl(2), F_SETPIPE_SZ)."""

_ROOT: Final = str(Path(__file__).parents[3])
"""Where `service` and `monitord` lie; an editable installation has them on no search path."""


def command(module: str) -> tuple[str, ...]:
    """How a child is started."""
    return (sys.executable, "-S", "-P", "-B", "-m", module)


class ChildError(Exception):
    """It ended before its end: `kinds` as in `Failed`, or one of the four above."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.text)
        self.kinds = frozenset(failed.kinds)
        self.text = failed.text
        self.errno = failed.errno


class ChildProcess:
    """One process, from its start to its end; a with-block ends it, whatever it does.

    Args:
        module: Its program. Nothing of what it is asked stands on its command line, which everybody can read.
        name: What a person calls it, for messages.
        stopping: Once set, what it says ends.
        calm: Whether what it says has time until the next look, and need not be heard word by word; None: never, as of
            what can wait in there instead of here.
        environment: Names of the variables that it gets; None: all of ours.
        files: Descriptors of ours that it may read.
    """

    def __init__(
        self,
        module: str,
        name: str,
        stopping: threading.Event | None = None,
        *,
        calm: Callable[[], bool] | None = None,
        environment: Collection[str] | None = None,
        files: Collection[int] = (),
    ) -> None:
        self._module = module
        self._name = name
        self.stopping = stopping or threading.Event()
        """Once set, what it says ends."""
        self.over = False
        """Whether it has done all that it was asked."""
        self._calm = calm
        self._environment = environment
        self._files = files
        self._come = bytearray()
        self._taken = 0  # bytes of _come

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            ChildError: The system has no process or pipe left.
        """
        passed = os.environ if self._environment is None else self._environment
        try:
            # In a group of its own: Ctrl-C on a terminal is for the daemon. Standard error would be the libraries'.
            self._process = subprocess.Popen(
                command(self._module),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={name: os.environ[name] for name in passed if name in os.environ}
                | {"PYTHONPATH": os.pathsep.join((_ROOT, *filter(None, sys.path)))},
                process_group=0,
                pass_fds=tuple(self._files),
            )
        except OSError as error:
            raise ChildError(Failed((ABSENT,), f"{self._name} cannot be started: {error.strerror}")) from error
        assert self._process.stdout is not None
        if self._calm is not None:
            with suppress(OSError):  # a user with very many pipes gets smaller ones, and the child waits
                fcntl.fcntl(self._process.stdout, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._process.stdout, select.POLLIN)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with suppress(subprocess.TimeoutExpired):  # it waits for a disk that hangs, and ends when that is back
            self._process.wait(GRACE_S)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with suppress(BrokenPipeError):
                pipe.close()

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process.poll() is None

    def ask(self, words: Mapping[str, object]) -> None:
        """Writes one line; where it has ended already, that is read from it next."""
        self.over = False
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps(words).encode() + b"\n")
            self._process.stdin.flush()

    def opened(self, timeout_s: float, noted: Noted | None = None) -> dict[str, object] | None:
        """Returns what it found, or None where it was told to stop before; `noted` takes what it sees meanwhile.

        Raises:
            ChildError: It found nothing, or says nothing for so long (seconds).
        """
        while (header := self.record(timeout_s)) is not None and header[0] == NOTE and noted is not None:
            noted(self._text(header[2]))
        if header is None:
            return None
        kind, _, length = header
        if kind != OPENED:
            self.foreign(f"a record {kind!r} before it has opened anything")
        return self._text(length)

    def record(self, timeout_s: float) -> tuple[bytes, int, int] | None:
        """Returns the next header; None where it was told to stop.

        Raises:
            ChildError: It says what went wrong, or nothing for so long (seconds).
        """
        raw = self.read(HEADER.size, timeout_s)
        if raw is None:
            return None
        kind, rate_hz, length = HEADER.unpack(raw)
        if kind == FAILED:
            self.over = True
            raise ChildError(failed(self._text(length)))
        return kind, rate_hz, length

    def read(self, n: int, timeout_s: float) -> bytes | None:
        """Returns the next n bytes; None where it was told to stop.

        Raises:
            ChildError: They do not come within `timeout_s` (seconds).
        """
        until = time.monotonic() + timeout_s
        while len(self._come) - self._taken < n:
            if self.stopping.is_set():
                return None
            if self._calm is not None and self._calm():
                self.stopping.wait(until_poll_s())
            now = time.monotonic()
            if not self._poll.poll(1e3 * max(0.0, min(POLL_S, until - now))):
                if now >= until:
                    raise ChildError(Failed((STALLED,), f"no word for {timeout_s:g} s"))
                continue
            assert self._process.stdout is not None
            come = os.read(self._process.stdout.fileno(), _PIPE_BYTES)
            if not come:
                raise ChildError(Failed((CRASHED,), self._status(self._process.wait())))
            del self._come[: self._taken]
            self._taken = 0
            self._come += come
        start, self._taken = self._taken, self._taken + n
        return bytes(self._come[start : self._taken])

    def sound(
        self, silence_s: float, *, first_s: float = 0.0, channels: int = 1, ends: bool = True
    ) -> Iterator[Sound | Lost]:
        """Yields all sound until its end, or until it was told to stop.

        Args:
            silence_s: Longest wait for the next (seconds).
            first_s: Longest wait for the first, where that is longer (seconds).
            channels: That take turns in each record, until the process says otherwise; one is heard, see `Mixer`.
            ends: Whether it may come to an end by itself.

        Raises:
            ChildError: It broke off, or says what none may say. What was yielded before is good.
        """
        return mixed(self._raw(silence_s, max(silence_s, first_s), channels, ends=ends))

    def _raw(self, silence_s: float, first_s: float, channels: int, *, ends: bool) -> Iterator[Raw | Lost]:
        track, wait_s = "", first_s
        while (header := self.record(wait_s)) is not None:
            wait_s = silence_s
            kind, rate_hz, n = header
            if kind == ENDED and ends:
                self.over = True
                return
            if kind == TRACK:
                track = str(self._text(n).get("track"))
                continue
            if kind == CHANNELS and 0 < n <= MOST_CHANNELS:
                channels = n
                continue
            if kind not in {SOUND, LOST} or n == 0 or (kind == SOUND and n % channels):
                self.foreign(f"a record {kind!r} of {n}")
            if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
                self.foreign(f"sound at {rate_hz} Hz; heard are {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
            if n > (MOST_LOST_S * rate_hz if kind == LOST else MOST_SAMPLES):
                self.foreign(f"{n} samples at once")
            if kind == LOST:
                yield Lost(n, rate_hz)
                continue
            raw = self.read(2 * n, silence_s)
            if raw is None:
                return
            yield Raw(np.frombuffer(raw, np.int16).reshape(-1, channels), rate_hz, track)

    def foreign(self, what: str) -> NoReturn:
        """Raises that it said what none may say."""
        raise ChildError(Failed((FOREIGN,), f"{self._name} sends {what}"))

    def _text(self, length: int) -> dict[str, object]:
        if length > MOST_TEXT:
            self.foreign(f"a text of {length} bytes")
        raw = self.read(length, GRACE_S)
        try:
            told = json.loads(raw or b"{}")
        except (ValueError, RecursionError):
            self.foreign("a text that is no JSON")
        if not isinstance(told, dict):
            self.foreign("a text that is no object")
        return told

    def _status(self, code: int) -> str:
        """How it ended, for a person."""
        if code < 0:
            return f"{self._name} was ended by {signal.Signals(-code).name}"
        return f"{self._name} ended with status {code}"
