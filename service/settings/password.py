"""A secret that stands alone in a file, read with the care it asks for."""

import logging
import stat
from pathlib import Path

from monitord.errors import ConfigError

_log = logging.getLogger(__name__)


def read_password(path: Path) -> str:
    """Returns the first line of a password file, without its line end; warns where everybody may read it.

    Raises:
        ConfigError: It cannot be read, is no text, is empty, or has more than one line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors write a mark first: it is no part of a password
        mode = path.stat().st_mode
    except OSError as error:
        raise ConfigError(f"{path}: cannot read the password file: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: the password file is no UTF-8 text") from error
    lines = text.splitlines()
    if not lines or not lines[0]:
        raise ConfigError(f"{path}: the password file is empty; write the password on its first line")
    if any(lines[1:]):
        raise ConfigError(f"{path}: the password file has {len(lines)} lines; write the password alone on the first")
    if mode & stat.S_IROTH:
        _log.warning("%s: everybody on this machine can read this password; chmod 600 %s", path, path)
    return lines[0]
