"""One daemon per state directory: two would throw each other out at the broker, and write over each other's events."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

LOCK: Final = "lock"
"""Name of the file; it stays, empty but for the process id of its last owner."""


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Holds the directory, which is made where it is missing, until the block is left or the process ends.

    Raises:
        ConfigError: Another daemon holds it, or it cannot be written.
    """
    path = state_dir / LOCK
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+")
    except OSError as error:
        raise ConfigError(f"{path}: cannot write there ({error}); set state_dir") from error
    with file:
        try:
            # The kernel forgets the lock with the process, however it ends; `exec` closes the file, too.
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise ConfigError(
                f"another monitord (process {owner}) keeps its state in {state_dir};"
                " stop it, or give this one a node and a state_dir of its own"
            ) from error
        except OSError as error:
            raise ConfigError(f"{path}: cannot be locked ({error}); set state_dir to a local disk") from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
