"""A bundle of the full network for the bench, with weights by chance: what a window costs does not depend on them.

It is made once, by TensorFlow, and kept in the user's cache (220 MB).
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from model.bundle import default_bundle_path, load_bundle, write_bundle
from model.vggish import FULL, weight_shapes
from monitord.errors import MonitordError
from tests.support.models.vggish_reference import random_weights


def full_bundle() -> Path | None:
    """Where it lies; made first where it is missing; None where there is no TensorFlow to make it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "monitord-bench"
    path = cache / "full-vggish"
    try:
        load_bundle(path)
    except MonitordError:
        shutil.rmtree(path, ignore_errors=True)
        # In a process of its own: TensorFlow and 72 million weights stay in no memory that is measured later.
        made = subprocess.run(
            [sys.executable, "-m", "tests.bench.network.full_vggish", path], check=False, stdout=subprocess.DEVNULL
        )
        if made.returncode:
            return None
    return path


def main() -> None:
    """Makes it, at the path given."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from training.recipes.litert_conversion import litert_of  # noqa: PLC0415 - after the backend is chosen

    weights = {
        name: array.astype(np.float32) for name, array in random_weights(weight_shapes(FULL, heads=True)).items()
    }
    manifest = replace(load_bundle(default_bundle_path()).manifest, name="vggish-by-chance", architecture=FULL)
    network = litert_of(weights, FULL)
    write_bundle(
        Path(sys.argv[1]), manifest, tflite=network, weights=weights, card="Weights by chance, for the bench.\n"
    )


if __name__ == "__main__":
    main()
