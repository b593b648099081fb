"""A sign of life for whoever asks on this machine: the main thread answers, with how long the worker has not moved.

On a socket that has a name and no file: no disk can refuse it, no host name need be looked up, and the kernel forgets
it with the process. It takes nothing, and tells nothing of the family.
"""

import contextlib
import hashlib
import logging
import os
import socket
import time
from pathlib import Path
from typing import Final, Self

from service.settings.paths import default_state_dir

ASKERS: Final = 8
"""Questions that may wait for the next look of the main thread (half a second); a health check asks one."""

_log = logging.getLogger(__name__)


def address_of(config_path: Path | None) -> str:
    """Returns the name of the daemon's socket.

    Args:
        config_path: The configuration file of the daemon, which need not be readable, nor be there; None: it has none,
            and is known by the default state directory.

    Raises:
        OSError: There is no such folder.
        ConfigError: This user has no state directory.
    """
    folder, name = (default_state_dir(), "") if config_path is None else (config_path.parent, config_path.name)
    # By device and inode: containers that share the network of their host have folders of the same name.
    found = folder.stat()
    key = f"{found.st_dev}:{found.st_ino}:{name}"
    return f"\0monitord-alive-{hashlib.sha256(os.fsencode(key)).hexdigest()[:32]}"


class SignOfLife:
    """Answers whoever asks; a with-block opens and closes it. Used by the main thread alone.

    Where the name is taken, nobody is answered, and the log says so.

    Args:
        config_path: As in `address_of`.
    """

    def __init__(self, config_path: Path | None) -> None:
        self._config_path = config_path
        self._socket: socket.socket | None = None

    def __enter__(self) -> Self:
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.bind(address_of(self._config_path))
        except OSError as error:
            sock.close()
            _log.warning("`monitord status --alive` cannot be answered (%s)", error.strerror)
            return self
        sock.listen(ASKERS)
        sock.settimeout(0)
        self._socket = sock
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def answer(self, moved_at: float) -> None:
        """Answers all who wait; returns at once.

        Args:
            moved_at: When the worker last finished a round (monotonic seconds).
        """
        if self._socket is None:
            return
        for _ in range(ASKERS):
            try:
                asker, _address = self._socket.accept()
            except OSError:  # nobody, or nobody any more
                return
            with asker, contextlib.suppress(OSError):
                asker.settimeout(0)
                asker.sendall(f"{time.monotonic() - moved_at:.1f}".encode())
