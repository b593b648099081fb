"""Writes a bundle's network as one file for other programs; the ending of --out says which.

    .keras    the whole network, for Keras on any backend: float32 [n, 96, 64] to logits and the embedding
    .npz      its weights as plain arrays, by layer/kernel and layer/bias: `fit --from` and `crossval --from` read those
              of the full VGGish, which hold no heads (--no-heads)
    .tflite   the very file that the daemon runs, for LiteRT: int8 weights, float32 in and out

    monitord-train export --bundle runs/ours-bundle --out ours.keras

What goes in is made by the bundle's own front end (manifest.json, `frontend`; the steps are in model/frontend.py);
what comes out are logits: the manifest's `calibration` turns them into probabilities.
"""

import argparse
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError

HELP: Final = "write a bundle's network as a file for other programs: .keras, .npz, .tflite"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--bundle", type=Path, metavar="DIR", help="default: the one that comes with monitord")
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="ending: .keras, .npz or .tflite")
    command.add_argument("--no-heads", action="store_true", help=".npz: only the weights up to the embedding")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    suffix = arguments.out.suffix
    if suffix not in {".keras", ".npz", ".tflite"}:
        raise ConfigError(f"--out: found {arguments.out.name!r}, expected an ending of .keras, .npz or .tflite")
    if arguments.no_heads and suffix != ".npz":
        raise ConfigError(f"--no-heads: only for .npz, found {arguments.out.name!r}")
    from model.bundle import load_bundle  # noqa: PLC0415 - each command loads only what it needs
    from training.recipes.export_formats import FORMATS  # noqa: PLC0415
    from training.results.whole_file import write_whole  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle)
    write_whole(arguments.out, FORMATS[suffix](bundle, not arguments.no_heads))
    print(f"{arguments.out}: {bundle.manifest.name} {bundle.id}, {arguments.out.stat().st_size:,} bytes")
    return 0
