"""Whether what is printed goes to systemd's journal, and how a line says there that it is an error."""

import os
import sys
from typing import TextIO


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
