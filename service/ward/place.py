"""The state directory of a shard on this machine: who it is, whether a process has it, and how new what it holds is."""

import contextlib
import fcntl
import os
import uuid
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.storage.documents import DocumentStore

_EPOCH: Final = "epoch"
"""Name of the document that says in which epoch this disk was last written to."""
_ID: Final = "place"
"""Name of the file with the id of this directory."""
_LOCK: Final = "ward.lock"
"""Name of the file that is locked. The daemon itself locks the directory, and only while it hears."""


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

        Raises:
            ConfigError: It can be neither read nor written.
        """
        path = self._folder / _ID
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError), path.open("x", encoding="ascii") as file:
                file.write(uuid.uuid4().hex)
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeError) as error:
            raise ConfigError(
                f"{path}: cannot be kept ({error}); set state_dir to a directory of this machine"
            ) from error
        if not text:
            raise ConfigError(f"{path} is empty: remove it, so that a new one is made")
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
