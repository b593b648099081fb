"""Cry against the rest on held-out windows, beside YAMNet and mn04: areas under the ROC curve with intervals.

Then how the hardest other sounds fare: the share of windows of laughter, cats, sirens ... over each threshold.

  monitord-train evaluate --prepared runs/prepared --out runs/report/evaluate.json
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "cry against the rest on held-out windows, beside YAMNet and mn04"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures, for `report`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate import hard_negatives  # noqa: PLC0415
    from training.evaluate.window_auc import evaluate, markdown  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle)
    figures = evaluate(load_prepared(arguments.prepared), bundle)
    print(markdown(figures))
    hard = [hard_negatives.HardNegative(**row) for row in figures["hard_negatives"]]
    print(f"\n{hard_negatives.markdown(hard, bundle.manifest.name, figures['on_p'])}")
    if arguments.out is not None:
        command = "monitord-train evaluate --prepared PREPARED"
        result = Result("evaluate", command, "held-out recordings", synthetic=False, figures=figures)
        write_result(arguments.out, result)
    return 0
