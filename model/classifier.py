"""From windows to calibrated scores: front end, one forward pass, calibration. Reads like the road it is."""

from collections.abc import Sequence

import numpy as np

from model.bundle import Bundle
from model.calibration import p_cry, p_reasons
from model.forward import Runtime
from model.frontend import patches
from monitord.types import Scores, Window


class Classifier:
    """Scores windows with one bundle on one runtime. Owned by one thread.

    Args:
        bundle: Verified and trained.
        runtime: Holding the same bundle's network.

    Raises:
        BundleError: The bundle's heads are untrained: its probabilities would mean nothing.
    """

    def __init__(self, bundle: Bundle, runtime: Runtime) -> None:
        self.bundle = bundle.require_trained()
        self.runtime = runtime

    def score(self, windows: Sequence[Window]) -> list[Scores]:
        """Scores each window by itself, in one forward pass for all; none for no windows."""
        if not windows:
            return []
        manifest = self.bundle.manifest
        x = patches([window.samples for window in windows], manifest.frontend)  # float32 [n, 96, 64]
        out = self.runtime.forward(x)
        cry = p_cry(manifest.calibration, out.cry)  # float32 [n]
        reasons = p_reasons(manifest.calibration, out.reasons)  # float32 [n, 4]
        return [
            Scores(window.source, window.start, float(cry[i]), reasons[i], 1, self.bundle.id)
            for i, window in enumerate(windows)
        ]


def pool(scores: Sequence[Scores]) -> Scores:
    """Pools the windows of one segment into one score for all of it.

    The probability of a cry is the mean over windows. Windows overlap and share their mistakes, so multiplying odds
    would count the same evidence many times; the mean of calibrated probabilities stays as unsure as they are.
    A reason's probability holds given that it is a cry, so each window weighs in by its own probability of being one:
    P(reason | cry) = sum of P(reason, cry) / sum of P(cry). The silence at a segment's edge has no say.

    Args:
        scores: Of one source and one bundle, at least one.
    """
    if not scores:
        raise ValueError("no scores to pool")
    first = scores[0]
    n = np.array([s.n_windows for s in scores], np.float64)
    cry = np.array([s.p_cry for s in scores]) * n
    reasons = np.stack([s.reasons for s in scores]).astype(np.float64)  # [scores, 4]
    weights = cry if cry.sum() > 0 else n
    pooled = (weights @ reasons / weights.sum()).astype(np.float32)
    start = min(s.start for s in scores)
    return Scores(first.source, start, float(cry.sum() / n.sum()), pooled, int(n.sum()), first.bundle_id)
