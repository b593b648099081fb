"""The paper's Table 4 measured: every method on the same folds of the same clips, in one command.

  monitord-train compare --clips runs/ours --teachers DATA/teachers --work runs/compare --out runs/report/compare.json

Each method is trained and tested twice: with folds random over clips, as the paper does it, and grouped, where no baby,
recording or installation is on both sides. Only the grouped figure says how it will do on a baby it never heard.

methods, for --only:
  majority          says the most frequent reason; what the others must beat
  mfcc-gmm          MFCC and a mixture of Gaussians per reason
  bfcc-ann          Bark-frequency cepstra and a small neural network
  mfcc-rbm-cnn      features that a restricted Boltzmann machine learns of MFCC, and a small CNN
  waveform-cnn      a one-dimensional CNN on the sound itself
  spectrogram-cnn   a CNN on the log-mel picture
  capsules          a capsule network with dynamic routing on the log-mel picture
  teacher           logistic regression on mn04's embedding; needs --teachers, else it is left out
  vggish            the paper's method

On 852 clips and one core all but vggish take about ten minutes; vggish takes about as long as `crossval`.
With --work a run that was stopped goes on at the fold where it stood. With --engine ray each method on each fold is a
task; clips, teachers, start and --work lie at the same path on every machine, and the figures are the same.
"""

import argparse
import sys
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

HELP: Final = "the paper's Table 4 measured: every method on the same folds, by both protocols"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument(
        "--clips", type=Path, required=True, metavar="DIR", help="folder that `prepare` or `synth` wrote"
    )
    command.add_argument("--teachers", type=Path, metavar="DIR", help="folder with mn04_as.onnx")
    command.add_argument("--only", nargs="+", default=[], metavar="NAME", help="these methods alone (see above)")
    command.add_argument("--folds", type=int, default=5, metavar="N", help="of each protocol (default: the paper's 5)")
    command.add_argument("--epochs", type=int, metavar="N", help="of every network (default: 20; vggish 30)")
    command.add_argument(
        "--from",
        dest="start",
        type=Path,
        metavar="PATH",
        help="what vggish starts from: a bundle or a VGGish checkpoint",
    )
    command.add_argument(
        "--crossval", type=Path, metavar="DIR", help="take vggish from the folds that `crossval --work DIR` finished"
    )
    command.add_argument("--work", type=Path, metavar="DIR", help="keep finished folds here, and use them again")
    command.add_argument(
        "--engine", choices=("ray",), help="folds on the cores of a Ray cluster, RAY_ADDRESS says which (extra `ward`)"
    )
    command.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures, for `report`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from training.baselines.choice import TEACHER_FILE, choose  # noqa: PLC0415 - each command loads only what it needs
    from training.baselines.compare import compare, table  # noqa: PLC0415
    from training.data.clips import load_clips  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415

    clips = load_clips(arguments.clips)
    methods = choose(
        clips,
        only=arguments.only,
        teachers=arguments.teachers,
        start=arguments.start,
        epochs=arguments.epochs,
        crossval=arguments.crossval,
    )
    if not arguments.only and arguments.teachers is None:
        print(f"left out: teacher; it needs --teachers, a folder with {TEACHER_FILE}", file=sys.stderr)
    if arguments.engine is not None:
        _do_folds(arguments)
    found = compare(clips, methods, n_folds=arguments.folds, work=arguments.work)
    print(table(clips.name, found, synthetic=clips.synthetic))
    if arguments.out is not None:
        write_result(arguments.out, Result("compare", _again(arguments), clips.name, clips.synthetic, found))
    return 0


def _do_folds(arguments: argparse.Namespace) -> None:
    if arguments.work is None:
        raise ConfigError("--engine: needs --work, a folder that all machines share")
    from model.cluster.ray_tasks import ray_tasks  # noqa: PLC0415 - only where asked for
    from training.baselines.fold_tasks import Chosen, do_folds  # noqa: PLC0415

    teachers, start, crossval = (
        None if path is None else path.absolute() for path in (arguments.teachers, arguments.start, arguments.crossval)
    )
    chosen = Chosen(arguments.clips.absolute(), tuple(arguments.only), teachers, start, arguments.epochs, crossval)
    do_folds(ray_tasks, chosen, n_folds=arguments.folds, work=arguments.work.absolute())


def _again(arguments: argparse.Namespace) -> str:
    words = ["monitord-train compare --clips CLIPS"]
    words += ["--teachers TEACHERS"] if arguments.teachers is not None else []
    words += ["--only", *arguments.only] if arguments.only else []
    words += [f"--folds {arguments.folds}"] if arguments.folds != 5 else []  # noqa: PLR2004 - the default
    words += [f"--epochs {arguments.epochs}"] if arguments.epochs is not None else []
    words += ["--from START"] if arguments.start is not None else []
    return " ".join(words)
