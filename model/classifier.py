"""From windows to calibrated scores: front end, one forward pass, calibration. Reads like the road it is."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from model.adaptation.head import Adaptation
from model.bundle import Bundle
from model.calibration import cry_log_odds, p_reasons, sigmoid
from model.distress.head import p_distress
from model.forward import Runtime
from model.running_frontend import RunningFrontend
from monitord.types import Scores, Window

MOST_SOURCES: Final = 64
"""Sources whose last window is kept transformed, the latest ones (0.2 MB each): twice as many as a house has."""


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
        self.adaptation: Adaptation | None = None
        """What this home has taught, in force from the next windows on."""
        self._frontends: dict[str, RunningFrontend] = {}  # by source, the latest heard last

    def score(self, windows: Sequence[Window]) -> list[Scores]:
        """Scores each window by itself, in one forward pass for all; none for no windows.

        It takes less work where the windows of a source come in the order of its sound.
        """
        if not windows:
            return []
        manifest = self.bundle.manifest
        x = np.stack([self._frontend(window.source).patch(window) for window in windows])  # float32 [n, 96, 64]
        out = self.runtime.forward(x)
        log_odds = cry_log_odds(manifest.calibration, out.cry)  # float64 [n]
        taught = 0.0 if self.adaptation is None else self.adaptation.shift(out.embedding)
        cry = sigmoid(log_odds + taught).astype(np.float32)  # [n]
        reasons = p_reasons(manifest.calibration, out.reasons)  # float32 [n, 4]
        distress = None if manifest.distress is None else p_distress(manifest.distress, x)  # float32 [n]
        return [
            Scores(
                window.source,
                window.start,
                float(cry[i]),
                reasons[i],
                1,
                self.bundle.id,
                float(log_odds[i]),
                out.embedding[i],
                None if distress is None else float(distress[i]),
            )
            for i, window in enumerate(windows)
        ]

    def _frontend(self, source: str) -> RunningFrontend:
        frontend = self._frontends.pop(source, None) or RunningFrontend(self.bundle.manifest.frontend)
        self._frontends[source] = frontend
        if len(self._frontends) > MOST_SOURCES:
            del self._frontends[next(iter(self._frontends))]
        return frontend


def pool(scores: Sequence[Scores]) -> Scores:
    """Pools the windows of one segment into one score for all of it.

    The probability of a cry is the mean over windows. Windows overlap and share their mistakes, so multiplying odds
    would count the same evidence many times; the mean of calibrated probabilities stays as unsure as they are.
    A reason's probability holds given that it is a cry, so each window weighs in by its own probability of being one:
    P(reason | cry) = sum of P(reason, cry) / sum of P(cry). The silence at a segment's edge has no say.

    Distress, too, holds given that it is a cry, and is pooled alike.

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
    known = [s.distress for s in scores if s.distress is not None]  # all or none: they are one bundle's
    distress = float(weights @ np.array(known) / weights.sum()) if known else None
    start = min(s.start for s in scores)
    return Scores(
        first.source, start, float(cry.sum() / n.sum()), pooled, int(n.sum()), first.bundle_id, distress=distress
    )
