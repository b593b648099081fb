"""How well cries are heard, and reasons told, by kind of noise and level.

Mixes held-out windows with rain, wind, a vacuum cleaner, a washing machine, a cafe, a television (all of recordings
that training never saw), white and pink noise, from 20 dB over the noise to 10 dB under it. Three tables come out:
the share of cry windows over the bundle's threshold, the area under the curve against other sound in the same noise,
and the recall of the reasons by the grouped protocol. Two bundles, one of them trained without noise, stand side by
side on the very same mixtures:

    monitord-train noise --prepared runs/prepared --before runs/without-noise --out runs/results/noise.json

It takes about two minutes for each bundle on one core.
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "hearing and reasons by kind of noise and level, before and after noise training"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument("--before", type=Path, metavar="DIR", help="a bundle that was trained without noise")
    command.add_argument(
        "--clips", type=Path, metavar="DIR", help="labelled cries for the reasons (default: those of --prepared)"
    )
    command.add_argument("--out", type=Path, metavar="FILE.json", help="also write the figures, for `report`")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.data.clips import load_clips  # noqa: PLC0415
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.evaluate.noise import Tried, markdown, noise_figures  # noqa: PLC0415
    from training.results.result_files import Result, write_result  # noqa: PLC0415

    tried = [Tried(load_bundle(arguments.bundle), trained_with_noise=True)]
    if arguments.before:
        tried.insert(0, Tried(load_bundle(arguments.before), trained_with_noise=False))
    clips = load_clips(arguments.clips) if arguments.clips else None
    figures = noise_figures(load_prepared(arguments.prepared), tried, clips)
    data = "held-out recordings" + (f", reasons of {clips.name}" if clips else "")
    synthetic = clips is not None and clips.synthetic
    print(f"{data}{' (synthetic: no baby ever cried in it)' if synthetic else ''}\n\n{markdown(figures)}")
    if arguments.out:
        before = " --before BUNDLE" if arguments.before else ""
        command = f"monitord-train noise --prepared PREPARED --bundle BUNDLE{before}"
        command += " --clips CLIPS" if clips else ""
        write_result(arguments.out, Result("noise", command, data, synthetic, figures))
    return 0
