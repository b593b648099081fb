"""Events kept until the broker has them: added by the worker, emptied by the sender, bounded, counted.

What `add` took is on disk, in order, and outlives a kill -9 of the daemon. A disk that refuses (full, read-only) must
not make the house deaf or mute, be it from the start: the message then waits in memory, `add` returns False, and
`fault` says what is wrong until the disk takes writes again.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Self

from monitord.errors import ConfigError
from service.messages.message import Keep, Message
from service.storage.disk_fault import DiskFault
from service.storage.outbox_database import OutboxFile, Row
from service.storage.sqlite_file import is_corrupt

log = logging.getLogger(__name__)

MAX_ROWS = 50_000
"""Messages on disk: at about 350 bytes each 17 MB, and at one cry segment a second 14 hours of crying."""

MAX_AGE_S = 7 * 24 * 3600
"""How long anything but an alarm waits (seconds): a broker away for longer than a week is history, not news."""

SWEEP_S = 3600
"""Between two searches for what is too old (seconds): they read the whole table."""

MAX_MEMORY_ROWS = 1_000
"""Messages in memory while the disk refuses: half a megabyte, about 20 minutes of crying."""

ROOM = 16
"""When full, one part in so many is freed at once, so that not each later `add` searches the whole table."""


class Outbox:
    """A queue on disk. All methods may be called from any thread; no error of the disk leaves it once it is open.

    Args:
        path: The file; `-wal` and `-shm` stand beside it. Nothing is opened before `open`.
        clock: Wall time (Unix seconds).
        max_rows: Bound of the queue (messages). When full, the lowest `Keep` goes first, in it the oldest.
    """

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.time, max_rows: int = MAX_ROWS) -> None:
        self._file = OutboxFile(path)
        self._clock = clock
        self._max_rows = max_rows
        self._lock = threading.Lock()
        self._memory: dict[int, Row] = {}
        self._last_seq = 0
        self._dropped = 0
        self._swept = 0.0  # when what is too old was last dropped (Unix seconds)
        self._seen = False  # whether anybody knows messages of this run by their number
        self._found = False  # whether the file was opened, and took a write, since the start
        self._fault = DiskFault("events")

    def open(self) -> None:
        """Opens or makes the file; one that cannot be read is set aside under another name and a new one made.

        A directory that is there and refuses is a `fault`, and tried again; what an earlier run left in it waits.

        Raises:
            ConfigError: There is no such directory, and none can be made.
        """
        with self._lock:
            self._try(lambda: None)
            if self._fault.words and not self._file.path.parent.is_dir():
                raise ConfigError(f"cannot keep events ({self._fault.words}); give a directory as state_dir")

    def close(self) -> None:
        """Closes the file. What is in it stays."""
        with self._lock:
            self._file.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def add(self, message: Message) -> bool:
        """Appends the message; when it returns True, the message is durable.

        Returns:
            False where the disk refused: the message waits in memory only, and `fault` says why.
        """
        if message.keep < Keep.SEGMENT:
            raise ValueError(f"{message.topic} is not meant for the outbox")
        with self._lock:
            self._last_seq += 1
            row = Row(self._last_seq, message)
            self._memory[row.seq] = row
            durable = self._try(self._memory_to_disk)
            if durable:
                self._fault.set("")  # only writing proves it: a full disk still reads
            if len(self._memory) > MAX_MEMORY_ROWS:
                del self._memory[min(self._memory.values(), key=lambda kept: (kept.message.keep, kept.seq)).seq]
                self._dropped += 1
        return durable

    def retry(self) -> None:
        """Tries a disk that refuses again, also while nothing happens that could be added."""
        with self._lock:
            if self._fault.words and self._try(self._memory_to_disk) and self._try(self._file.prove):
                self._fault.set("")

    def pending(self, *, after: int, limit: int, least: Keep = Keep.SEGMENT) -> list[Row]:
        """Returns the oldest `limit` messages of rank `least` or more whose `seq` is greater than `after`, in order."""
        rows: list[Row] = []
        with self._lock:
            self._try(lambda: rows.extend(self._file.select(after, limit, least)))
            rows += [row for row in self._memory.values() if row.seq > after and row.message.keep >= least]
            self._seen |= bool(rows)
        return sorted(rows, key=lambda row: row.seq)[:limit]

    def delete(self, done: Collection[int], hopeless: Collection[int] = ()) -> None:
        """Forgets messages that the broker has, and those that none will ever take: they count as dropped."""
        seqs = [*done, *hopeless]
        if seqs:
            with self._lock:
                for seq in seqs:
                    self._memory.pop(seq, None)
                self._try(lambda: self._file.remove(seqs))
                self._dropped += len(hopeless)

    @property
    def last_seq(self) -> int:
        """`seq` of the newest message ever added; 0 before the first."""
        with self._lock:
            return self._last_seq

    @property
    def waiting(self) -> int:
        """Messages that the broker does not have yet."""
        with self._lock:
            return self._file.rows + len(self._memory)

    @property
    def dropped(self) -> int:
        """Messages given up since the start: the queue was full, they were too old, or no broker would take them."""
        with self._lock:
            return self._dropped

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for a person; empty when nothing is."""
        with self._lock:
            return self._fault.words

    # From here on the lock is held.

    def _try(self, work: Callable[[], None]) -> bool:
        """Does the work on the file and returns whether the disk did it; a broken file is replaced by a new one."""
        try:
            if not self._file.is_open:
                self._open()
            try:
                work()
            except sqlite3.Error as error:
                if not is_corrupt(error):
                    raise
                self._file.set_aside(error)
                self._open()
                work()
        except (OSError, sqlite3.Error) as error:
            self._fault.set(f"{self._file.path}: {error}")
            return False
        return True

    def _open(self) -> None:
        try:
            self._file.open()
        except sqlite3.Error as error:
            if not is_corrupt(error):
                raise
            self._file.set_aside(error)
            self._file.open()
        try:
            if not self._found:
                self._number()
            self._drop_old()
        except sqlite3.Error:
            self._file.close()  # half done: it is opened anew
            raise
        self._found = True
        self._last_seq = max(self._last_seq, self._file.newest)

    def _number(self) -> None:
        """Makes the numbers of what an earlier run left and of what this one had to keep in memory one order."""
        if self._seen:
            # Some may be on their way by their number: what was found comes after them.
            self._file.put_after(self._last_seq)
        else:
            rows = [Row(self._file.newest + count, row.message) for count, row in enumerate(self._memory.values(), 1)]
            self._memory = {row.seq: row for row in rows}
            self._last_seq = self._file.newest + len(rows)

    def _memory_to_disk(self) -> None:
        """Also what had to wait in memory while the disk refused."""
        if abs(self._clock() - self._swept) > SWEEP_S:  # also where the clock was put back
            self._drop_old()
        for row in list(self._memory.values()):
            if self._file.rows >= self._max_rows:
                self._make_room()
            self._file.insert(row, added=self._clock(), flush=row.message.keep is not Keep.SEGMENT)
            del self._memory[row.seq]

    def _make_room(self) -> None:
        self._drop_old()
        if self._file.rows >= self._max_rows:
            self._count(self._file.drop_least(max(1, self._max_rows // ROOM)), "the outbox is full")

    def _drop_old(self) -> None:
        self._swept = self._clock()
        self._count(self._file.drop_older(self._clock() - MAX_AGE_S, spare=Keep.ALARM), "older than a week")

    def _count(self, dropped: int, why: str) -> None:
        if dropped:
            self._dropped += dropped
            log.warning("outbox: %d messages dropped, %s", dropped, why)
