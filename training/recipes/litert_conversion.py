"""LiteRT bytes from plain weights, whatever backend Keras trains on: not on TensorFlow, by a child process."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.export import export_litert
from model.npz import read_npz
from model.vggish import Architecture, build_classifier, named_weights, weight_shapes
from monitord.errors import ConfigError


def litert_of(weights: Mapping[str, NDArray[np.float32]], architecture: Architecture) -> bytes:
    """Converts a classifier with these weights, by `layer/kernel` and `layer/bias`, heads included.

    Raises:
        ConfigError: TensorFlow, which alone can convert, is not installed.
    """
    import keras  # noqa: PLC0415 - after the caller has chosen the backend

    if keras.backend.backend() == "tensorflow":
        model = build_classifier(architecture)
        for name, variable in named_weights(model).items():
            variable.assign(weights[name])
        return export_litert(model)
    with tempfile.TemporaryDirectory(prefix="monitord-convert-") as folder:
        given, made = Path(folder) / "weights.npz", Path(folder) / "model.tflite"
        arrays: dict[str, Any] = dict(weights)  # Any: savez's stub knows only its own two keywords
        np.savez(given, **arrays)
        command = [
            sys.executable,
            "-m",
            "training.recipes.litert_conversion",
            str(given),
            json.dumps(asdict(architecture)),
            str(made),
        ]
        environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
        child = subprocess.run(command, check=False, env=environment, stdout=sys.stderr)
        if child.returncode:
            raise ConfigError(
                "the LiteRT file of a bundle is made by TensorFlow, in a process of its own, and that failed (above); "
                "install monitord[train] and give the same command again: finished training is not repeated"
            )
        return made.read_bytes()


def main() -> int:
    """The child: weights, architecture (JSON), file to write."""
    given, described, made = sys.argv[1:]
    fields = json.loads(described)
    architecture = Architecture(**(fields | {"dense": tuple(fields["dense"])}))
    weights = read_npz(Path(given), weight_shapes(architecture, heads=True))
    Path(made).write_bytes(litert_of(weights, architecture))
    return 0


if __name__ == "__main__":
    sys.exit(main())
