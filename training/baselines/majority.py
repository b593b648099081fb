"""The majority class: says the training's most frequent reason whatever it hears. What the others must beat."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS
from training.baselines.method import Answer
from training.data.clips import ClipSet


@dataclass(frozen=True)
class Majority:
    """Listens to nothing."""

    key: ClassVar[str] = "majority"
    name: ClassVar[str] = "majority class"
    features: ClassVar[str] = "none"
    classifier: ClassVar[str] = "most frequent reason"
    paper_says: ClassVar[str] = ""
    settings: ClassVar[str] = ""

    clips: ClipSet

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:  # noqa: ARG002
        """As `Method`; nothing in it is drawn by chance."""
        counts = np.bincount(self.clips.labels[train], minlength=len(REASONS))
        return Answer(np.tile(np.eye(len(REASONS))[counts.argmax()], (len(test), 1)), 0)
