"""The history's file: SQLite, bounded in days and bytes; what a disk refuses waits in memory.

Rows lie in the file at once, so they outlive a kill -9, and reach the platter when the log is copied into the tables
(`synchronous = NORMAL`): a power cut may cost the last minutes of a history, and never an alarm.
"""

import logging
import sqlite3
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from service.storage.disk_fault import DiskFault
from service.storage.set_aside import set_aside
from service.storage.sqlite_file import connect, is_corrupt, make_or_check

KEEP_S: Final = 90 * 86_400.0
"""Seconds for which a row is kept: a season, for which a baby's nights resemble each other."""
MAX_BYTES: Final = 50 * 2**20
"""Most that the tables take (bytes): a home's season takes 2 MB, one whose connection flaps each minute 20."""
WAITING: Final = 1000
"""Statements that wait in memory for a disk that refuses: a night of faults. Then the oldest is lost, and said so."""
PRUNE_EVERY: Final = 1000
"""Statements between two looks at the bounds: some 200 kB."""

UNRECORDED: Final = "unrecorded"
"""Why there is nothing: the history begins later, or ended there to make room. One row of it, of no room, from 0 on."""

SCHEMA: Final = 3
"""Version of the tables, in `user_version`; a file of a newer version is set aside."""
_STEPS: Final = {
    1: "ALTER TABLE episode ADD COLUMN answered_by TEXT",
    2: "ALTER TABLE episode ADD COLUMN told_up_to REAL; ALTER TABLE episode ADD COLUMN loudness_db REAL",
}
"""What makes the next version of an older one."""
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS episode (
    id TEXT NOT NULL, since REAL NOT NULL, until REAL, rooms TEXT NOT NULL, p_cry REAL NOT NULL, distress REAL,
    reason TEXT NOT NULL, answered REAL, answered_by TEXT, told_up_to REAL,
    loudness_db REAL, PRIMARY KEY (id, since));
CREATE INDEX IF NOT EXISTS episode_since ON episode (since);
CREATE TABLE IF NOT EXISTS gap (room TEXT NOT NULL, why TEXT NOT NULL, since REAL NOT NULL, until REAL);
CREATE INDEX IF NOT EXISTS gap_since ON gap (since);
CREATE TABLE IF NOT EXISTS correction (
    room TEXT NOT NULL, episode TEXT, since REAL NOT NULL, was TEXT NOT NULL, reason TEXT, said REAL NOT NULL);
CREATE INDEX IF NOT EXISTS correction_since ON correction (since);
CREATE TABLE IF NOT EXISTS alive (one INTEGER PRIMARY KEY CHECK (one = 1), at REAL NOT NULL);
"""

_log = logging.getLogger(__name__)


class HistoryFile:
    """One thread at a time. No method raises; `fault` says what is wrong with the disk.

    Args:
        path: Its folder is made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._waiting: deque[tuple[str, tuple[object, ...]]] = deque()
        self._fault = DiskFault("rows of the history")
        self._until_prune = 0

    @property
    def fault(self) -> str:
        """What is wrong with the disk, for a person; empty when nothing is."""
        return self._fault.words

    def add(self, sql: str, *values: object) -> None:
        """Takes one statement that writes; `write` does it."""
        if len(self._waiting) == WAITING:
            self._waiting.popleft()
            _log.error("history: the disk refuses for so long that the oldest row is lost")
        self._waiting.append((sql, values))

    def write(self) -> None:
        """Does what waits, in order, as far as the disk lets it."""
        try:
            try:
                self._write()
            except sqlite3.Error as error:
                if not is_corrupt(error):
                    raise
                self.close()
                aside = set_aside(self.path, "-wal", "-shm")
                _log.error(
                    "history: %s cannot be read (%s); it is kept as %s and a new one begins", self.path, error, aside
                )
                self._write()
        except (OSError, sqlite3.Error) as error:
            self._fault.set(f"{self.path}: {error}")
        else:
            self._fault.set("")

    def select(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Returns rows; none where the disk does not give them. Any: SQLite's values."""
        self.write()
        if self._connection is None:
            return []
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            self._fault.set(f"{self.path}: {error}")
            return []

    def close(self) -> None:
        """Closes the file; what is in it stays."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
        self._connection = None

    def _write(self) -> None:
        if self._connection is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            opened = connect(self.path, "NORMAL")
            try:
                make_or_check(opened, version=SCHEMA, tables=_TABLES, steps=_STEPS)
            except sqlite3.Error:  # a disk that is full: the tables are made at the next try
                opened.close()
                raise
            self._connection, self._until_prune = opened, 0
        while self._waiting:
            self._connection.execute(*self._waiting[0])
            self._waiting.popleft()
            self._until_prune -= 1
        if self._until_prune <= 0:
            self._until_prune = PRUNE_EVERY
            self._prune(self._connection)

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Deletes what is too old, then the oldest while there is too much."""
        before = time.time() - KEEP_S
        while True:
            gone = sum(
                connection.execute(sql, (before,)).rowcount
                for sql in (
                    "DELETE FROM episode WHERE until < ?",
                    f"DELETE FROM gap WHERE until < ? AND why != '{UNRECORDED}'",  # noqa: S608 - our own word
                    "DELETE FROM correction WHERE said < ?",  # what was missed may be said to be of any time
                )
            )
            connection.execute("UPDATE gap SET until = max(until, ?) WHERE why = ?", (before, UNRECORDED))
            pages, free, size = (
                connection.execute(f"PRAGMA {name}").fetchone()[0]
                for name in ("page_count", "freelist_count", "page_size")
            )
            if (pages - free) * size <= MAX_BYTES or time.time() - before < 1.0:  # of a clock that was ahead: stays
                return
            if not gone:
                _log.warning("history: %s is full; its oldest rows are deleted", self.path)
            # A tenth at a time of what is left of the ninety days: the oldest days go, whole.
            before += (time.time() - before) / 10
