"""What lies in an archive: every file of a folder, in the order of names."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from monitord.errors import ConfigError


@dataclass(frozen=True, slots=True, order=True)
class Recording:
    """A file as it lay there when the archive was listed."""

    name: str
    """Its path, seen from the archive's folder."""
    size: int
    """Bytes; 0 where it cannot be asked, and why is then said by whoever hears it."""
    changed_ns: int
    """When it was changed last (Unix nanoseconds)."""


def list_recordings(folder: Path, but: tuple[Path, ...] = ()) -> list[Recording]:
    """Returns every file under a folder, sorted by name.

    What is no recording among them, FFmpeg says better than a list of endings. Hidden files and folders are left out,
    and so are pipes and devices, which would never end; links to folders are not followed.

    Args:
        folder: Of the archive.
        but: Files and folders that do not belong to it.

    Raises:
        ConfigError: It is no folder, a folder in it may not be read, or it holds no file.
    """
    without = {path.absolute() for path in but}
    found: list[Recording] = []
    for place, folders, files in os.walk(folder.absolute(), onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and Path(place, name) not in without]
        paths = [Path(place, name) for name in files if not name.startswith(".")]
        found += [one for path in paths if path not in without and (one := _recording(path, folder.absolute()))]
    if not found:
        raise ConfigError(f"{folder}: holds no file; give the folder of an archive")
    return sorted(found)


def _recording(path: Path, folder: Path) -> Recording | None:
    name = path.relative_to(folder).as_posix()
    try:
        status = path.stat()
    except OSError:  # a link to nowhere
        return Recording(name, 0, 0)
    return Recording(name, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


def _refuse(error: OSError) -> None:
    raise ConfigError(f"{error.filename}: {error.strerror}; give a folder that can be read") from error
