"""Adds to a bundle what a home's corrections are checked against: embeddings of strangers' cries and of other sound.

Every other file of the bundle stays bit for bit as it is; its id is another one, for the manifest lists the file.
`fit` does the same for each bundle that it makes.

  monitord-train reference --prepared runs/prepared --bundle model/bundles/vggish-compact
"""

import argparse
from pathlib import Path
from typing import Final

HELP: Final = "add to a bundle what a home's corrections are checked against"


def add_arguments(command: argparse.ArgumentParser) -> None:
    """Adds what the command takes."""
    command.add_argument("--prepared", type=Path, required=True, metavar="DIR", help="folder that `prepare` wrote")
    command.add_argument("--bundle", type=Path, required=True, metavar="DIR", help="the bundle that gets it")


def run(arguments: argparse.Namespace) -> int:
    """Runs it."""
    from model.adaptation.reference import reference_file  # noqa: PLC0415 - each command loads only what it needs
    from model.bundle import REFERENCE, load_bundle, with_reference  # noqa: PLC0415
    from training.data.prepared import load_prepared  # noqa: PLC0415
    from training.learn.reference_windows import make_reference  # noqa: PLC0415

    bundle = load_bundle(arguments.bundle).require_trained()
    reference = make_reference(load_prepared(arguments.prepared), bundle)
    added = with_reference(bundle, reference_file(reference))
    size = added.manifest.files[REFERENCE].size_bytes
    print(
        f"{added.directory}: {added.manifest.name} {added.id}, before {bundle.id}; {REFERENCE} holds "
        f"{len(reference.cries)} windows of cries and {len(reference.others)} of other sound, {size:,} bytes"
    )
    return 0
