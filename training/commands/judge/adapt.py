"""What a family's corrections are worth: homes with one sound that the bundle takes for a cry, before and after.

A cat, a laughing baby or a squeaking door that training never heard sounds ten times an hour; in brackets how many such
homes, those that the bundle mistakes most. The family corrects its first false alarms by it: none, 1, 3 and 10 in each
home, where there were as many. Other hours are judged, with cries of families that neither training nor the reference
holds, by the bundle's own rule.

  monitord-train adapt --prepared runs/prepared --out runs/report/adapt.json
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "false alarms and cries found in homes, before and after 1, 3 and 10 corrections"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument("--hours", type=int, default=1, help="by which each home is judged (default: %(default)s)")
    command.add_argument("--out", type=Path, metavar="FILE", help="write the figures for `report` (.json)")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415
    from training.streams.taught_homes import figures, judge_homes, markdown  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle).require_trained()
    found = figures(judge_homes(load_prepared(arguments.prepared), bundle, arguments.hours), arguments.hours)
    print(markdown(found))
    if arguments.out is not None:
        command = f"monitord-train adapt --prepared PREPARED --hours {arguments.hours}"
        write_result(arguments.out, Result("adapt", command, "held-out recordings", synthetic=False, figures=found))
    return 0
