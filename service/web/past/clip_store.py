"""Clips on disk: a WebM file and its picture for each episode, bounded in days and bytes, for this user alone."""

import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from service.web.past.settings import ClipSettings

CLIPS: Final = "clips"
"""Name of the folder in the state directory."""
ENDING: Final = ".webm"
PICTURE: Final = ".png"
_EPISODE: Final = re.compile(r"[a-z0-9_]+-\d{8}T\d{6}Z-\d+")
"""An episode's id, which is no path."""


class ClipStore:
    """Any thread may call any method.

    Args:
        folder: Where they lie; made by the first clip.
        settings: How many are kept.
    """

    def __init__(self, folder: Path, settings: ClipSettings) -> None:
        self._folder = folder
        self._lock = threading.Lock()  # one at a time writes or deletes
        self._keep_s, self._most_bytes = settings.days * 86_400.0, settings.megabytes * 1_000_000

    def path(self, episode: str) -> Path | None:
        """Returns where the clip of an episode lies, or None where there is none."""
        path = self._folder / f"{episode}{ENDING}"
        return path if _EPISODE.fullmatch(episode) and path.is_file() else None

    def picture(self, episode: str) -> Path | None:
        """Returns where the spectrogram of a clip lies, or None where there is none."""
        path = self.path(episode)
        return path.with_suffix(PICTURE) if path is not None and path.with_suffix(PICTURE).is_file() else None

    def has(self, episode: str) -> bool:
        """Whether there is a clip of this episode."""
        return self.path(episode) is not None

    def add(self, episode: str, clip: bytes, picture: bytes = b"") -> None:
        """Keeps a clip with its picture (empty: none), and deletes what is too old or too much then.

        Raises:
            OSError: The disk refuses.
        """
        with self._lock:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for ending, content in ((PICTURE, picture), (ENDING, clip)):
                if not content:
                    continue
                fresh = self._folder / f"{episode}.new"
                try:
                    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                        file.write(content)
                    fresh.replace(self._folder / f"{episode}{ending}")
                finally:
                    fresh.unlink(missing_ok=True)  # what a full disk took of it
        self.prune()

    def delete(self, episode: str) -> bool:
        """Deletes a clip and its picture; returns whether there was one."""
        with self._lock:
            path = self.path(episode)
            if path is not None:
                path.with_suffix(PICTURE).unlink(missing_ok=True)
                path.unlink(missing_ok=True)
            return path is not None

    def prune(self) -> None:
        """Deletes what is too old, then the oldest while there is too much."""
        held = 0
        with self._lock:
            for written, size, path in sorted(self._clips(), reverse=True):
                held += size
                if held > self._most_bytes or written < time.time() - self._keep_s:
                    path.unlink(missing_ok=True)
                    path.with_suffix(PICTURE).unlink(missing_ok=True)

    def _clips(self) -> Iterator[tuple[float, int, Path]]:
        if self._folder.is_dir():
            for path in self._folder.iterdir():
                found = path.stat()
                yield found.st_mtime, found.st_size, path
