"""Makes a synthetic twin of the paper's private data set: ten virtual babies, its very counts by baby and reason.

No baby ever cried in it, and every table and report that rests on it says so. It is there to prove the line end to end
on a machine that has no recordings, and to show what random folds hide: in it the reason really is audible (melody,
length, roughness), and each baby has a voice and a dialect of its own. What a model scores on it says nothing about
babies.

Writes one WAV file per cry sound, manifest.csv and the clips themselves, so that both of these work:

    monitord-train synth --out runs/twin                                  # half a minute
    monitord-train crossval --clips runs/twin
    monitord-train prepare --manifest runs/twin/manifest.csv --out runs/twin-again
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "make a synthetic twin of the paper's private data set"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder to write")
    command.add_argument("--seed", type=int, default=1, metavar="N", help="another seed, other babies (default: 1)")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from monitord.errors import ConfigError  # noqa: PLC0415 - each command loads only what it needs
    from training.data.synthetic_twin import synthesise  # noqa: PLC0415
    from training.data.table_one import table_one  # noqa: PLC0415

    if arguments.seed < 0:
        raise ConfigError(f"--seed: found {arguments.seed}, expected 0 or more")
    print(table_one(synthesise(arguments.out, arguments.seed)))
    return 0
