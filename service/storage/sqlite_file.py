"""What every SQLite file of ours has: a log beside it (WAL), a version, and a look through it when it is opened."""

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

BUSY_S: Final = 2.0
"""How long to wait for another process that has the file (seconds); the worker must not stand still for longer."""

_CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class UnreadableError(sqlite3.DatabaseError):
    """SQLite opens it, but it is not what we wrote."""


def is_corrupt(error: sqlite3.Error) -> bool:
    """Says whether the file itself is broken, not the disk or the moment."""
    return isinstance(error, UnreadableError) or getattr(error, "sqlite_errorcode", None) in _CORRUPT


def connect(path: Path, synchronous: Literal["FULL", "NORMAL"]) -> sqlite3.Connection:
    """Opens or makes the file; each statement is a transaction of its own, and any thread may use it.

    Args:
        path: In a folder that is there.
        synchronous: FULL waits for the platter at each commit, NORMAL when the log is copied into the tables.
    """
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def make_or_check(
    connection: sqlite3.Connection, *, version: int, tables: str, steps: Mapping[int, str] = MappingProxyType({})
) -> None:
    """Makes the tables in a new file, and reads an old one through.

    Args:
        connection: To the file.
        version: Of the tables, kept in `user_version`; not 0.
        tables: SQL that makes those that are missing.
        steps: By an older version, the SQL that makes the next one of it.

    Raises:
        UnreadableError: It is damaged, or of another version.
    """
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found == 0:
        connection.executescript(tables)
        connection.execute(f"PRAGMA user_version = {version}")
        found = version
    while found in steps:
        connection.executescript(f"BEGIN; {steps[found]}; PRAGMA user_version = {found + 1}; COMMIT")
        found += 1
    if found > version:
        raise UnreadableError(
            f"a newer monitord wrote it, with tables of version {found} where this one knows {version}"
        )
    if found != version:
        raise UnreadableError(f"its tables are of version {found}, and this monitord writes {version}")
    check = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if check != "ok":
        raise UnreadableError(check)
