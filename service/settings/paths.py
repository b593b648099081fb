"""Where things lie when nobody says so: the state directory, and paths as people write them."""

import os
from pathlib import Path

from monitord.errors import ConfigError


def default_state_dir() -> Path:
    """Returns `monitord` under XDG_STATE_HOME, else under ~/.local/state; it may not exist yet.

    Raises:
        ConfigError: This user has no home directory and XDG_STATE_HOME is not set.
    """
    # A relative path there is to be ignored: XDG Base Directory Specification 0.8, "Environment variables".
    given = Path(os.environ.get("XDG_STATE_HOME", ""))
    if given.is_absolute():
        return given / "monitord"
    return absolute("~/.local/state/monitord", Path("/"))


def absolute(text: str | Path, folder: Path) -> Path:
    """Expands `~`, and reads a relative path as seen from `folder` (the configuration file's own, in that file).

    Raises:
        ConfigError: `~` stands for no known home directory.
    """
    try:
        return folder.absolute() / Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"{text}: there is no home directory for ~; write the whole path") from error
