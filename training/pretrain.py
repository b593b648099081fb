"""Hearing for `vggish-compact`: `monitord-train pretrain`.

The network learns two things at once from each window: how much it is a cry, and what both teachers say of all their
classes. The second is the teachers' knowledge of everything that is not a cry; its head is thrown away afterwards.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from sklearn.metrics import roc_auc_score

from model.frontend import FrontendParams, patches
from model.vggish import Architecture, build_classifier
from monitord.errors import ConfigError
from monitord.windows import WINDOW_SAMPLES
from training.batches import Batches
from training.held_out import evaluation_rows, rows_for
from training.prepare import Prepared, samples_of
from training.rooms import load_rooms
from training.targets import cry_targets

LEARNING_RATE: Final = 1e-3
"""AdamW's, for a network that starts from nothing (the method's 1e-4 is for one that starts from AudioSet)."""
LAST_RATE: Final = 0.01
"""Share of it that is left at the end of the cosine."""
WEIGHT_DECAY: Final = 0.02
"""AdamW's: between the usual 0.01 and 0.05, for few families and many weights."""
TAG_WEIGHT: Final = 10.0
"""Weight of the teachers' classes in the loss: a mean over 1048 mostly silent ones is about a tenth of the other."""
EMA: Final = 0.998
"""Momentum of the averaged weights: about the last 500 steps, one epoch."""


@dataclass(frozen=True, slots=True)
class PretrainParams:
    """How long and on what."""

    epochs: int = 20
    steps: int = 500
    """Batches in an epoch."""
    seed: int = 0
    warm: Path | None = None
    """Weights of an earlier run to start from, at half the rate; None starts from nothing."""


def pretrain(prepared: Prepared, folder: Path, architecture: Architecture, params: PretrainParams) -> Path:
    """Trains from nothing, or goes on where a stopped run left off; returns the file of the weights.

    Args:
        prepared: What `prepare` wrote.
        folder: Where checkpoints, the learning curve (`log.csv`) and `pretrained.weights.h5` go.
        architecture: Which network.
        params: How long.

    Raises:
        ConfigError: There are no cries, or nothing else, to learn from.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(params.seed)
    frontend = FrontendParams()
    targets = cry_targets(prepared)
    rows = rows_for(prepared, held_out=False)
    usable = targets[rows][~np.isnan(targets[rows])]
    if not (usable > 0.5).any() or not (usable == 0.0).any():  # noqa: PLR2004 - a cry more likely than not
        raise ConfigError(f"{prepared.folder}: needs both cries and other sound to learn from")
    rooms = load_rooms(prepared.data / "rooms")
    batches = Batches(prepared, targets, rows, rooms, frontend, steps=params.steps, seed=params.seed)

    base = build_classifier(architecture)
    tags = keras.layers.Dense(prepared.windows.tags.shape[1], name="tags")(base.output["embedding"])
    model = keras.Model(base.input, {"cry": base.output["cry"], "tags": tags})
    start = LEARNING_RATE
    if params.warm is not None:
        base.load_weights(params.warm)
        start *= 0.5
    rate = keras.optimizers.schedules.CosineDecay(start, params.epochs * params.steps, alpha=LAST_RATE)
    losses = {name: keras.losses.BinaryCrossentropy(from_logits=True) for name in ("cry", "tags")}
    model.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=EMA, ema_overwrite_frequency=None
        ),
        losses,
        loss_weights={"cry": 1.0, "tags": TAG_WEIGHT},
    )
    model.fit(
        batches,
        epochs=params.epochs,
        verbose=2,
        callbacks=[
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            _HeldOutAuc(prepared, frontend, base),
            keras.callbacks.CSVLogger(folder / "log.csv", append=True),
            keras.callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False),
        ],
    )
    out = folder / "pretrained.weights.h5"
    base.save_weights(out)
    return out


class _HeldOutAuc(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Adds the area under the curve on held-out windows to the log of each epoch: to watch, not to choose by."""

    def __init__(self, prepared: Prepared, frontend: FrontendParams, base: Any) -> None:  # noqa: ANN401 - Keras
        super().__init__()
        rows, cry, confirmed = evaluation_rows(prepared)
        keep = ~cry | confirmed
        rows, self._truth = rows[keep], cry[keep]
        few = np.random.default_rng(0).permutation(len(rows))[:4000]
        few.sort()
        self._truth = self._truth[few]
        self._patches = patches(list(samples_of(prepared, rows[few], WINDOW_SAMPLES)), frontend)
        self._base = base

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Scores the held-out windows."""
        logits = self._base.predict(self._patches, batch_size=256, verbose=0)["cry"][:, 0]
        area = float(roc_auc_score(self._truth, logits))
        if logs is not None:
            logs["held_out_auc"] = area
        print(f"epoch {epoch + 1}: held-out AUC {area:.4f}", flush=True)
