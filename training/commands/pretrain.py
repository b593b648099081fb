"""Teaches `vggish-compact` to hear, from the views that `teach` wrote.

Started again over the same folder, a stopped run goes on after its last whole epoch. `log.csv` in the folder is the
learning curve. After each epoch the area under the ROC curve on held-out windows is printed: to watch, not to
choose by.
"""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

HELP: Final = "teach vggish-compact to hear, from labelled windows and AudioSet teachers"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--views", type=Path, required=True, metavar="DIR", help="folder that `teach` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints and weights")
    command.add_argument("--epochs", type=int, default=20, help="times through all views (default: %(default)s)")
    command.add_argument(
        "--frontend",
        choices=("paper", "plain", "pre-emphasis", "z-score"),
        default="paper",
        help="what is done to the waveform first: the paper's both steps, none (plain VGGish), or one of them",
    )
    command.add_argument(
        "--width", type=float, metavar="SHARE", help="of VGGish's channels; default: the shipped network's"
    )
    command.add_argument(
        "--from", dest="warm", type=Path, metavar="PATH", help="weights of an earlier run, or a bundle, to start from"
    )


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.frontend import FRONTENDS  # noqa: PLC0415 - each command loads only what it needs
    from model.vggish import COMPACT  # noqa: PLC0415
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.learn.pretrain import PretrainParams, pretrain  # noqa: PLC0415

    architecture = COMPACT if arguments.width is None else replace(COMPACT, width=arguments.width)
    params = PretrainParams(epochs=arguments.epochs, warm=arguments.warm)
    frontend = FRONTENDS[arguments.frontend]
    prepared = load_prepared(arguments.prepared)
    print(
        pretrain(
            prepared,
            arguments.views,
            arguments.out,
            architecture=architecture,
            frontend=frontend,
            params=params,
        )
    )
    return 0
