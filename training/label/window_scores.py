"""How surely a bundle hears a cry in windows, as the daemon would say."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.classifier import Classifier
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Window
from training.data.prepared import Prepared, samples_of

BATCH: Final = 32
"""Windows scored at once: more is no faster."""


def score_windows(prepared: Prepared, rows: NDArray[np.int64], classifier: Classifier) -> NDArray[np.float32]:
    """Scores rows of `prepared.windows` as the daemon would; returns float32 [k] probabilities of a cry."""
    ends = prepared.windows.end[rows]
    sounds = samples_of(prepared, rows, WINDOW_SAMPLES)
    out: list[float] = []
    batch: list[Window] = []
    for end, samples in zip(ends.tolist(), tqdm(sounds, desc="score", total=len(rows), leave=False), strict=True):
        start = end - WINDOW_SAMPLES
        batch.append(Window("recording", start, samples, start / RATE_HZ, start))
        if len(batch) == BATCH:
            out += [scores.p_cry for scores in classifier.score(batch)]
            batch = []
    out += [scores.p_cry for scores in classifier.score(batch)]
    return np.array(out, np.float32)
