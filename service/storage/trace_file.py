"""A file of JSON lines that grows to a bound and keeps one older part: what `run --trace` writes.

Whoever hears only puts a line into a bounded queue. A disk that is full, read-only, gone or hung costs lines, and these
are counted; it never costs sound.
"""

import contextlib
import json
import logging
import queue
import threading
import time
from collections.abc import Mapping
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Final, Self

from service.messages.message import iso_utc

MOST_BYTES: Final = 10_000_000
"""Bytes from which the file becomes FILE.1, in place of the one before: a quiet room's three days, a loud one's three
hours."""
QUEUE_LINES: Final = 2_000
"""Lines that wait for the disk, at most: a minute of eight loud rooms."""
RETRY_S: Final = 5.0
"""Seconds between two tries while the disk refuses."""
STOP_S: Final = 0.5
"""Seconds for the last lines at the end; a disk that hangs is left behind."""

_log = logging.getLogger(__name__)


class TraceFile:
    """Opens nothing before its with-block, and fails nobody in it.

    Args:
        path: The file; what is in it stays, the new comes behind.
        most_bytes: Its bound; with the older part the disk holds twice as many.
        retry_s: Seconds between two tries while the disk refuses.
    """

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, retry_s: float = RETRY_S) -> None:
        self._path, self._retry_s = path, retry_s
        self._lines: queue.Queue[Mapping[str, object] | None] = queue.Queue(QUEUE_LINES)
        self._file = _Rotating(path, maxBytes=most_bytes, backupCount=1, encoding="utf-8", delay=True)
        self._thread = threading.Thread(target=self._run, name="trace", daemon=True)
        self._overflowed = 0  # lines that found no place, counted by whoever writes
        self._refused = 0  # lines that the disk refused, counted by the thread
        self._told = 0  # of both, those that the file tells of
        self._refused_at: float | None = None  # monotonic seconds; None: the disk takes everything

    def write(self, line: Mapping[str, object]) -> None:
        """Takes a line of JSON values; never waits. For one thread."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._overflowed += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(queue.Full):  # the disk hangs
            self._lines.put(None, timeout=STOP_S)
        self._thread.join(STOP_S)

    def _run(self) -> None:
        while (line := self._lines.get()) is not None:
            self._write(line)
        self._close()

    def _write(self, line: Mapping[str, object]) -> None:
        if self._refused_at is not None and time.monotonic() - self._refused_at < self._retry_s:
            self._refused += 1
            return
        lost = self._overflowed + self._refused
        try:
            if lost > self._told:
                self._file.put({"kind": "lost", "lines": lost - self._told, "at": iso_utc(time.time())})
            self._file.put(line)
        except OSError as error:
            if self._refused_at is None:
                _log.warning("trace: %s: %s; hearing goes on, and the trace is tried again", self._path, error.strerror)
            self._refused_at = time.monotonic()
            self._refused += 1
            self._close()
            return
        if self._refused_at is not None:
            _log.info("trace: %s is written again; %d lines are lost", self._path, lost - self._told)
        self._refused_at, self._told = None, lost

    def _close(self) -> None:
        with contextlib.suppress(OSError):  # what its buffer still held is lost with it
            self._file.close()


class _Rotating(RotatingFileHandler):
    """Rotates as the standard library does, and hands its errors to the caller."""

    def put(self, line: Mapping[str, object]) -> None:
        """Writes one line, and opens the file where it is not open.

        Raises:
            OSError: The disk refuses.
        """
        self.emit(logging.makeLogRecord({"msg": json.dumps(line)}))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name of logging.Handler
        """Is called by `emit` in its `except`, where the error is at hand."""
        del record
        raise  # noqa: PLE0704 - the one that `emit` caught
