"""Embeddings that say a reason, for the head that learns from them and for its cross-validation."""

import numpy as np
from numpy.typing import NDArray

from training.learn.reason_head import Labelled

WIDTH = 6


def labelled(reason: list[int], group: list[int], *, windows: int = 2, noise: float = 0.1, seed: int = 1) -> Labelled:
    """Recordings whose embeddings say their reason, each with so many windows."""
    rng = np.random.default_rng(seed)
    of = np.repeat(np.arange(len(reason)), windows)
    embeddings = np.eye(4, WIDTH)[np.array(reason)[of]] + noise * rng.standard_normal((len(of), WIDTH))
    return Labelled(embeddings.astype(np.float32), of, np.array(reason), np.array(group))


def even(n: int = 40, groups: int = 10) -> Labelled:
    """Every reason equally often, spread over the groups."""
    return labelled([i % 4 for i in range(n)], [i // (n // groups) for i in range(n)])


def everything(data: Labelled) -> NDArray[np.bool_]:
    """All recordings chosen."""
    return np.ones(len(data.reason), np.bool_)
