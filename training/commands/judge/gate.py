"""How many cry windows the listener's gates would drop, at each setting and level: what its settings rest on."""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "how many cry windows the listener's gates would drop"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate.gate import gate_table, markdown  # noqa: PLC0415 - each command loads only what it needs

    print(markdown(list(gate_table(load_prepared(arguments.prepared)))))
    return 0
