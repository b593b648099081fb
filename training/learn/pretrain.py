"""Hearing for `vggish-compact`: `monitord-train pretrain`.

The network learns four things at once from each augmented window: how surely it is a cry, what both teachers say of all
their classes, once more of the voices among these, and what one of them thinks of it (its embedding). All but the first
are AudioSet's knowledge of everything that is not a cry; their heads are thrown away afterwards.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from sklearn.metrics import roc_auc_score
from tqdm import tqdm

from model.bundle import load_bundle
from model.frontend import FrontendParams, patches
from model.strict_json import dump_json, from_json, load_json
from model.vggish import Architecture, build_classifier, named_weights
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from training.data.clips import make_folder
from training.data.prepared import Prepared, samples_of
from training.label.held_out import held_out
from training.learn.batches import VOICES, Batches
from training.learn.epoch_bar import EpochBar
from training.learn.precision import fastest
from training.results.whole_file import write_whole

LEARNING_RATE: Final = 1e-3
"""AdamW's, for a network that starts from nothing (the method's 1e-4 is for one that starts from AudioSet)."""
WARM_SHARE: Final = 0.5
"""Share of it for a network that starts from earlier weights."""
RISE: Final = 500
"""Steps until the full rate for a network that starts from earlier weights: the teachers' heads on it are new, and
until they know something they would only disturb it."""
LAST_RATE: Final = 0.01
"""Share of it that is left at the end of the cosine."""
WEIGHT_DECAY: Final = 0.02
"""AdamW's: between the usual 0.01 and 0.05, for few families and many weights."""
TAG_WEIGHT: Final = 10.0
"""Weight of the teachers' classes in the loss: a mean over 1048 mostly silent ones is about a tenth of the other."""
VOICE_WEIGHT: Final = 10.0
"""The same for those of them that are voices of people and animals, once more: what a cry must be told from."""
TEACHER_WEIGHT: Final = 0.2
"""Weight of the teacher's embedding, a mean square over values of deviation 1."""
TRAINED: Final = "trained.json"
"""Beside the weights: which network and front end they belong to."""
EMA: Final = 0.998
"""Momentum of the averaged weights: about the last 500 steps."""


@dataclass(frozen=True, slots=True)
class PretrainParams:
    """How long and from what."""

    epochs: int = 20
    """Times through all views."""
    seed: int = 0
    warm: Path | None = None
    """Weights of an earlier run to start from, or a bundle, at half the rate; None starts from nothing."""


@dataclass(frozen=True, slots=True)
class Trained:
    """What weights belong to; it lies beside them, so that nobody can pair them with another front end."""

    architecture: Architecture
    frontend: FrontendParams


def read_trained(weights: Path) -> Trained:
    """Says what a file of weights belongs to.

    Raises:
        ConfigError: Nothing beside the file says it.
    """
    path = weights.with_name(TRAINED)
    try:
        return from_json(Trained, load_json(path.read_text(encoding="utf-8"), str(path)), str(path))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); `monitord-train pretrain` writes it") from error


def load_trained(weights: Path) -> tuple[Trained, Any]:
    """Reads weights with what they belong to; Any: a classifier, Keras ships no types.

    Raises:
        ConfigError: They are missing or another network's, or nothing beside them says what they belong to.
    """
    trained = read_trained(weights)
    model = build_classifier(trained.architecture)
    try:
        model.load_weights(weights)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{weights}: no weights of this network ({error}); run: monitord-train pretrain") from error
    return trained, model


def pretrain(
    prepared: Prepared,
    views: Path,
    folder: Path,
    *,
    architecture: Architecture,
    frontend: FrontendParams,
    params: PretrainParams,
) -> Path:
    """Trains from nothing, or goes on where a stopped run left off; returns the file of the weights.

    Args:
        prepared: What `prepare` wrote: the held-out windows that each epoch is tried on.
        views: What `teach` wrote.
        folder: Where checkpoints, the learning curve (`log.csv`) and `pretrained.weights.h5` go.
        architecture: Which network.
        frontend: What its patches are made by.
        params: How long.

    Raises:
        ConfigError: There are no views to learn from, the weights to start from are another network's, or the folder
            cannot be written.
    """
    make_folder(folder)
    keras.utils.set_random_seed(params.seed)
    batches = Batches(views, frontend, seed=params.seed)
    with fastest():
        base = build_classifier(architecture)
    tags = keras.layers.Dense(batches.classes, name="tags")(base.output["embedding"])
    voices = keras.ops.take(tags, VOICES, axis=1)
    teacher = keras.layers.Dense(batches.width, name="teacher")(base.output["embedding"])
    model = keras.Model(base.input, {"cry": base.output["cry"], "tags": tags, "voices": voices, "teacher": teacher})
    start, rise = LEARNING_RATE, 0
    if params.warm is not None:
        _warm(base, params.warm)
        start, rise = start * WARM_SHARE, RISE
    rate = keras.optimizers.schedules.CosineDecay(
        0.0 if rise else start,
        params.epochs * len(batches),
        alpha=LAST_RATE,
        warmup_target=start if rise else None,
        warmup_steps=rise,
    )
    # Any: Keras ships no types.
    losses: dict[str, Any] = {
        name: keras.losses.BinaryCrossentropy(from_logits=True) for name in ("cry", "tags", "voices")
    }
    model.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=WEIGHT_DECAY, use_ema=True, ema_momentum=EMA, ema_overwrite_frequency=None
        ),
        losses | {"teacher": keras.losses.MeanSquaredError()},
        loss_weights={"cry": 1.0, "tags": TAG_WEIGHT, "voices": VOICE_WEIGHT, "teacher": TEACHER_WEIGHT},
    )
    model.fit(
        batches,
        epochs=params.epochs,
        verbose=0,
        shuffle=False,  # the batches are another order in each epoch by themselves
        callbacks=[
            EpochBar(),
            keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: batches.begin(epoch)),
            # Before the swap: what a stopped run goes on with are the weights, not their average.
            keras.callbacks.BackupAndRestore(folder / "backup", double_checkpoint=True, delete_checkpoint=False),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            _HeldOutAuc(prepared, frontend, base),
            keras.callbacks.CSVLogger(folder / "log.csv", append=True),
        ],
    )
    write_whole(folder / TRAINED, dump_json(Trained(architecture, frontend)).encode())
    out, partial = folder / "pretrained.weights.h5", folder / ".partial.weights.h5"
    try:
        base.save_weights(partial)
        partial.replace(out)
    except OSError as error:
        raise ConfigError(f"{out}: cannot be written: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
    return out


def _warm(base: Any, path: Path) -> None:  # noqa: ANN401 - Keras
    """Gives a classifier the weights of an earlier run, or of a bundle with its heads."""
    try:
        if not path.is_dir():
            base.load_weights(path)
            return
        weights = load_bundle(path).weights()
        for name, variable in named_weights(base).items():
            variable.assign(weights[name])
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"{path}: no weights of this network ({error})") from error


class _HeldOutAuc(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Adds the area under the curve on held-out windows to the log of each epoch: to watch, not to choose by."""

    def __init__(self, prepared: Prepared, frontend: FrontendParams, base: Any) -> None:  # noqa: ANN401 - Keras
        super().__init__()
        held = held_out(prepared)
        few = np.sort(np.random.default_rng(0).permutation(len(held.row))[:4000])
        self._truth = held.cry[few]
        self._patches = patches(list(samples_of(prepared, held.row[few], WINDOW_SAMPLES)), frontend)
        self._base = base

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Scores the held-out windows."""
        logits = self._base.predict(self._patches, batch_size=256, verbose=0)["cry"][:, 0]
        area = float(roc_auc_score(self._truth, logits))
        if logs is not None:
            logs["held_out_auc"] = area
        tqdm.write(f"epoch {epoch + 1}: held-out AUC {area:.4f}", file=sys.stderr)
