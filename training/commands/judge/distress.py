"""How hard it cries: is it heard on babies that were never heard before?

Fits a head to corvin's babies in the bath and vaccinated, each left out in its turn, and judges it on that one: as
recorded, through random rooms, walls, hiss and levels, and with other sound and codecs. Beside it shuffled labels and
loudness alone (chance is .5), how often each would be told as crying hard, and what another level changes.

  monitord-train distress --prepared runs/prepared
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "how well it hears how hard a baby cries that it never heard before"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate.distress import fit_and_judge, markdown  # noqa: PLC0415

    print(markdown(fit_and_judge(load_prepared(arguments.prepared), load_bundle(arguments.bundle)).figures))
    return 0
