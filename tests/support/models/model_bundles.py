"""Small bundles with random weights, for tests that need a bundle and not what it hears."""

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle, write_bundle
from model.calibration import Calibration
from model.frontend import FrontendParams
from model.manifest import DataSet, Manifest
from model.vggish import Architecture, build_classifier, named_weights, weight_shapes
from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams
from tests.support.models.vggish_reference import random_weights

TINY = Architecture(width=0.125, dense=(16, 16))
CARD = "# A bundle for tests\n"


def manifest(**changes: Any) -> Manifest:
    """A manifest for the tiny network."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "architecture": TINY,
        "heads": "trained",
        "calibration": Calibration(),
        "frontend": FrontendParams(),
        "listener": ListenerParams(),
        "tracker": TrackerParams(),
        "rests_on": {"tracker.on_p": "random weights", "tracker.unsure_below": "random weights"},
        "data": (DataSet("none", "none", "nobody", "nothing"),),
        "metrics": {"random": {"accuracy": 0.25}, "grouped": {"accuracy": 0.25, "folds": [0.2, 0.3]}},
    }
    return Manifest(**(fields | changes))


@cache
def weights() -> dict[str, NDArray[np.float32]]:
    """The tiny network's."""
    return random_weights(weight_shapes(TINY, heads=True))


@cache
def tflite() -> bytes:
    """The tiny network for LiteRT."""
    from model.export import export_litert  # noqa: PLC0415 - brings TensorFlow

    model = build_classifier(TINY)
    for name, variable in named_weights(model).items():
        variable.assign(weights()[name])
    return export_litert(model)


def make_bundle(directory: Path, **changes: Any) -> Bundle:
    """Writes a whole bundle that LiteRT and Keras can run."""
    return write_bundle(directory, manifest(**changes), tflite=tflite(), weights=weights(), card=CARD)


def make_dead_bundle(directory: Path, **changes: Any) -> Bundle:
    """Writes a bundle whose network for LiteRT is no network: quick, for tests that run none."""
    return write_bundle(directory, manifest(**changes), tflite=b"no network", weights=weights(), card=CARD)
