"""A file that is there whole or not at all, whatever the disk says."""

import os
import tempfile
from pathlib import Path

from monitord.errors import ConfigError


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file under another name first; what stood there is replaced at once, when all is written.

    Raises:
        ConfigError: The disk is full or the folder may not be written; what stood there stands there still.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror or error}; nothing was changed") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
