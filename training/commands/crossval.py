"""What the paper's recipe is worth on your clips, by both protocols in one report.

The recipe trains all weights of VGGish on the clips: a softmax on its embedding, Adam 1e-4, 30 epochs. Five folds are
made twice: random over clips, as the paper did, where clips of one baby stand on both sides and the network may know
the baby instead of the reason; and grouped, where no baby (where babies are unknown: no recording, no installation)
stands on both sides. The second is what to expect of a baby that was never heard. Both stand beside the majority class
and shuffled labels: a figure that is not clear of these says nothing.

    monitord-train prepare --manifest OURS.csv --out runs/ours
    monitord-train crossval --clips runs/ours --work runs/ours-folds --out results/ours.json

The tables go to stdout as markdown, the progress to stderr. With --work a stopped run goes on where it was when the
same command is given again. Some ten minutes on two cores for 850 clips from the bundle that comes with monitord; the
full VGGish takes thirty times as long and wants a GPU: KERAS_BACKEND=jax or torch works too. With --engine ray each
fold is a task; clips, start and --work lie at the same path on every machine, and the figures are the same.
"""

import argparse
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

HELP: Final = "the paper's recipe on your clips, by both protocols, beside chance"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument(
        "--clips", type=Path, required=True, metavar="DIR", help="folder that `prepare --manifest` or `synth` wrote"
    )
    command.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="BUNDLE_OR_CHECKPOINT",
        help="a bundle's directory, or VGGish's AudioSet checkpoint (.ckpt, .pth, .npz); "
        "default: the bundle that comes with monitord",
    )
    command.add_argument("--epochs", type=int, default=30, help="the paper's (default: %(default)s)")
    command.add_argument("--folds", type=int, default=5, help="the paper's (default: %(default)s)")
    command.add_argument(
        "--work", type=Path, metavar="DIR", help="keeps finished folds here, and goes on with those that are here"
    )
    command.add_argument(
        "--engine", choices=("ray",), help="folds on the cores of a Ray cluster, RAY_ADDRESS says which (extra `ward`)"
    )
    command.add_argument("--out", type=Path, metavar="FILE.json", help="writes the figures here for `report`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    if arguments.epochs < 1:
        raise ConfigError(f"--epochs: found {arguments.epochs}, expected at least 1")
    if arguments.engine is not None and arguments.work is None:
        raise ConfigError("--engine: needs --work, a folder that all machines share")
    from training.data.clips import load_clips  # noqa: PLC0415 - each command loads only what it needs
    from training.evaluate.crossval import crossval  # noqa: PLC0415
    from training.evaluate.crossval_tables import markdown  # noqa: PLC0415
    from training.learn.initial_weights import load_initial_weights  # noqa: PLC0415
    from training.learn.paper_training import PaperParams  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415

    clips = load_clips(arguments.clips)
    params = PaperParams(epochs=arguments.epochs)
    if arguments.engine is not None:
        from model.cluster.ray_tasks import ray_tasks  # noqa: PLC0415 - only where asked for
        from training.evaluate.fold_tasks import do_folds  # noqa: PLC0415

        do_folds(ray_tasks, arguments.clips, arguments.start, params, n_folds=arguments.folds, work=arguments.work)
    figures = crossval(
        clips, load_initial_weights(arguments.start), params, n_folds=arguments.folds, work=arguments.work
    )
    if arguments.out is not None:
        given = "" if arguments.start is None else " --from START"
        changed = "".join(
            f" --{name} {value}"
            for name, value, default in (("epochs", arguments.epochs, 30), ("folds", arguments.folds, 5))
            if value != default
        )
        command = f"monitord-train crossval --clips CLIPS{given}{changed}"
        write_result(arguments.out, Result("crossval", command, clips.name, clips.synthetic, figures))
    print(markdown(figures, clips.name, synthetic=clips.synthetic))
    return 0
