"""A file that cannot be read is kept under another name, for a person to look at, and a new one begins."""

import time
from pathlib import Path


def set_aside(path: Path, *companions: str) -> Path:
    """Renames a file to `NAME.broken-TIME` (UTC), and returns that.

    Args:
        path: The file.
        companions: Endings of files that belong to it and go with it, where they are there, such as `-wal`.

    Raises:
        OSError: The disk refuses; FileNotFoundError where there is no such file.
    """
    aside = path.with_name(f"{path.name}.broken-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}")
    path.rename(aside)
    for ending in companions:
        companion = path.with_name(path.name + ending)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + ending))
    return aside
