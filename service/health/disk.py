"""The disk under the state directory: what is wrong with it in words, and tried again for as long as it refuses."""

import os
import time
from pathlib import Path
from typing import Final

from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox

RETRY_S: Final = 5.0
"""Seconds between two tries while nothing else writes: a disk that was made writable is found within as many."""


class Disk:
    """Used by the main thread alone.

    Args:
        folder: The state directory.
        outbox: Keeps events there.
        store: Keeps settings there.
    """

    def __init__(self, folder: Path, outbox: Outbox, store: DocumentStore) -> None:
        self._folder, self._outbox, self._store = folder, outbox, store
        self._tried_at = time.monotonic()

    def poll(self) -> str:
        """Returns what is wrong, for a person; empty when nothing is."""
        if not self._faults():
            return ""
        if time.monotonic() - self._tried_at >= RETRY_S:
            self._outbox.retry()
            self._store.retry()
            self._tried_at = time.monotonic()
        if not (faults := self._faults()):
            return ""
        return f"{_why(self._folder, faults)}: rooms are heard, but what is not told yet would not outlive a power cut"

    def _faults(self) -> str:
        return " and ".join(filter(None, (self._outbox.fault, self._store.fault)))


def _why(folder: Path, faults: str) -> str:
    """Says what is wrong with a disk: SQLite's own words for a full or read-only one are no help."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return f"the disk under {folder} cannot be read ({error.strerror})"
    if found.f_flag & os.ST_RDONLY:
        return f"the disk under {folder} is read-only"
    if not found.f_bavail:
        return f"the disk under {folder} is full"
    return f"the disk under {folder} refuses ({faults})"
