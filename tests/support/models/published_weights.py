"""Weights of the published network's shapes, by chance, that pass its self-test; and plain arrays in a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.published.checkpoint import SELF_TEST, SHAPES, self_test_patches
from tests.support.models.vggish_reference import embed, random_weights

Arrays = Mapping[str, NDArray[np.float32]]


def passing_weights() -> dict[str, NDArray[np.float32]]:
    """288 MB of random weights whose last layer is set so that the self-test passes, as only the real ones should."""
    weights = random_weights(SHAPES)
    raw = embed(weights, self_test_patches())
    mean, std = SELF_TEST
    weights["fc2/kernel"] *= np.float32(std / raw.std())
    weights["fc2/bias"] = (weights["fc2/bias"] * (std / raw.std()) + mean - raw.mean() * (std / raw.std())).astype("f4")
    return weights


def write_npz(path: Path, arrays: Arrays) -> Path:
    """Writes plain arrays."""
    content: dict[str, Any] = dict(arrays)
    np.savez(path, **content)
    return path
