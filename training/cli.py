"""`monitord-train`: what a person types to make and judge a model. Figures on stdout, progress on stderr."""

import argparse
import sys
from pathlib import Path

from monitord.errors import MonitordError
from monitord.listener import ListenerParams


def main() -> int:
    """Runs one command. Returns 0, or 2 with a line on stderr that says what to mend."""
    parser = argparse.ArgumentParser(prog="monitord-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("prepare", help="recordings to labelled windows")
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with donateacry/, esc50/, ...")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    arguments = parser.parse_args()
    try:
        return _prepare(arguments)
    except MonitordError as error:
        print(f"monitord-train {arguments.command}: {error}", file=sys.stderr)
        return 2


def _prepare(arguments: argparse.Namespace) -> int:
    from training.prepare import prepare  # noqa: PLC0415 - each command loads only what it needs

    prepared = prepare(arguments.data, arguments.out, ListenerParams())
    print(f"{len(prepared.recordings)} recordings, {len(prepared.windows)} windows")
    return 0
