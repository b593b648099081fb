r"""Whether the paper's preprocessing helps or hurts, for hearing and for reasons.

Takes networks that were trained alike but for the front end, and judges them on the same held-out windows, the same
mixtures with other sound at 0 dB, and the same folds over cries with a told reason:

    for f in paper plain pre-emphasis z-score; do
        monitord-train pretrain --prepared runs/prepared --views runs/views --frontend $f --width 0.25 \
            --epochs 6 --out runs/frontend-$f
    done
    monitord-train frontends --prepared runs/prepared --out runs/results/frontends.json --weights \
        paper=runs/frontend-paper/pretrained.weights.h5 plain=runs/frontend-plain/pretrained.weights.h5

Names: paper (pre-emphasis and z-score), plain (VGGish as published), pre-emphasis, z-score.
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "whether the paper's preprocessing helps, on the same windows and folds"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument(
        "--weights", nargs="+", required=True, metavar="NAME=FILE", help="front end and what `pretrain` wrote with it"
    )
    command.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures, for `report`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from monitord.errors import ConfigError  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate.frontends import frontend_figures, markdown  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415

    weights: dict[str, Path] = {}
    for item in arguments.weights:
        name, equals, file = item.partition("=")
        if not (name and equals and file) or name in weights:
            raise ConfigError(f"--weights {item}: expected NAME=FILE, each name once, such as plain=FILE")
        weights[name] = Path(file)
    figures = frontend_figures(load_prepared(arguments.prepared), weights)
    print(markdown(figures))
    if arguments.out:
        given = " ".join(f"{name}=WEIGHTS" for name in weights)
        command = f"monitord-train frontends --prepared PREPARED --weights {given}"
        data = "held-out recordings; reasons of donateacry"
        write_result(arguments.out, Result("frontends", command, data, synthetic=False, figures=figures))
    return 0
