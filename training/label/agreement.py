"""How surely a window is a cry: what people said, softened by what both teachers hear; they alone where nobody said.

Each teacher misses cries and takes laughs and cats for cries, but seldom the same ones: together they are better than
either. A cry that they hear in a window is surely one; one that they do not hear, under a vacuum cleaner or through a
bad codec, is one that the network may miss rather than call a cat a cry.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from training.label.teachers import MN04_CLASSES, MN04_CRY, YAMNET_CRY

SURE: Final = (0.2, 0.7)
"""Labels under and over these say no and yes; what lies between teaches the agreement nothing."""
LEAST: Final = 0.4
"""Share of its label that a cry keeps which no teacher hears."""
EDGE: Final = 1e-4
"""Probability nearer to 0 or 1 than this says no more: float16 holds no more."""


def agreed(cry: NDArray[np.float32], tags: NDArray[Any]) -> NDArray[np.float32]:
    """Returns float32 [n] targets, none of them NaN.

    Args:
        cry: float32 [n], 0 to 1, NaN where nobody has said.
        tags: float [n, 1048], both teachers' probabilities. Any: float16 or float32.
    """
    scores = tags[:, [MN04_CRY, MN04_CLASSES + YAMNET_CRY]].astype(np.float64)
    logits = np.log((scores + EDGE) / (1.0 - scores + EDGE))  # [n, 2]
    said = (cry < SURE[0]) | (cry > SURE[1])  # NaN is neither
    both = LogisticRegression().fit(logits[said], cry[said] > 0.5).predict_proba(logits)[:, 1]  # noqa: PLR2004 - yes
    softened = cry * (LEAST + (1.0 - LEAST) * both)
    return np.asarray(np.where(np.isnan(cry), both, softened), np.float32)
