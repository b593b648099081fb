"""The cry's head, fitted anew on an embedding that has moved, and what hearing is worth then.

Training all weights for the reasons moves the embedding under the cry's head, which then reads something else. Only
recordings with cries and without can say what the moved embedding still tells of a cry.
"""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from model.calibration import Calibration
from model.frontend import FrontendParams
from model.vggish import named_weights
from monitord.errors import ConfigError
from training.data.prepared import Prepared
from training.label.held_out import held_out, rows_for
from training.label.targets import SURE_SHARE, cry_targets
from training.learn.forward import hear
from training.recipes.calibration import calibrated

PENALTY: Final = 0.1
"""Inverse strength of the ridge (scikit-learn's C): tens of thousands of windows, but few hundred families."""


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
