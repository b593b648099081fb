"""Hard negatives: other sound for training that a network, as it stands, takes for a cry."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from training.data.prepared import Prepared
from training.label.targets import cry_targets
from training.label.window_scores import score_windows

MISTAKEN_FROM: Final = 0.2
"""Probability of a cry from which a window of other sound is a mistake, or nearly: alarms rise from .3 on."""


def mistaken(prepared: Prepared, rows: NDArray[np.int64], bundle: Bundle) -> NDArray[np.int64]:
    """Returns those of the rows which surely hold no cry and in which the bundle hears one.

    Args:
        prepared: What `prepare` wrote.
        rows: int64 [k], rows of `prepared.windows` that training may see.
        bundle: Whose mistakes.
    """
    other = np.array([recording.is_cry is False for recording in prepared.recordings])[prepared.windows.recording]
    none = rows[other[rows] & (cry_targets(prepared)[rows] == 0.0)]
    p_cry = score_windows(prepared, none, Classifier(bundle, open_runtime(bundle, "litert")))
    return np.asarray(none[p_cry >= MISTAKEN_FROM])
