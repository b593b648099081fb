"""Sounds as a network hears them, from a formula: cries, other sound, and a cat that it takes for a cry.

As in a real network few things are behind the 128 numbers: here 8, of which the first decides what the bundle says.
"""

import numpy as np
from numpy.typing import NDArray

from model.adaptation.head import EMBEDDING
from model.adaptation.learning import Lesson
from model.adaptation.reference import Reference, Windows

THRESHOLD = 0.0
"""Log-odds of one half."""
CRY = (3.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
CAT = (2.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0, 0.0)
RAIN = (-3.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 0.0)
WHIMPER = (-0.7, 1.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0)
"""Means of what is behind the numbers; the bundle's log-odds are 1.5 times the first."""


def windows(n: int, kind: tuple[float, ...], seed: int) -> Windows:
    """Windows of one kind of sound."""
    rng = np.random.default_rng(seed)
    behind = np.array(kind) + rng.normal(0.0, 0.8, (n, len(kind)))
    seen = np.random.default_rng(0).normal(0.0, 1.0, (len(kind), EMBEDDING))
    embedding = behind @ seen + rng.normal(0.0, 0.05, (n, EMBEDDING))
    said: NDArray[np.float64] = 1.5 * behind[:, 0]
    return Windows(embedding.astype(np.float16).astype(np.float32), said.astype(np.float16).astype(np.float32))


def cries(n: int, seed: int = 0) -> Windows:
    """A baby's."""
    return windows(n, CRY, seed)


def meows(n: int, seed: int = 0) -> Windows:
    """One cat's."""
    return windows(n, CAT, seed)


def reference(seed: int = 100) -> Reference:
    """A small one."""
    return Reference(cries(800, seed), windows(400, RAIN, seed))


def lesson(name: str, sound: Windows, *, is_cry: bool = False) -> Lesson:
    """The family's word."""
    return Lesson(name, is_cry, sound, THRESHOLD)
