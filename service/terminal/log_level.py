"""How much is logged: asked for on the command line, obeyed by our own loggers."""

import argparse
import contextlib
import logging
from collections.abc import Iterator
from typing import Final

LEVELS: Final = ("debug", "info", "warning", "error")
"""What may be asked for."""
_OURS: Final = ("monitord", "model", "service")
"""Loggers whose details are ours to vouch for. Libraries tell nothing below `info`: the lines that HTTP clients write
under `debug` hold whole addresses, and these hold the tokens and topics of phones."""


@contextlib.contextmanager
def logging_from(level: str) -> Iterator[None]:
    """Lets records of this level and above pass while the block lasts; with no handler, they go to standard error."""
    least: int = getattr(logging, level.upper())
    root, last = logging.getLogger(), logging.lastResort
    wanted: list[tuple[logging.Logger | logging.Handler, int]] = [(root, max(least, logging.INFO))]
    wanted += [(logging.getLogger(name), least) for name in _OURS]
    wanted += [] if last is None else [(last, least)]
    before = [(one, one.level) for one, _ in wanted]
    for one, to in wanted:
        one.setLevel(to)
    try:
        yield
    finally:
        for one, to in before:
            one.setLevel(to)


def add_log_level(parser: argparse.ArgumentParser, *, default: str = "warning") -> None:
    """Lets a command take `--log-level`."""
    parser.add_argument("--log-level", choices=LEVELS, default=default, help="what is logged (default: %(default)s)")
