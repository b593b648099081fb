"""What this home has taught: a few numbers that are added to the cry's calibrated log-odds."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

EMBEDDING: Final = 128
"""Numbers of an embedding: VGGish's last layer, in every bundle."""


@dataclass(frozen=True, slots=True, eq=False)
class Adaptation:
    """A change of one bundle's cry head; means nothing to another bundle."""

    bundle_id: str
    """Of the bundle whose embeddings it was learnt from."""
    weights: NDArray[np.float32]
    """float32 [128], log-odds for each unit of the embedding."""
    bias: float
    """Log-odds."""

    def shift(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        """Returns what is added to the calibrated log-odds of float32 [n, 128] embeddings, float64 [n]."""
        return embedding.astype(np.float64) @ self.weights.astype(np.float64) + self.bias
