"""What every method of the comparison has in common: clips go in once, then folds are trained and answered."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS


@dataclass(frozen=True, slots=True)
class Answer:
    """What one trained fold says of its test clips."""

    probabilities: NDArray[np.float64]
    """float64 [test, 4] in the order of `REASONS`; each row sums to 1."""
    weights: int
    """Numbers that the training set."""


class Method(Protocol):
    """One row of the table. Built on the clips, whose features it computes once, when the first fold asks."""

    @property
    def key(self) -> str:
        """What a person types after `--only`."""

    @property
    def name(self) -> str:
        """As the paper's table calls it."""

    @property
    def features(self) -> str:
        """What it sees."""

    @property
    def classifier(self) -> str:
        """What decides."""

    @property
    def paper_says(self) -> str:
        """What the literature reported, on data of its own; empty where nothing."""

    @property
    def settings(self) -> str:
        """All that its answers depend on besides the data and the rows: kept folds are found by it."""

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """Trains on some clips and answers on others.

        Args:
            train: int64, rows of the clips to learn from, with at least two reasons among them.
            test: int64 [test], rows to answer on.
            seed: The same seed, the same answers, on the same machine.
        """


def spread(probabilities: NDArray[np.float64], classes: NDArray[np.int64]) -> NDArray[np.float64]:
    """Widens [n, classes] of scikit-learn to [n, 4]: a reason that the training did not hold is never said."""
    out = np.zeros((len(probabilities), len(REASONS)))
    out[:, classes] = probabilities
    return out
