"""Does a network know by the silences in a recording that a baby cries elsewhere in it?

Every set was recorded in its own way. The table says how well a linear model on the embedding of the pauses tells
recordings with a cry from all others, on groups that it was not fitted to, beside shuffled labels (chance is .5); and
how well the network's own cry does, which should know nothing of it.

  monitord-train silences --prepared runs/prepared
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "whether a recording's conditions have become the label"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate.silences import markdown, probe  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle)
    print(markdown(probe(load_prepared(arguments.prepared), bundle), bundle.manifest.name))
    return 0
