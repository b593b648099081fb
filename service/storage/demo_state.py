"""What a demo remembers lies apart: no proof and no episode of it may pass for one of a real room of the same id."""

import logging
import shutil
from pathlib import Path
from typing import Final

_FOLDER: Final = "demo"
"""Under the state directory."""

_log = logging.getLogger(__name__)


def folder_of(state_dir: Path, *, demo: bool) -> Path:
    """Returns where a daemon remembers what it heard and told."""
    return state_dir / _FOLDER if demo else state_dir


def forget_demo(state_dir: Path) -> bool:
    """Removes what a demo left; returns whether there was one."""
    folder = state_dir / _FOLDER
    if not folder.is_dir():
        return False
    shutil.rmtree(folder, onerror=lambda _, path, error: _log.warning("%s stays: %s", path, error[1]))
    return True
