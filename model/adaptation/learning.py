"""Learns from a family's word on some episodes, without losing a stranger's cry.

A logistic regression moves the cry head (128 weights and a bias) with a ridge towards 0, so by as little as it takes.
Beside the family's lessons it is held by the reference: whatever moves one of its windows towards a threshold, from
`SAFE` before that on, costs by the square. From the heaviest such cost to lighter ones, the first change that settles
all lessons is taken; where that would take too many of the reference's windows over a threshold, the lesson that is
furthest from being settled is left out, and it begins anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from model.adaptation.head import Adaptation
from model.adaptation.reference import Reference, Windows
from model.calibration import sigmoid

STRONGEST: Final = 12
"""Windows of an episode that a lesson is made of: 3 s of crying, and 5 KB on disk."""
BEFORE_S: Final = 6.0
"""Seconds before an alarm in which the windows lie that it rests on."""
MOST_LOST: Final = 0.005
"""Share of the reference's cry windows that may fall under a threshold, and of its other windows that may rise over it:
one in two hundred, a tenth of the cries that a monitor may miss at all."""
SPEAKING: Final = 0.25
"""Share of an episode's strongest windows that may still speak for crying once it is rejected: too few for an alarm."""
MARGIN: Final = 3.0
"""Log-odds by which a lesson's windows should lie beyond the threshold: the cat's next meow is not the same meow."""
SAFE: Final = 2.0
"""Log-odds before a threshold at which a window of the reference is safe; what lies nearer is to stay where it is.
With 1 of it, of cries of families in no reference half as many more were lost."""
RIDGE: Final = 0.5
"""Weight of the change itself, in coordinates in which the reference's cries have variance one; a lesson weighs 1."""
HOLDS: Final = tuple(float(2.0**power) for power in range(12, -3, -2))
"""Weights of the reference, in lessons."""
STEEPNESS: Final = 2.0
"""Of the logistic loss (1 / log-odds): half a log-odd beyond the margin a window has hardly a say any more."""
SHRINKAGE: Final = 0.1
"""Share of the mean variance that is added to each direction: no few thousand windows tell 128 variances apart."""
LEAVE_OUT: Final = 0.1
"""Share of the lessons that is left out at a time, but at least one: a hundred take seconds, not minutes."""
_STEPS: Final = 50
"""Newton steps at most; a handful is taken."""
_STILL: Final = 1e-5
"""Step at which Newton's method has arrived (log-odds)."""


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What the family said of one episode."""

    name: str
    """Of the episode, for a person."""
    is_cry: bool
    windows: Windows
    """Its strongest windows, at least one, as the bundle alone says them."""
    threshold: float
    """Log-odds from which a window of that room speaks for crying."""

    def speaking(self, adaptation: Adaptation | None) -> float:
        """Share of its windows that speak for crying, 0 to 1."""
        return float(np.mean(adapted(self.windows, adaptation) >= self.threshold))

    def settled(self, adaptation: Adaptation | None) -> bool:
        """Whether it is heard as the family says."""
        share = self.speaking(adaptation)
        return share > 1.0 - SPEAKING if self.is_cry else share <= SPEAKING


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What came of some lessons."""

    adaptation: Adaptation | None
    """None where nothing of it may be taken."""
    kept: tuple[Lesson, ...] = ()
    """Those it settles."""
    left_out: tuple[Lesson, ...] = ()
    """Those that cannot be settled without losing what the reference holds."""
    lost: float = 0.0
    """Share of the reference's cry windows that fall under a threshold, at the one where most do."""
    raised: float = 0.0
    """Share of the reference's other windows that rise over a threshold, at the one where most do."""


def adapted(windows: Windows, adaptation: Adaptation | None) -> NDArray[np.float64]:
    """Returns the log-odds of n windows with an adaptation, float64 [n]."""
    shift = 0.0 if adaptation is None else adaptation.shift(windows.embedding)
    return np.asarray(windows.log_odds + shift, np.float64)


def learn(bundle_id: str, lessons: Sequence[Lesson], reference: Reference, thresholds: Sequence[float]) -> Learnt:
    """Learns from all lessons that can be settled; the same lessons give the same adaptation.

    Args:
        bundle_id: Of the bundle that all windows come from.
        lessons: One for each episode.
        reference: The bundle's.
        thresholds: Log-odds from which a window speaks for crying, of each room that will hear with it.
    """
    thresholds = sorted({*thresholds, *(lesson.threshold for lesson in lessons)})
    regression = _Regression(reference, thresholds)
    kept, left_out = list(lessons), list[Lesson]()
    while kept:
        best: Adaptation | None = None
        for hold in HOLDS:
            tried = regression.fit(bundle_id, kept, hold)
            lost, raised = _cost(reference, tried, thresholds)
            if max(lost, raised) > MOST_LOST:
                continue
            if all(lesson.settled(tried) for lesson in kept):
                return Learnt(tried, tuple(kept), tuple(left_out), lost, raised)
            best = tried
        kept.sort(key=lambda lesson: abs(lesson.is_cry - lesson.speaking(best)))  # the furthest from settled last
        count = max(1, int(LEAVE_OUT * len(kept)))
        left_out += kept[-count:]
        del kept[-count:]
    return Learnt(None, (), tuple(left_out))


def _cost(reference: Reference, adaptation: Adaptation, thresholds: Sequence[float]) -> tuple[float, float]:
    """Shares of cry windows lost and of other windows raised, each at the threshold where it is most."""
    cries, others = adapted(reference.cries, adaptation), adapted(reference.others, adaptation)
    lost = max(float(np.mean((reference.cries.log_odds >= t) & (cries < t))) for t in thresholds)
    raised = max(float(np.mean((reference.others.log_odds < t) & (others >= t))) for t in thresholds)
    return lost, raised


class _Regression:
    """In coordinates in which the reference's cries have mean 0 and variance one, and a last one for the bias."""

    def __init__(self, reference: Reference, thresholds: Sequence[float]) -> None:
        cries, others = reference.cries, reference.others
        self._mean = cries.embedding.mean(axis=0, dtype=np.float64)  # [128]
        centred = cries.embedding - self._mean
        covariance = centred.T @ centred / len(cries)
        spread = np.trace(covariance) / len(covariance)
        covariance += np.eye(len(covariance)) * max(SHRINKAGE * spread, np.finfo(np.float32).tiny)
        self._whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T  # [128, 128]
        # Each [n, 129], turned so that a cry and another sound are both to move by no less than `least`, at most 0.
        self._held = np.concatenate([self._place(cries.embedding), -self._place(others.embedding)])
        self._least = np.concatenate(
            [_least(cries.log_odds, thresholds), _least(-others.log_odds, [-one for one in thresholds])]
        )
        counts = [np.full(len(part), 1.0 / len(part)) for part in (cries, others)]
        self._share = np.concatenate(counts)  # [n], of its kind

    def fit(self, bundle_id: str, lessons: Sequence[Lesson], hold: float) -> Adaptation:
        """Newton's method; a lesson weighs 1, however many windows it has, and each kind of the reference `hold`."""
        rows = np.concatenate(
            [(1.0 if one.is_cry else -1.0) * self._place(one.windows.embedding) for one in lessons]
        )  # [n, 129]
        beyond = np.concatenate(
            [(1.0 if one.is_cry else -1.0) * (one.windows.log_odds - one.threshold) for one in lessons]
        )
        weight = np.concatenate([np.full(len(one.windows), 1.0 / len(one.windows)) for one in lessons])

        def price(change: NDArray[np.float64]) -> float:
            short = np.minimum(0.0, self._held @ change - self._least)
            wrong = np.logaddexp(0.0, STEEPNESS * (MARGIN - beyond - rows @ change)) / STEEPNESS
            return float(weight @ wrong + (hold * self._share @ short**2 + RIDGE * change @ change) / 2.0)

        change = np.zeros(rows.shape[1])
        for _ in range(_STEPS):
            wrong = sigmoid(STEEPNESS * (MARGIN - beyond - rows @ change))  # [n]
            short = np.minimum(0.0, self._held @ change - self._least)  # [reference]
            gradient = RIDGE * change - rows.T @ (weight * wrong) + hold * (self._held.T @ (self._share * short))
            pressed = self._held[short < 0]
            curvature = (
                RIDGE * np.eye(len(change))
                + (rows.T * (STEEPNESS * weight * wrong * (1.0 - wrong))) @ rows
                + hold * (pressed.T * self._share[short < 0]) @ pressed
            )
            step, now = np.linalg.solve(curvature, gradient), price(change)
            while price(change - step) > now and float(np.abs(rows @ step).max()) >= _STILL:
                step = step / 2.0  # which windows press upon the change differs from where it began
            change = change - step
            if float(np.abs(rows @ step).max()) < _STILL:
                break
        head = self._whiten @ change[:-1]
        return Adaptation(bundle_id, head.astype(np.float32), float(change[-1] - self._mean @ head))

    def _place(self, embedding: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.column_stack([(embedding - self._mean) @ self._whiten, np.ones(len(embedding))])


def _least(log_odds: NDArray[np.float32], thresholds: Sequence[float]) -> NDArray[np.float64]:
    """By how much each window may move without coming nearer than `SAFE` to a threshold it is over, float64 [n].

    At most 0; minus infinity for what is over none.
    """
    nearest = np.full(len(log_odds), -np.inf)
    for threshold in thresholds:
        floor = np.minimum(log_odds, threshold + SAFE)
        nearest = np.where(log_odds >= threshold, np.maximum(nearest, floor), nearest)
    return np.asarray(nearest - log_odds, np.float64)
