"""The cry's head, fitted anew on an embedding that has moved, and what hearing is worth then.

Training all weights for the reasons moves the embedding under the cry's head, which then reads something else. Only
recordings with cries and without can say what the moved embedding still tells of a cry.
"""

from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tqdm import tqdm

from model.bundle import Bundle
from model.calibration import Calibration, p_cry
from model.frontend import FrontendParams, patches
from model.vggish import named_weights
from monitord.errors import ConfigError
from monitord.tracker import TrackerParams
from monitord.windows import WINDOW_SAMPLES
from training.calibrate import fit_cry
from training.episodes import Episodes
from training.evaluate import auc
from training.held_out import evaluation_rows, rows_for
from training.operating_point import choose, judge
from training.prepare import Prepared, samples_of
from training.stream_table import HALVES, System, figures, hear_halves
from training.targets import SURE_SHARE, cry_targets

BATCH: Final = 256
"""Windows in a forward pass."""
PENALTY: Final = 0.1
"""Inverse strength of the ridge (scikit-learn's C): tens of thousands of windows, but few hundred families."""


@dataclass(frozen=True, slots=True)
class Point:
    """Thresholds and what they come to."""

    tracker: TrackerParams
    why: str
    metrics: dict[str, Any]
    """JSON values for the manifest; Any: whatever JSON holds."""


def refit_cry(
    model: keras.Model, prepared: Prepared, frontend: FrontendParams
) -> tuple[float, float, dict[str, Any]]:  # Any: JSON values
    """Fits the cry's head of a classifier on recordings that may be learnt from, and judges it on the others.

    Args:
        model: From `build_classifier`, with the embedding that will be shipped; its cry head is replaced.
        prepared: What `prepare --data` wrote.
        frontend: What the network was trained with.

    Returns:
        `cry_scale` and `cry_bias` of the calibration, and figures for the manifest: `window_auc`, `window_auc_95`.

    Raises:
        ConfigError: There are no cries, or nothing else, to learn from or to judge by.
    """
    targets = cry_targets(prepared)
    learnt = rows_for(prepared, held_out=False)
    learnt = learnt[(targets[learnt] >= SURE_SHARE) | (targets[learnt] == 0.0)]
    judged, cry, confirmed = evaluation_rows(prepared)
    sure = ~cry | confirmed
    judged, cry = judged[sure], cry[sure]
    is_cry = targets[learnt] >= SURE_SHARE
    if len(np.unique(is_cry)) + len(np.unique(cry)) < 4:  # noqa: PLR2004 - both kinds on both sides
        raise ConfigError(f"{prepared.folder}: needs cries and other sound, held out and not, to fit the cry anew")
    rows = np.union1d(learnt, judged)
    embedding = _embed(model, prepared, rows, frontend)
    place = {name: np.searchsorted(rows, these) for name, these in (("learnt", learnt), ("judged", judged))}
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=2000))
    fitted.fit(embedding[place["learnt"]], is_cry)
    scaler, regression = fitted[0], fitted[-1]
    kernel = (regression.coef_[0] / scaler.scale_)[:, None]  # [embedding, 1]
    bias = regression.intercept_ - scaler.mean_ @ kernel  # [1]
    variables = named_weights(model)
    variables["cry/kernel"].assign(kernel.astype(np.float32))
    variables["cry/bias"].assign(bias.astype(np.float32))

    logits = (embedding[place["judged"]] @ kernel + bias)[:, 0].astype(np.float32)
    scale, shift = fit_cry(logits, cry)
    groups = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])[prepared.windows.recording[judged]]
    area = auc(cry, p_cry(Calibration(cry_scale=scale, cry_bias=shift), logits), groups)
    found = {"window_auc": round(area.value, 4), "window_auc_95": [round(area.low, 4), round(area.high, 4)]}
    return scale, shift, found


def on_streams(prepared: Prepared, draft: Bundle, hours: int) -> Point:
    """Chooses thresholds on each half of the held-out families and sounds, judges on the other; both choose what ships.

    Args:
        prepared: What `prepare --data` wrote.
        draft: A whole bundle: the very network that the daemon will run hears the streams.
        hours: With cries, and as many without, from each half.
    """
    heard = hear_halves(prepared, draft, hours)
    other = dict(zip(HALVES, reversed(HALVES), strict=True))
    crossed = Episodes()
    for half in HALVES:
        crossed += judge(heard[other[half]], choose(heard[half]).tracker)
    tracker = choose([one for half in HALVES for one in heard[half]]).tracker
    rule = f"{tracker.n} of {tracker.m} windows at {tracker.on_p:g}"
    found = figures([System(draft.manifest.name, rule, crossed)], hours)
    ours = {name: value for name, value in found["systems"][0].items() if name != "curve"}
    streams = ours | {name: found[name] for name in ("hours", "quiet_hours", "episodes")} | {"peers": []}
    why = (
        f"{found['hours']} hours of streams with {found['episodes']} cries and {found['quiet_hours']} hours without, "
        f"chosen on one half of the held-out families and sounds and judged on the other, both ways: "
        f"{ours['found']:.1%} found, {ours['false_per_hour']:.2f} false an hour"
    )
    kinds = dict(crossed.false_by_kind.most_common())
    return Point(tracker, why, {"streams": streams, "false_by_kind": kinds})


def _embed(
    model: keras.Model, prepared: Prepared, rows: NDArray[np.int64], frontend: FrontendParams
) -> NDArray[np.float32]:
    """What the network makes of rows of `prepared.windows`: float32 [k, embedding]."""
    sounds = samples_of(prepared, rows, WINDOW_SAMPLES)
    out = []
    for start in tqdm(range(0, len(rows), BATCH), desc="hear anew", unit="batch", mininterval=1.0):
        batch = [samples for _, samples in zip(range(min(BATCH, len(rows) - start)), sounds, strict=False)]
        out.append(np.asarray(model.predict_on_batch(patches(batch, frontend))["embedding"]))
    return np.concatenate(out)
