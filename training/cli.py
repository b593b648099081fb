"""`monitord-train`: what a person types to make and judge a model. Figures on stdout, progress on stderr."""

import argparse
import os
import sys
from importlib import import_module
from typing import Final

from monitord.errors import MonitordError

COMMANDS: Final = (
    "synth",
    "manifest",
    "prepare",
    "judge.gate",
    "teach",
    "pretrain",
    "fit",
    "reference",
    "judge.evaluate",
    "crossval",
    "export",
    "compare",
    "judge.streams",
    "judge.noise",
    "judge.silences",
    "judge.distress",
    "judge.adapt",
    "judge.frontends",
    "report",
)
"""In the order of work. Each is a module of `training.commands` with `HELP`, `add_arguments` and `run`; what a person
types is the last part of its name."""

_EXTRA: Final = {"keras", "tensorflow", "sklearn", "onnxruntime", "matplotlib", "jinja2"}
"""Modules that come with the extra `train`."""


def main() -> int:
    """Runs one command. Returns 0, or 2 with a line on stderr that says what to mend."""
    # Read when NumPy, Keras and TensorFlow are loaded, which each command does later. More BLAS threads spin for the
    # front end's small products and take the cores from the training.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only: its greetings are no news
    parser = argparse.ArgumentParser(prog="monitord-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in COMMANDS:
        module = import_module(f"training.commands.{name}")
        command = commands.add_parser(
            name.rpartition(".")[2],
            help=module.HELP,
            description=module.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    arguments = parser.parse_args()
    try:
        status: int = arguments.run(arguments)
    except MonitordError as error:
        print(f"monitord-train {arguments.command}: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (name := str(error.name).partition(".")[0]) not in _EXTRA:
            raise
        print(
            f"monitord-train {arguments.command}: needs {name}, which a plain installation has not; in the checkout:"
            f" {sys.executable} -m pip install --editable '.[train]'",
            file=sys.stderr,
        )
        return 2
    return status
