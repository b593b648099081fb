"""One daemon per state directory: two would throw each other out at the broker, and write over each other's events."""

import contextlib
import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

LOCK: Final = "lock"
"""Name of a file with the process id of the last owner, for a person; what is locked is the directory."""

_log = logging.getLogger(__name__)


@contextmanager
def only_one(state_dir: Path) -> Iterator[None]:
    """Holds the directory, which is made where it is missing, until the block is left or the process ends.

    A disk that takes no writes (full, read-only after a power cut) is no reason not to hear: the lock needs none.

    Raises:
        ConfigError: Another daemon holds it, or there is no such directory and none can be made.
    """
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"{state_dir}: cannot be made ({error}); set state_dir to a directory") from error
    with contextlib.ExitStack() as stack:
        try:
            held = os.open(state_dir, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, held)
            # The kernel forgets the lock with the process, however it ends; `exec` closes the descriptor, too.
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ConfigError(
                f"another monitord (process {_owner(state_dir)}) keeps its state in {state_dir};"
                " stop it, or give this one a node and a state_dir of its own"
            ) from error
        except OSError as error:
            _log.warning("%s cannot be locked (%s): a second monitord would not be noticed", state_dir, error.strerror)
        with contextlib.suppress(OSError):  # only words; whoever writes events there says what is wrong
            (state_dir / LOCK).write_text(f"{os.getpid()}\n")
        yield


def _owner(state_dir: Path) -> str:
    try:
        number = int((state_dir / LOCK).read_text(errors="replace"))
        os.kill(number, 0)  # on a disk that takes no writes it is the one before
    except PermissionError:
        return str(number)
    except (OSError, ValueError):
        return "unknown"
    return str(number)
