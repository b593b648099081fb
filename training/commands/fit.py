"""Makes a bundle, in one of four ways.

The bundle that comes with monitord: from what `pretrain` made, calibrated, with thresholds chosen on hours of streams.

  monitord-train fit --prepared PREPARED --weights PRETRAINED/pretrained.weights.h5 --out BUNDLE

The paper's method, whole, on labelled cries: VGGish from AudioSet's checkpoint (or from a bundle), a softmax on the
embedding, Adam, 30 epochs, all weights. It resumes where it was stopped.

  monitord-train fit --recipe paper --clips runs/ours --from vggish_model.ckpt --work WORK --out BUNDLE

It cross-validates first (with the folds that `crossval --work` left there), because a bundle carries what it is worth.
All weights move, so its head for the cry must learn anew: with --prepared from `prepare --data`; without, the bundle
only tells reasons, and the daemon refuses it.

A family's own cries, in minutes: the network of a bundle stays as it is, only the reasons are learnt anew, and only
where that helps. The manifest is a CSV file with the columns path, label, baby, recording and licence.

  monitord-train fit --from BUNDLE --manifest ours.csv --out runs/our-bundle

How hard it cries, learnt anew from corvin for a bundle whose network and thresholds stay as they are; the compact
recipe does it by itself. --out may be the bundle itself.

  monitord-train fit --recipe distress --from BUNDLE --prepared PREPARED --out BUNDLE
"""

import argparse
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

HELP: Final = "make a bundle: the shipped one, by the paper's recipe, or fitted to a family's own cries"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the bundle to write")
    command.add_argument(
        "--recipe",
        choices=("compact", "paper", "family", "distress"),
        help="default: paper with --clips, family with --from or --manifest, else compact",
    )
    command.add_argument("--prepared", type=Path, metavar="DIR", help="all but family: what `prepare --data` wrote")
    command.add_argument("--weights", type=Path, metavar="FILE", help="compact: what `pretrain` wrote")
    command.add_argument(
        "--hours",
        type=int,
        default=2,
        help="compact, paper: of streams with cries, and as many without, from each half of what is held out "
        "(default: %(default)s)",
    )
    command.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="compact: where `frontends --out` left why this front end was chosen",
    )
    command.add_argument(
        "--from", dest="start", type=Path, metavar="PATH", help="paper: AudioSet checkpoint or bundle; others: bundle"
    )
    command.add_argument("--clips", type=Path, metavar="DIR", help="paper: folder that `prepare --manifest` wrote")
    command.add_argument("--work", type=Path, metavar="DIR", help="paper: folds, checkpoints and learning curves")
    command.add_argument("--epochs", type=int, default=30, help="paper: default %(default)s, the paper's")
    command.add_argument("--manifest", type=Path, metavar="CSV", help="family: path,label,baby,recording,licence")
    command.add_argument("--anyway", action="store_true", help="family: write the bundle although it is no better")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    likely = "paper" if arguments.clips else "family" if arguments.start or arguments.manifest else "compact"
    recipe = arguments.recipe or likely
    status: int = {"compact": _compact, "paper": _paper, "family": _fine_tune, "distress": _distress}[recipe](arguments)
    return status


def _need(arguments: argparse.Namespace, recipe: str, *names: str) -> None:
    """Refuses a recipe without what it needs."""
    missing = [f"--{name}" for name in names if getattr(arguments, "start" if name == "from" else name) is None]
    if missing:
        raise ConfigError(f"the {recipe} recipe needs {' and '.join(missing)}; see monitord-train fit --help")


def _compact(arguments: argparse.Namespace) -> int:
    _need(arguments, "compact", "prepared", "weights")
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.recipes.compact_bundle import fit_compact  # noqa: PLC0415 - each command loads only what it needs
    from training.results.result_files import frontend_why, read_results  # noqa: PLC0415

    why = frontend_why(read_results(arguments.results)) if arguments.results else ""
    prepared = load_prepared(arguments.prepared)
    bundle = fit_compact(prepared, arguments.weights, arguments.out, hours=arguments.hours, frontend_why=why)
    print((bundle.directory / "MODEL_CARD.md").read_text(encoding="utf-8"))
    return 0


def _paper(arguments: argparse.Namespace) -> int:
    _need(arguments, "paper", "clips", "work")
    from training.data.clips import load_clips  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.learn.paper_training import PaperParams  # noqa: PLC0415
    from training.recipes.paper_bundle import fit_paper  # noqa: PLC0415

    bundle = fit_paper(
        load_clips(arguments.clips),
        arguments.start,
        arguments.out,
        arguments.work,
        params=PaperParams(epochs=arguments.epochs),
        prepared=load_prepared(arguments.prepared) if arguments.prepared else None,
        hours=arguments.hours,
    )
    print((bundle.directory / "MODEL_CARD.md").read_text(encoding="utf-8"))
    return 0


def _distress(arguments: argparse.Namespace) -> int:
    _need(arguments, "distress", "from", "prepared")
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.recipes.distress_bundle import with_distress  # noqa: PLC0415

    bundle = with_distress(load_prepared(arguments.prepared), load_bundle(arguments.start), arguments.out)
    print(bundle.manifest.rests_on["distress"])
    return 0


def _fine_tune(arguments: argparse.Namespace) -> int:
    _need(arguments, "family", "from", "manifest")
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.cutting import cut_clips  # noqa: PLC0415
    from training.recipes.fine_tuning import adapt  # noqa: PLC0415

    bundle = load_bundle(arguments.start)
    clips = cut_clips(arguments.manifest, bundle, every_segment=False).clips
    adapted = adapt(bundle, clips, arguments.out, anyway=arguments.anyway)
    print(adapted.table)
    if adapted.refusal:
        raise ConfigError(adapted.refusal)
    return 0
