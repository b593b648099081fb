"""What a Keras network makes of windows: cry logits and embeddings, in batches, with a progress bar."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.frontend import FrontendParams, patches
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import Pcm
from training.data.prepared import Prepared, samples_of

BATCH: Final = 64
"""Windows in a forward pass."""


@dataclass(frozen=True, slots=True)
class Outputs:
    """What the network makes of n windows."""

    cry: NDArray[np.float32]
    """[n] logits."""
    embedding: NDArray[np.float32]
    """[n, embedding]."""


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
