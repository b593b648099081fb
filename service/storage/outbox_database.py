"""The outbox's file: one SQLite table in WAL mode, with its own rule of when the platter is waited for.

**fsync policy.** Events and faults are on the platter when `insert` returns, so they outlive a power cut: their
connection has `synchronous = FULL`, with which SQLite syncs the whole log (WAL) at each commit. Segments and all
deletions go through one with `synchronous = NORMAL`: they are in the file, so they outlive a kill -9, and reach the
platter with the next event, or when the log is copied into the table. A power cut loses at most the segments since the
last event, always the newest, never one from the middle: constant crying must not wait for an SD card several times a
second. A deletion that is lost only sends twice. (sqlite.org/pragma.html, "synchronous"; sqlite.org/wal.html.)
"""

import json
import logging
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from service.messages.message import Keep, Message
from service.storage.set_aside import set_aside
from service.storage.sqlite_file import connect, make_or_check

log = logging.getLogger(__name__)

SCHEMA = 1
"""Version of the table below, in `user_version`; a file of another version is set aside."""

_TABLES = (
    "CREATE TABLE IF NOT EXISTS message (seq INTEGER PRIMARY KEY, keep INTEGER NOT NULL,"
    " topic TEXT NOT NULL, payload TEXT NOT NULL, added REAL NOT NULL)"
)


@dataclass(frozen=True, slots=True)
class Row:
    """One message that waits."""

    seq: int
    """Place in the order of adding."""
    message: Message


class OutboxFile:
    """Any method may raise `sqlite3.Error` or OSError and then has changed nothing. One thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        """Messages inside."""
        self.newest = 0
        """Highest `seq` found when the file was opened; 0 in an empty one."""
        self._flushed: sqlite3.Connection | None = None
        self._relaxed: sqlite3.Connection | None = None

    @property
    def is_open(self) -> bool:
        """Whether `open` has succeeded since the last `close`."""
        return self._relaxed is not None

    def open(self) -> None:
        """Opens or makes the file, and reads it through once. Raises what `is_corrupt` knows where it is broken."""
        self.close()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._flushed = connect(self.path, "FULL")
            self._relaxed = connect(self.path, "NORMAL")
            make_or_check(self._flushed, version=SCHEMA, tables=_TABLES)
            self.rows, self.newest = self._flushed.execute(
                "SELECT count(*), coalesce(max(seq), 0) FROM message"
            ).fetchone()
        except sqlite3.Error:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file; what is in it stays."""
        for connection in (self._relaxed, self._flushed):
            if connection is not None:
                connection.close()
        self._relaxed = self._flushed = None

    def set_aside(self, why: Exception) -> None:
        """Renames a broken file, for a person to look at, and says so."""
        self.close()
        aside = set_aside(self.path, "-wal", "-shm")
        log.error("outbox: %s cannot be read (%s); it is kept as %s and a new one begins", self.path, why, aside)
        self.rows = 0

    def insert(self, row: Row, *, added: float, flush: bool) -> None:
        """Appends the row, added at wall time `added` (Unix seconds); `flush` waits for the platter."""
        connection = self._flushed if flush else self._relaxed
        assert connection is not None
        message = row.message
        connection.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?)", (row.seq, message.keep, message.topic, message.payload, added)
        )
        self.rows += 1

    def select(self, after: int, limit: int, least: Keep) -> list[Row]:
        """Returns the oldest `limit` rows of rank `least` or more whose `seq` is greater than `after`, in order."""
        found = self._relax.execute(
            "SELECT seq, keep, topic, payload FROM message WHERE seq > ? AND keep >= ? ORDER BY seq LIMIT ?",
            (after, least, limit),
        )
        return [
            Row(seq, Message(topic, _content(payload), retain=False, qos=1, keep=Keep(keep)))
            for seq, keep, topic, payload in found
        ]

    def prove(self) -> None:
        """Writes what is there already, and waits for the platter: only writing proves that a disk takes writes."""
        assert self._flushed is not None
        self._flushed.execute(f"PRAGMA user_version = {SCHEMA}")

    def put_after(self, seq: int) -> None:
        """Gives every row a number above `seq`, in the same order; none of them may be known by number outside."""
        step = max(seq, self.newest)  # no new number is an old one: SQLite would find it taken on the way
        self._relax.execute("UPDATE message SET seq = seq + ?", (step,))
        self.newest += step

    def remove(self, seqs: Collection[int]) -> None:
        """Deletes these rows, where they are there."""
        gone = self._relax.executemany("DELETE FROM message WHERE seq = ?", [(seq,) for seq in seqs])
        self.rows -= gone.rowcount

    def drop_older(self, added_before: float, spare: Keep) -> int:
        """Deletes what was added before that wall time (Unix seconds) and ranks under `spare`; returns how many."""
        return self._drop("DELETE FROM message WHERE added < ? AND keep < ?", (added_before, spare))

    def drop_least(self, count: int) -> int:
        """Deletes `count` rows, the lowest rank first, in it the oldest first; returns how many."""
        return self._drop(
            "DELETE FROM message WHERE seq IN (SELECT seq FROM message ORDER BY keep, seq LIMIT ?)", (count,)
        )

    @property
    def _relax(self) -> sqlite3.Connection:
        assert self._relaxed is not None
        return self._relaxed

    def _drop(self, sql: str, values: tuple[float, ...]) -> int:
        count = self._relax.execute(sql, values).rowcount
        self.rows -= count
        return count


def _content(payload: str) -> Mapping[str, object] | str:
    """Returns the values that were kept, or the text as it is where it is none of ours: told rather than lost."""
    try:
        values = json.loads(payload)
    except ValueError:
        return payload
    return values if isinstance(values, dict) else payload
