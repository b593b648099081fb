"""The cry's head, fitted to windows as they follow each other in a home.

Augmented windows teach the network what a cry is; they are drawn so that it learns from each kind of sound. In a stream
a cry begins, goes on under other sound and ends, and everything else comes as often as it comes: fitted to that, on the
same embedding, the head finds more at the same rate of false alarms.
"""

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from model.bundle import Bundle
from model.classifier import Classifier
from model.runtime import open_runtime
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Window
from training.data.prepared import Prepared
from training.recipes.refit_cry_head import install_cry
from training.streams.mixing import LEARNT, Stream, lay
from training.streams.scoring import hear_stream

HOURS: Final = 4
"""Of streams with cries: some 40,000 windows for 128 weights."""
SEED: Final = 2
"""Of these streams; those that are judged have another."""
PENALTY: Final = 0.01
"""Inverse strength of the ridge (scikit-learn's C): windows of an hour are many, families and sounds few."""
BEGUN_S: Final = 0.5
"""Seconds of a cry that a window must hold to be one; what holds less is learnt from as neither."""
OVER_S: Final = 0.24
"""Seconds after a cry's end for which a window is still one: a hop. Until the cry has left it, it is neither."""


def fit_on_streams(model: keras.Model, prepared: Prepared, draft: Bundle) -> None:
    """Replaces the cry's head of a classifier.

    Args:
        model: From `build_classifier`; its embedding stays as it is.
        prepared: What `prepare --data` wrote.
        draft: The same network as the daemon runs it: it hears the streams.

    Raises:
        ConfigError: There is nothing to lay streams of among what may be learnt from.
    """
    classifier = Classifier(draft, open_runtime(draft, "litert"))
    embeddings: list[NDArray[np.float32]] = []
    is_cry: list[NDArray[np.float64]] = []

    def keep(windows: Sequence[Window]) -> NDArray[np.float32]:
        scores = classifier.score(windows)
        embeddings.extend(one.embedding for one in scores if one.embedding is not None)
        return np.array([one.p_cry for one in scores], np.float32)

    streams = lay(prepared, LEARNT, hours=HOURS, seed=SEED, cries=True)
    for stream in tqdm(streams, desc="streams to learn from", unit="hour", total=HOURS):
        ends = np.array([window.end for window in hear_stream(stream, draft, keep).windows])
        is_cry.append(cry_windows(stream, ends))
    truth = np.concatenate(is_cry)
    known = ~np.isnan(truth)
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, max_iter=2000))
    fitted.fit(np.stack(embeddings)[known], truth[known] == 1.0)
    install_cry(model, fitted)


def cry_windows(stream: Stream, ends: NDArray[np.int64]) -> NDArray[np.float64]:
    """Says of windows, by their ends (int64 [n], samples at 16 kHz), which are cries: float64 [n], NaN for neither."""
    truth = np.zeros(len(ends))
    for cry in stream.cries:
        truth[(ends > cry.start) & (ends < cry.end + WINDOW_SAMPLES)] = np.nan
    for cry in stream.cries:
        begun, over = cry.start + int(BEGUN_S * RATE_HZ), cry.end + int(OVER_S * RATE_HZ)
        truth[(ends > begun) & (ends <= over)] = 1.0
    return truth
