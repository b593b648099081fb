"""A bundle's network as the bytes of one file: for Keras, for NumPy, for LiteRT."""

import io
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from model.bundle import Bundle
from model.vggish import build_classifier, named_weights, weight_shapes


def _keras(bundle: Bundle, _heads: bool) -> bytes:  # noqa: FBT001 - all formats are called alike
    weights = bundle.weights()
    model = build_classifier(bundle.manifest.architecture)
    for name, variable in named_weights(model).items():
        variable.assign(weights[name])
    with tempfile.TemporaryDirectory(prefix="monitord-export-") as folder:
        path = Path(folder) / "network.keras"
        model.save(path)
        return path.read_bytes()


def _npz(bundle: Bundle, heads: bool) -> bytes:  # noqa: FBT001 - the same
    weights = bundle.weights()
    names = weight_shapes(bundle.manifest.architecture, heads=heads)
    arrays: dict[str, Any] = {name: weights[name] for name in names}  # Any: savez's stub knows only its own keywords
    out = io.BytesIO()
    np.savez(out, **arrays)
    return out.getvalue()


def _tflite(bundle: Bundle, _heads: bool) -> bytes:  # noqa: FBT001 - the same
    return bundle.tflite.read_bytes()


FORMATS: Final[Mapping[str, Callable[[Bundle, bool], bytes]]] = {".keras": _keras, ".npz": _npz, ".tflite": _tflite}
"""By the file's ending; called with the bundle, and whether the heads belong to it (.npz alone can leave them out)."""
