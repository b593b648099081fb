"""Calibrates, fits the reasons, chooses thresholds and writes a bundle."""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "calibrate, fit the reasons, choose thresholds, write a bundle"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--weights", type=Path, required=True, metavar="FILE", help="what `pretrain` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle to write")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.vggish import COMPACT  # noqa: PLC0415 - each command loads only what it needs
    from training.fit import fit  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415

    bundle = fit(load_prepared(arguments.prepared), arguments.weights, COMPACT, arguments.out)
    print((bundle.directory / "MODEL_CARD.md").read_text(encoding="utf-8"))
    return 0
