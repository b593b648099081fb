"""The family's words in a history, for whoever is not the daemon: it may run meanwhile, and nothing is written."""

import sqlite3
from contextlib import closing
from pathlib import Path

from monitord.errors import ConfigError
from service.storage.history import Correction
from service.storage.sqlite_file import BUSY_S


def corrections_in(path: Path) -> list[Correction]:
    """Returns all corrections that a history holds, in the order in which they were said.

    Raises:
        ConfigError: There is none, or it cannot be read.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=BUSY_S)) as connection:
            rows = connection.execute("SELECT room, episode, since, was, reason FROM correction ORDER BY said")
            return [Correction(*row) for row in rows]
    except sqlite3.Error as error:
        raise ConfigError(
            f"{path}: no history of the page can be read there ({error}); give the --config of the daemon, and run"
            " this as its user, or with sudo"
        ) from error
