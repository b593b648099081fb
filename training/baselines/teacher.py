"""Logistic regression on a teacher's embedding: what AudioSet's knowledge is worth without training a network."""

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from training.baselines.method import Answer, spread
from training.data.clips import ClipSet
from training.label.teachers import Mn04Teacher

PENALTY: Final = 0.01
"""Inverse strength of the ridge (scikit-learn's C): some hundred clips against 384 dimensions."""


@dataclass(frozen=True)
class TeacherRegression:
    """mn04 hears the clip as it is, at its own level; its embedding is already a mean over the clip."""

    key: ClassVar[str] = "teacher"
    name: ClassVar[str] = "mn04 embedding + logistic regression"
    features: ClassVar[str] = "384 numbers of an AudioSet network"
    classifier: ClassVar[str] = "logistic regression"
    paper_says: ClassVar[str] = ""
    settings: ClassVar[str] = ""

    clips: ClipSet
    teacher: Mn04Teacher

    @cached_property
    def _x(self) -> NDArray[np.float32]:
        """[clips, 384]."""
        return self.teacher.label([self.clips.cut(row) for row in range(len(self.clips.clips))]).embeddings

    def fit_predict(self, train: NDArray[np.int64], test: NDArray[np.int64], seed: int) -> Answer:  # noqa: ARG002
        """As `Method`; nothing in it is drawn by chance."""
        scaler = StandardScaler().fit(self._x[train])
        model = LogisticRegression(C=PENALTY, max_iter=2000, class_weight="balanced")
        model.fit(scaler.transform(self._x[train]), self.clips.labels[train])
        weights = model.coef_.size + model.intercept_.size
        return Answer(spread(model.predict_proba(scaler.transform(self._x[test])), model.classes_), weights)
