"""Cry against the rest on held-out windows, beside YAMNet and mn04: areas under the ROC curve with intervals."""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "cry against the rest on held-out windows, beside YAMNet and mn04"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.evaluate import evaluate  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415

    print(evaluate(load_prepared(arguments.prepared), load_bundle(arguments.bundle)))
    return 0
