"""The state directory of a shard on this machine: who it is, whether a process has it, and how new what it holds is."""

import fcntl
import logging
import os
import re
import uuid
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.storage.documents import DocumentStore

_EPOCH: Final = "epoch"
"""Name of the document that says in which epoch this disk was last written to."""
_ID: Final = "place"
"""Name of the file with the id of this directory."""
_IS_ID: Final = re.compile("[0-9a-f]{32}")
_LOCK: Final = "ward.lock"
"""Name of the file that is locked. The daemon itself locks the directory, and only while it hears."""

_log = logging.getLogger(__name__)


class Place:
    """One directory. The constructor opens nothing.

    Args:
        folder: It is made where it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = DocumentStore(folder)
        self._held: int | None = None

    def open(self) -> str:
        """Returns its id, which no other directory has.

        A disk that takes no writes is no reason not to hear: then the id holds for this process alone.

        Raises:
            ConfigError: There is no such directory and none can be made, or it is another user's.
        """
        path = self._folder / _ID
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
        except OSError as error:
            raise ConfigError(
                f"{path}: cannot be read ({error}); run it as the shard's user, or set state_dir to a directory of this"
                " machine"
            ) from error
        return text if _IS_ID.fullmatch(text) else self._named(path)

    @staticmethod
    def _named(path: Path) -> str:
        """Gives it an id, at once or not at all: a power cut leaves no half of one."""
        text, fresh = uuid.uuid4().hex, path.with_name(f"{_ID}.new")
        try:
            with fresh.open("w", encoding="ascii") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
        except OSError as error:
            _log.warning("%s: cannot be written (%s): whoever starts here next waits for a lease", path, error.strerror)
        return text

    def lock(self) -> bool:
        """Whether the lock is ours, now or since an earlier call: then every process that had it is dead."""
        if self._held is not None:
            return True
        try:
            held = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            return False
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
            return False
        self._held = held
        return True

    @property
    def epoch(self) -> int:
        """In which epoch this disk was last written to; 0: never."""
        epoch = self._store.load(_EPOCH).get("epoch", 0)
        return epoch if isinstance(epoch, int) else 0

    def begin(self, epoch: int) -> None:
        """From now on this disk is written to in this epoch."""
        self._store.save(_EPOCH, {"epoch": epoch})

    def close(self) -> None:
        """Gives the lock back."""
        if self._held is not None:
            os.close(self._held)
            self._held = None
