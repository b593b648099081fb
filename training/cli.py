"""`monitord-train`: what a person types to make and judge a model. Figures on stdout, progress on stderr."""

import argparse
import os
import sys
from pathlib import Path

from monitord.errors import MonitordError


def main() -> int:
    """Runs one command. Returns 0, or 2 with a line on stderr that says what to mend."""
    # Read when NumPy, Keras and TensorFlow are loaded, which each command does later. More BLAS threads spin for the
    # front end's small products and take the cores from the training.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # errors only: its greetings are no news
    parser = argparse.ArgumentParser(prog="monitord-train", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("prepare", help="recordings to labelled windows")
    command.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder with donateacry/, esc50/, ...")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    command.set_defaults(run=_prepare)
    command = commands.add_parser("pretrain", help="teach vggish-compact to hear, from labelled windows and mn04")
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for checkpoints and weights")
    command.add_argument("--epochs", type=int, default=20, help="of 500 batches of 64 windows (default: %(default)s)")
    command.add_argument(
        "--from", dest="warm", type=Path, metavar="FILE", help="weights of an earlier run to start from"
    )
    command.set_defaults(run=_pretrain)
    command = commands.add_parser("fit", help="calibrate, fit the reasons, choose thresholds, write a bundle")
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--weights", type=Path, required=True, metavar="FILE", help="what `pretrain` wrote")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle to write")
    command.set_defaults(run=_fit)
    command = commands.add_parser("evaluate", help="cry against the rest on held-out windows, beside YAMNet and mn04")
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.set_defaults(run=_evaluate)
    command = commands.add_parser("gate", help="how many cry windows the listener's gates would drop")
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.set_defaults(run=_gate)
    arguments = parser.parse_args()
    try:
        status: int = arguments.run(arguments)
    except MonitordError as error:
        print(f"monitord-train {arguments.command}: {error}", file=sys.stderr)
        return 2
    return status


def _prepare(arguments: argparse.Namespace) -> int:
    from monitord.listener import ListenerParams  # noqa: PLC0415 - each command loads only what it needs
    from training.prepare import prepare  # noqa: PLC0415

    prepared = prepare(arguments.data, arguments.out, ListenerParams())
    print(f"{len(prepared.recordings)} recordings, {len(prepared.windows)} windows")
    return 0


def _pretrain(arguments: argparse.Namespace) -> int:
    from model.vggish import COMPACT  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415
    from training.pretrain import PretrainParams, pretrain  # noqa: PLC0415

    prepared = load_prepared(arguments.prepared)
    print(pretrain(prepared, arguments.out, COMPACT, PretrainParams(epochs=arguments.epochs, warm=arguments.warm)))
    return 0


def _fit(arguments: argparse.Namespace) -> int:
    from model.vggish import COMPACT  # noqa: PLC0415
    from training.fit import fit  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415

    bundle = fit(load_prepared(arguments.prepared), arguments.weights, COMPACT, arguments.out)
    print((bundle.directory / "MODEL_CARD.md").read_text(encoding="utf-8"))
    return 0


def _evaluate(arguments: argparse.Namespace) -> int:
    from model.bundle import load_bundle  # noqa: PLC0415
    from training.evaluate import evaluate  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415

    print(evaluate(load_prepared(arguments.prepared), load_bundle(arguments.bundle)))
    return 0


def _gate(arguments: argparse.Namespace) -> int:
    from training.gate import gate_table, markdown  # noqa: PLC0415
    from training.prepare import load_prepared  # noqa: PLC0415

    print(markdown(list(gate_table(load_prepared(arguments.prepared)))))
    return 0
