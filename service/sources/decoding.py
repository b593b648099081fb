"""FFmpeg at arm's length: a child process decodes, and sound comes out of it record by record.

A crash, a hang or a hunger for memory is the child's: here it is a `DecoderError`, and the caller tries again.
"""

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from monitord.types import Pcm
from service.sources.decoder_words import (
    ENDED,
    FAILED,
    HEADER,
    LOST,
    MOST_SAMPLES,
    MOST_TEXT,
    OPENED,
    SOUND,
    Failed,
    Opened,
    Request,
)

RATES_HZ: Final = (4_000, 384_000)
"""Rates that are heard (hertz), the extremes of what recorders make. At 1 Hz a frame of samples would be hours."""

MOST_LOST_S: Final = 60.0
"""Longest hole that is believed (seconds): `damage` packets of a second each."""

START_S: Final = 20.0
"""Longest start of the child (seconds): 0.1 s measured, and a small board that is busy is a hundred times slower."""

GRACE_S: Final = 1.0
"""For how long FFmpeg's own timeouts may be late (seconds), which say better what is wrong."""

LOOK_S: Final = 0.1
"""How soon a stop is seen while nothing comes (seconds)."""

STALLED: Final = "DecoderStalled"
CRASHED: Final = "DecoderCrashed"
FOREIGN: Final = "DecoderForeign"
ABSENT: Final = "DecoderAbsent"
"""Kinds of a `DecoderError` that FFmpeg has no name for: no word in time, ended by itself, words that none may say,
not started at all."""

COMMAND: Final = (sys.executable, "-S", "-P", "-B", "-m", "service.sources.decoder")
"""The child. Nothing of the request is in it: command lines can be read by everybody."""

_PIPE_BYTES: Final = 65_536
"""Read at once: a pipe's size on Linux."""

_ROOT: Final = str(Path(__file__).parents[2])
"""Where `service` and `monitord` lie; an editable installation has them on no search path."""

_PASSED_ON: Final = ("PATH", "LANG", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""What of our environment the child gets; the rest may name secrets."""


class DecoderError(Exception):
    """It ended before its end: `kinds` as in `Failed`, or one of the four above."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.text)
        self.kinds = frozenset(failed.kinds)
        self.text = failed.text
        self.errno = failed.errno


@dataclass(frozen=True, slots=True)
class Sound:
    """A run of samples."""

    samples: Pcm
    """int16 [n] mono, n at most `MOST_SAMPLES`."""
    rate_hz: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples that were damaged on the way."""

    n: int
    rate_hz: int


class Decoding:
    """One child, from its start to its end; a with-block ends it, whatever it does.

    Args:
        request: What to decode.
        stopping: Once set, the records end.
    """

    def __init__(self, request: Request, stopping: threading.Event | None = None) -> None:
        self._request = request
        self._stopping = stopping or threading.Event()
        self._come = bytearray()
        self._taken = 0  # bytes of _come

    def __enter__(self) -> Self:
        """Starts it.

        Raises:
            DecoderError: The system has no process or pipe left.
        """
        try:
            self._start()
        except OSError as error:
            raise DecoderError(Failed((ABSENT,), f"FFmpeg's process cannot be started: {error.strerror}")) from error
        return self

    def _start(self) -> None:
        # In a group of its own: Ctrl-C on a terminal is for the daemon. Standard error would be FFmpeg's libraries'.
        self._child = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ON if name in os.environ}
            | {"PYTHONPATH": os.pathsep.join((_ROOT, *filter(None, sys.path)))},
            process_group=0,
        )
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._poll = select.poll()
        self._poll.register(self._child.stdout, select.POLLIN)
        text = json.dumps(asdict(self._request) | {"daemon": os.getpid()})
        with suppress(BrokenPipeError), self._child.stdin as pipe:  # it ended already: that is read below
            pipe.write(text.encode() + b"\n")

    def __exit__(self, *_: object) -> None:
        self._child.kill()
        self._child.wait()
        assert self._child.stdout is not None
        self._child.stdout.close()

    def opened(self) -> Opened | None:
        """Returns what FFmpeg found, or None where it was told to stop before.

        Raises:
            DecoderError: It cannot be opened.
        """
        open_s = self._request.open_s or 0.0
        header = self._record(START_S + 2 * open_s + GRACE_S)
        if header is None:
            return None
        kind, _, length = header
        if kind != OPENED:
            raise _foreign(f"a record {kind!r} before it was opened")
        found = self._text(length)
        return Opened(str(found.get("format")), ends=found.get("ends") is True)

    def sound(self, silence_s: float) -> Iterator[Sound | Lost]:
        """Yields all sound until its end, or until it was told to stop.

        Args:
            silence_s: Longest wait for the next (seconds).

        Raises:
            DecoderError: It broke off. What was yielded before is good.
        """
        while (header := self._record(silence_s + GRACE_S)) is not None:
            kind, rate_hz, n = header
            if kind == ENDED:
                return
            if kind not in {SOUND, LOST} or n == 0:
                raise _foreign(f"a record {kind!r} of {n}")
            if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
                raise _foreign(f"sound at {rate_hz} Hz; heard are {RATES_HZ[0]} to {RATES_HZ[1]} Hz")
            if n > (MOST_LOST_S * rate_hz if kind == LOST else MOST_SAMPLES):
                raise _foreign(f"{n} samples at once")
            if kind == LOST:
                yield Lost(n, rate_hz)
                continue
            raw = self._bytes(2 * n, silence_s)
            if raw is None:
                return
            yield Sound(np.frombuffer(raw, np.int16), rate_hz)

    def _record(self, timeout_s: float) -> tuple[bytes, int, int] | None:
        """Returns the next header; raises what the child says went wrong. None: told to stop."""
        raw = self._bytes(HEADER.size, timeout_s)
        if raw is None:
            return None
        kind, rate_hz, length = HEADER.unpack(raw)
        if kind == FAILED:
            raise DecoderError(_failed(self._text(length)))
        return kind, rate_hz, length

    def _text(self, length: int) -> dict[str, object]:
        if length > MOST_TEXT:
            raise _foreign(f"a text of {length} bytes")
        raw = self._bytes(length, GRACE_S)
        try:
            told = json.loads(raw or b"{}")
        except (ValueError, RecursionError) as error:
            raise _foreign("a text that is no JSON") from error
        if not isinstance(told, dict):
            raise _foreign("a text that is no object")
        return told

    def _bytes(self, n: int, timeout_s: float) -> bytes | None:
        """Returns the next n bytes; None where told to stop."""
        until = time.monotonic() + timeout_s
        while len(self._come) - self._taken < n:
            if self._stopping.is_set():
                return None
            now = time.monotonic()
            if not self._poll.poll(1e3 * max(0.0, min(LOOK_S, until - now))):
                if now >= until:
                    raise DecoderError(Failed((STALLED,), f"no word for {timeout_s:g} s"))
                continue
            assert self._child.stdout is not None
            come = os.read(self._child.stdout.fileno(), _PIPE_BYTES)
            if not come:
                raise DecoderError(Failed((CRASHED,), _status(self._child.wait())))
            del self._come[: self._taken]
            self._taken = 0
            self._come += come
        start, self._taken = self._taken, self._taken + n
        return bytes(self._come[start : self._taken])


def _failed(told: dict[str, object]) -> Failed:
    kinds, errno = told.get("kinds"), told.get("errno")
    names = tuple(map(str, kinds)) if isinstance(kinds, list) else ()
    return Failed(names, str(told.get("text")), errno if isinstance(errno, int) else None)


def _foreign(what: str) -> DecoderError:
    return DecoderError(Failed((FOREIGN,), f"FFmpeg's process sends {what}"))


def _status(code: int) -> str:
    """How the child ended, for a person."""
    if code < 0:
        return f"FFmpeg was ended by {signal.Signals(-code).name}"
    return f"FFmpeg's process ended with status {code}"
