"""VGGish by the paper's recipe: the method itself, as one row among the others.

With the bundle that comes with the project as its start, the embedding has heard public recordings before, donateacry's
among them: whether it is a cry, and what two AudioSet networks say of it. It was never told a reason.
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
from numpy.typing import NDArray

from model.vggish import count_weights
from monitord.types import REASONS
from training.baselines.method import Answer
from training.data.clips import ClipSet
from training.evaluate.crossval import finished_fold
from training.learn import paper_training
from training.learn.initial_weights import InitialWeights, Seen, see
from training.learn.paper_training import PaperParams


@dataclass(frozen=True)
class Vggish:
    """Pre-trained on AudioSet, all weights trained anew."""

    key: ClassVar[str] = "vggish"
    name: ClassVar[str] = "VGGish (the paper's method)"
    features: ClassVar[str] = "log-mel windows of 0.96 s"
    paper_says: ClassVar[str] = "96.3 % of 4 classes"

    clips: ClipSet
    start: InitialWeights
    epochs: int = PaperParams().epochs
    crossval: Path | None = None
    """What `crossval --work` left of the same clips: its finished folds are this method's own."""

    @property
    def classifier(self) -> str:
        """As `Method`; which network it really is."""
        return f"{self.start.name}, fine-tuned"

    @property
    def settings(self) -> str:
        """As `Method`."""
        return f"epochs={self.epochs} start={self.start.digest}"

    @cached_property
    def _seen(self) -> Seen:
        return see(self.clips, self.start)

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:
        """As `Method`. The recipe has no class weights."""
        params = PaperParams(epochs=self.epochs, seed=seed)
        architecture = self.start.architecture
        weights = count_weights(architecture) + (architecture.embedding + 1) * len(REASONS)
        if self.crossval is not None:
            told = finished_fold(self.crossval, self.clips, self.start, params, test)
            if told is not None:
                return Answer(told, weights)
        keras.utils.clear_session()
        reasoner = paper_training.train(self._seen, train, self.start, params, folder=None)
        return Answer(reasoner.clips(self._seen, test), weights)
