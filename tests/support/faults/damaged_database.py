"""What a disk or another program makes of a database of SQLite."""

import os
import sqlite3
from pathlib import Path


def garbage(path: Path) -> None:
    """Something else stands there."""
    path.write_bytes(b"This is no database. " * 500)


def scribbled(path: Path) -> None:
    """Its beginning is right, and nothing behind it."""
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))


def of_another_version(path: Path) -> None:
    """A later program wrote it."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
