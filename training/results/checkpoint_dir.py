"""A folder in which long work may be stopped at any time and gone on with later."""

import json
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from training.results.whole_file import write_whole

TASK_FILE: Final = "task.json"


def claim(folder: Path, task: Mapping[str, str | int | float]) -> None:
    """Makes the folder this task's own, or finds that it already is.

    Args:
        folder: Made where it is missing.
        task: What the result depends on: the data, the start, the settings.

    Raises:
        ConfigError: Another task's work lies there, or the folder cannot be written.
    """
    path = folder / TASK_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            write_whole(path, (json.dumps(dict(task), indent=1) + "\n").encode())
            return
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: cannot be used: {error}; give another folder") from error
    if found != dict(task):
        differing = sorted(key for key in found.keys() | task.keys() if found.get(key) != task.get(key))
        raise ConfigError(
            f"{folder}: holds work on something else (not the same: {', '.join(differing)}); give another folder, "
            "or delete this one"
        )


def require(folder: Path) -> None:
    """Makes sure that a machine that helps has the folder of the run.

    Raises:
        ConfigError: It has not, and would write where nobody looks.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: not on {socket.gethostname()}; give a folder that all machines share, under the same path"
        )
