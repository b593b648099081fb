"""Writes a manifest of the public recordings whose reason a family told, so that every command runs on real data.

donateacry's cries with one of the four reasons, one line each, with the app's installation as the best stand-in for a
family; no baby is named in the corpus. `age`, `gender`, `code` (the family's own word) and `codec` are kept.

    monitord-train manifest --data DATA --out donateacry.csv
    monitord-train prepare  --manifest donateacry.csv --out runs/donateacry
    monitord-train crossval --clips runs/donateacry
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "write a manifest of the public recordings that have a reason"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with donateacry/, esc50/, ...")
    command.add_argument("--out", type=Path, required=True, metavar="CSV", help="the manifest to write")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from training.data.public_manifest import write_public_manifest  # noqa: PLC0415 - each command loads only what it needs

    reasons = write_public_manifest(arguments.data, arguments.out)
    print(f"{sum(reasons.values())} recordings: {', '.join(f'{name} {count}' for name, count in reasons.items())}")
    return 0
