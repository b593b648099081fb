"""What a Keras network makes of prepared windows, and what its cry head is worth on those that are held out."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.calibration import Calibration, p_cry
from model.frontend import FrontendParams, patches
from monitord.errors import ConfigError
from monitord.types import Pcm
from monitord.windows import WINDOW_SAMPLES
from training.calibrate import fit_cry
from training.evaluate import auc
from training.held_out import evaluation_rows
from training.prepare import Prepared, samples_of

BATCH: Final = 64
"""Windows in a forward pass."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network makes of n windows."""

    cry: NDArray[np.float32]
    """[n] logits."""
    embedding: NDArray[np.float32]
    """[n, embedding]."""


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The windows that every model is judged on."""

    row: NDArray[np.int64]
    """[n], rows of `prepared.windows`."""
    cry: NDArray[np.bool_]
    """[n]."""
    group: NDArray[np.str_]
    """[n], for the bootstrap."""


def held_out(prepared: Prepared) -> HeldOut:
    """Finds them: other sound, and of cry recordings the windows in which a teacher hears the cry.

    Raises:
        ConfigError: There is only one kind.
    """
    row, cry, confirmed = evaluation_rows(prepared)
    sure = ~cry | confirmed
    if len(np.unique(cry[sure])) < 2:  # noqa: PLR2004 - both kinds
        raise ConfigError(f"{prepared.folder}: needs cries and other sound among what is held out")
    names = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])
    return HeldOut(row[sure], cry[sure], np.asarray(names[prepared.windows.recording[row[sure]]]))


def hear(model: keras.Model, prepared: Prepared, rows: NDArray[np.int64], frontend: FrontendParams) -> Outputs:
    """Runs a classifier over rows of `prepared.windows`."""
    return forward(model, samples_of(prepared, rows, WINDOW_SAMPLES), len(rows), frontend)


def forward(
    model: keras.Model, windows: Iterable[Pcm], n: int, frontend: FrontendParams, desc: str = "forward"
) -> Outputs:
    """Runs a classifier over n windows, int16 [WINDOW_SAMPLES] each, with a progress bar."""
    sounds = iter(windows)
    cry, embedding = [], []
    for _ in tqdm(range(0, n, BATCH), desc=desc, unit="batch", mininterval=1.0):
        out = model.predict_on_batch(patches(list(islice(sounds, BATCH)), frontend))
        cry.append(np.asarray(out["cry"])[:, 0])
        embedding.append(np.asarray(out["embedding"]))
    return Outputs(np.concatenate(cry), np.concatenate(embedding))


def calibrated(held: HeldOut, logits: NDArray[np.float32]) -> tuple[Calibration, dict[str, Any]]:
    """Calibrates the cry on held-out windows and judges it there.

    Two numbers fitted on thousands of windows: the order of scores, and so the area, does not depend on them.

    Returns:
        The calibration, and JSON values (Any) for the manifest: `window_auc`, `window_auc_95`.

    Raises:
        ConfigError: The network hears no cry.
    """
    scale, bias = fit_cry(logits, held.cry)
    if scale <= 0:
        raise ConfigError("these weights score cries no higher than other sound; run: monitord-train pretrain, longer")
    calibration = Calibration(cry_scale=scale, cry_bias=bias)
    area = auc(held.cry, p_cry(calibration, logits), held.group)
    return calibration, {"window_auc": round(area.value, 4), "window_auc_95": [round(area.low, 4), round(area.high, 4)]}
