"""Whether what is printed goes to systemd's journal, and how a line says there that it is an error."""

import importlib
import logging
import os
import sys
from types import ModuleType
from typing import TextIO

_log = logging.getLogger(__name__)


def is_journal(stream: TextIO) -> bool:
    """Whether systemd has connected this stream to its journal, systemd.exec(5); the variable alone is inherited."""
    try:
        found = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def as_error(text: str) -> str:
    """Returns the text for standard error; in the journal each line is marked as an error, sd-daemon(3)."""
    return "\n".join(f"<3>{line}" for line in text.splitlines()) if is_journal(sys.stderr) else text


def journal() -> ModuleType | None:
    """Returns `systemd.journal` where standard error goes to the journal, else None."""
    return systemd_module("journal") if is_journal(sys.stderr) else None


def systemd_module(name: str) -> ModuleType | None:
    """Imports a part of systemd-python, which only a service has."""
    try:
        return importlib.import_module(f"systemd.{name}")
    except ImportError:
        _log.warning("systemd has started this, and systemd-python is not installed: it is told nothing")
        return None
