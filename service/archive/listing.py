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
    and so are pipes and devices, which would never end; links to folders are not followed. A folder in it that may not
    be read, as `lost+found` of a disk, is listed like a file, so that whoever hears it says so.

    Args:
        folder: Of the archive.
        but: Files and folders that do not belong to it.

    Raises:
        ConfigError: It is no folder, one in it cannot be read, or it holds no file.
    """
    root = folder.absolute()
    found: list[Recording] = []

    def counts(place: str, name: str) -> bool:
        return not name.startswith(".") and not any(name == one.name and _is(place, one.parent) for one in but)

    def unread(error: OSError) -> None:
        place = Path(error.filename)
        if place == root or not isinstance(error, PermissionError):
            raise ConfigError(f"{place}: {error.strerror}; give a folder that can be read") from error
        found.append(Recording(place.relative_to(root).as_posix(), 0, 0))

    for place, folders, files in os.walk(root, onerror=unread):
        folders[:] = [name for name in folders if counts(place, name)]
        paths = [Path(place, name) for name in files if counts(place, name)]
        found += [one for path in paths if (one := _recording(path, root))]
    if not found:
        raise ConfigError(f"{folder}: holds no file; give the folder of an archive")
    return sorted(found)


def _is(place: str, folder: Path) -> bool:
    """Whether both lead to one folder, whatever links and dots lie on the way."""
    try:
        return folder.samefile(place)
    except OSError:  # not made yet
        return False


def _recording(path: Path, root: Path) -> Recording | None:
    name = path.relative_to(root).as_posix()
    try:
        status = path.stat()
    except OSError:  # a link to nowhere
        return Recording(name, 0, 0)
    return Recording(name, status.st_size, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None
