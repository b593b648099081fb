"""Teaches `vggish-compact` to hear, from labelled windows and AudioSet teachers.

Resumes where a stopped run left off. `log.csv` in the folder is the learning curve.
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "teach vggish-compact to hear, from labelled windows and AudioSet teachers"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints and weights")
    command.add_argument("--epochs", type=int, default=20, help="of 500 batches of 64 windows (default: %(default)s)")
    command.add_argument(
        "--from", dest="warm", type=Path, metavar="FILE", help="weights of an earlier run to start from"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.vggish import COMPACT  # noqa: PLC0415 - each command loads only what it needs
    from training.prepare import load_prepared  # noqa: PLC0415
    from training.pretrain import PretrainParams, pretrain  # noqa: PLC0415

    prepared = load_prepared(arguments.prepared)
    print(pretrain(prepared, arguments.out, COMPACT, PretrainParams(epochs=arguments.epochs, warm=arguments.warm)))
    return 0
