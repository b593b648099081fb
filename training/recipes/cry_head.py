"""The cry's head, fitted anew on an embedding that stays as it is: to windows of recordings, or of streams.

Training all weights for the reasons moves the embedding under the cry's head, which then reads something else; only
recordings with cries and without can say what the moved embedding still tells of a cry.

Augmented windows teach the network what a cry is; they are drawn so that it learns from each kind of sound. In a stream
a cry begins, goes on under other sound and ends, and everything else comes as often as it comes: fitted to that, on the
same embedding, the head finds more at the same rate of false alarms.
"""

from collections.abc import Sequence
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from model.bundle import Bundle
from model.calibration import Calibration
from model.classifier import Classifier
from model.frontend import FrontendParams
from model.runtime import open_runtime
from model.vggish import named_weights
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ, Window
from training.data.prepared import Prepared
from training.label.held_out import held_out, rows_for
from training.label.targets import SURE_SHARE, cry_targets
from training.learn.forward import hear
from training.recipes.calibration import calibrated
from training.streams.mixing import LEARNT, Stream, lay
from training.streams.scoring import hear_stream

PENALTY: Final = 0.1
"""Inverse strength of the ridge (scikit-learn's C): tens of thousands of windows, but few hundred families."""
HOURS: Final = 4
"""Of streams with cries: some 40,000 windows for 128 weights."""
SEED: Final = 2
"""Of these streams; those that are judged have another."""
STREAM_PENALTY: Final = 0.01
"""Inverse strength of the ridge (scikit-learn's C): windows of an hour are many, families and sounds few."""
BEGUN_S: Final = 0.5
"""Seconds of a cry that a window must hold to be one; what holds less is learnt from as neither."""
OVER_S: Final = 0.24
"""Seconds after a cry's end for which a window is still one: a hop. Until the cry has left it, it is neither."""


def refit_cry(
    model: keras.Model, prepared: Prepared, frontend: FrontendParams
) -> tuple[Calibration, dict[str, Any]]:  # Any: JSON values
    """Fits the cry's head of a classifier on recordings that may be learnt from, and judges it on the others.

    Args:
        model: From `build_classifier`, with the embedding that will be shipped; its cry head is replaced.
        prepared: What `prepare --data` wrote.
        frontend: What the network was trained with.

    Returns:
        The cry's calibration, and figures for the manifest: `window_auc`, `window_auc_95`.

    Raises:
        ConfigError: There are no cries, or nothing else, to learn from or to judge by.
    """
    targets = cry_targets(prepared)
    learnt = rows_for(prepared, held_out=False)
    learnt = learnt[(targets[learnt] >= SURE_SHARE) | (targets[learnt] == 0.0)]
    judged = held_out(prepared)
    is_cry = targets[learnt] >= SURE_SHARE
    if len(np.unique(is_cry)) < 2:  # noqa: PLR2004 - both kinds
        raise ConfigError(f"{prepared.folder}: needs cries and other sound to fit the cry anew")
    rows = np.union1d(learnt, judged.row)
    embedding = hear(model, prepared, rows, frontend).embedding
    place = {name: np.searchsorted(rows, these) for name, these in (("learnt", learnt), ("judged", judged.row))}
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=2000))
    fitted.fit(embedding[place["learnt"]], is_cry)
    kernel, bias = install_cry(model, fitted)
    logits = (embedding[place["judged"]] @ kernel + bias)[:, 0].astype(np.float32)
    return calibrated(judged, logits)


def install_cry(model: keras.Model, fitted: Pipeline) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Makes a fitted scaler and regression on embeddings the cry's head; returns float32 [embedding, 1] and [1]."""
    scaler, regression = fitted[0], fitted[-1]
    kernel = (regression.coef_[0] / scaler.scale_)[:, None]
    bias = regression.intercept_ - scaler.mean_ @ kernel
    variables = named_weights(model)
    variables["cry/kernel"].assign(kernel.astype(np.float32))
    variables["cry/bias"].assign(bias.astype(np.float32))
    return kernel.astype(np.float32), bias.astype(np.float32)


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
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=STREAM_PENALTY, max_iter=2000))
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
