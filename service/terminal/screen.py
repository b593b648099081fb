"""Where a person, a script or systemd's journal reads what happens."""

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping

from service.terminal.console import Console, ConsoleHandler
from service.terminal.journal import JournalLog, JournalScreen, Screen
from service.terminal.journal_stream import journal


def open_screen(names: Mapping[str, str], *, json_lines: bool) -> tuple[Screen, logging.Handler]:
    """Returns who shows what happens, and who writes the log: systemd's journal where there is one, or the streams."""
    if not json_lines and (written := journal()) is not None:
        return JournalScreen(written.send, names), JournalLog(written.send)
    console = Console(sys.stderr if json_lines else sys.stdout, names, sys.stdout if json_lines else None)
    handler = ConsoleHandler(console)
    handler.setFormatter(logging.Formatter("%(asctime)s  %(levelname)s: %(message)s", "%H:%M:%S"))
    return console, handler


@contextlib.contextmanager
def logging_to(handler: logging.Handler) -> Iterator[None]:
    """Lets the handler have every record while the block lasts."""
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
