"""Recordings to labelled windows, by the daemon's own ear.

Hears every recording with the `Listener` that the daemon uses and lets both teachers score each window. Repeated over
the same folder it takes a minute, because what the teachers said is used again.
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "recordings to labelled windows"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with donateacry/, esc50/, ...")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from monitord.listener import ListenerParams  # noqa: PLC0415 - each command loads only what it needs
    from training.prepare import prepare  # noqa: PLC0415

    prepared = prepare(arguments.data, arguments.out, ListenerParams())
    print(f"{len(prepared.recordings)} recordings, {len(prepared.windows)} windows")
    return 0
