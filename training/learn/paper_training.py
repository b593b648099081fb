"""The paper's recipe: VGGish from AudioSet, a softmax on its embedding, and all weights trained.

Adam at 1e-4, batches of 32, 30 epochs. In each epoch the network sees one window of each clip, drawn by the window's
say in the pool: the same sound a little earlier or later, so the draw is a time shift. In testing a clip is the mean of
the softmax over its windows, weighted as the daemon pools. Nothing here knows which backend Keras runs on.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from model.export import export_weights
from model.vggish import build_embedding
from monitord.errors import ConfigError
from monitord.types import REASONS
from training.learn.initial_weights import BATCH, InitialWeights, Seen, pooled

CHECKPOINT_FILE: Final = "checkpoint.weights.h5"
CURVE_FILE: Final = "curve.csv"


@dataclass(frozen=True, slots=True)
class PaperParams:
    """The paper's, but for the batch, of which it says nothing."""

    epochs: int = 30
    learning_rate: float = 1e-4
    """Adam's; beta1 is 0.9 and beta2 0.999."""
    batch: int = 32
    """Clips."""
    seed: int = 0
    """Of the draws."""


class Reasoner:
    """A trained network that tells reasons."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model

    def windows(self, patches: NDArray[np.float32]) -> NDArray[np.float64]:
        """Turns float32 [n, 96, 64] into probabilities, float64 [n, 4]."""
        logits = [
            np.asarray(self._model.predict_on_batch(patches[first : first + BATCH]), np.float64)
            for first in range(0, len(patches), BATCH)
        ]
        odds = np.exp(np.concatenate(logits) - np.concatenate(logits).max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def clips(self, seen: Seen, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """Probabilities of clips, float64 [len(rows), 4]: the mean over windows, weighted as the daemon pools."""
        place = np.full(len(seen.clips.clips), -1)
        place[rows] = np.arange(len(rows))
        chosen = np.flatnonzero(place[seen.clips.clip] >= 0)
        return pooled(self.windows(seen.patches[chosen]), seen.weight[chosen], place[seen.clips.clip[chosen]])

    def weights(self) -> Mapping[str, NDArray[np.float32]]:
        """The network's, by `layer/kernel` and `layer/bias`; `reasons` is the softmax."""
        return export_weights(self._model)


def build(start: InitialWeights) -> keras.Model:
    """Builds float32 [n, 96, 64] -> logits float32 [n, 4]: the start, and a fresh linear layer on its embedding.

    The layer begins at zero, with every reason as likely: embeddings are of any size, and on large ones random weights
    would begin with certain mistakes (a loss of 10) that tear at what the start has learnt.
    """
    base = build_embedding(start.architecture)
    start.put_into(base)
    fresh = keras.layers.Dense(len(REASONS), kernel_initializer="zeros", name="reasons")
    return keras.Model(base.input, fresh(base.output), name="reasons_of_cries")


def train(
    seen: Seen,
    rows: NDArray[np.int64],
    start: InitialWeights,
    params: PaperParams,
    folder: Path | None,
    *,
    label: str = "fit",
) -> Reasoner:
    """Trains on clips, or goes on where a stopped run left off, to the same result.

    Args:
        seen: All clips.
        rows: Those to train on.
        start: What to start from.
        params: How.
        folder: Where a checkpoint of each epoch and the learning curve go; None keeps nothing.
        label: For the progress bar.

    Raises:
        ConfigError: The folder cannot be written, or what lies there is no checkpoint of this network.
    """
    model = build(start)
    model.compile(
        keras.optimizers.Adam(params.learning_rate, beta_1=0.9, beta_2=0.999),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    draws = _Draws(seen, rows, params)
    done = 0 if folder is None else _restored(model, folder / CHECKPOINT_FILE) // len(draws)  # epochs
    if done >= params.epochs:
        return Reasoner(model)
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _logs: draws.turn_to(epoch))]
    if folder is not None:
        callbacks += [_Keep(folder / CHECKPOINT_FILE), keras.callbacks.CSVLogger(folder / CURVE_FILE, append=True)]
    with tqdm(total=params.epochs, initial=done, desc=label, unit="epoch", leave=False) as bar:
        try:
            model.fit(  # the draws are shuffled already; Keras would shuffle batches by a chance of its own
                draws,
                epochs=params.epochs,
                initial_epoch=done,
                shuffle=False,
                verbose=0,
                callbacks=[*callbacks, _Bar(bar)],
            )
        except OSError as error:
            raise ConfigError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return Reasoner(model)


class _Draws(keras.utils.PyDataset):  # type: ignore[misc]  # Keras ships no types
    """Batches of an epoch.

    What is drawn depends on the seed and the epoch's number alone, so that a run that goes on draws what it would have
    drawn.
    """

    def __init__(self, seen: Seen, rows: NDArray[np.int64], params: PaperParams) -> None:
        super().__init__()
        self._seen = seen
        self._rows = rows
        self._params = params
        bounds = np.searchsorted(seen.clips.clip, np.stack([rows, rows + 1]))
        self._windows = [np.arange(low, high) for low, high in bounds.T.tolist()]
        self.turn_to(0)

    def turn_to(self, epoch: int) -> None:
        """Draws an order of the clips, and a window of each."""
        rng = np.random.default_rng([self._params.seed, epoch])
        drawn = np.array([rng.choice(windows, p=self._seen.weight[windows]) for windows in self._windows])
        self._order = rng.permutation(drawn)

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / self._params.batch)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        windows = self._order[index * self._params.batch : (index + 1) * self._params.batch]
        return self._seen.patches[windows], self._seen.clips.labels[self._seen.clips.clip[windows]]


class _Keep(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Keeps weights and optimizer after each epoch, in one file that is whole at any time.

    Keras' own BackupAndRestore writes the epoch's number into a second file, and a stop in between repeats an epoch.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def on_epoch_end(self, _epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Writes under another name first."""
        partial = self._path.with_name(f"partial.{self._path.name}")
        self.model.save_weights(partial, overwrite=True)
        partial.replace(self._path)


class _Bar(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Moves a progress bar on stderr."""

    def __init__(self, bar: "tqdm[Any]") -> None:  # Any: it counts nothing but epochs
        super().__init__()
        self._bar = bar

    def on_epoch_end(self, _epoch: int, logs: dict[str, float] | None = None) -> None:
        """Shows the loss and the accuracy of the training clips."""
        if logs:
            self._bar.set_postfix(loss=f"{logs['loss']:.3f}", accuracy=f"{logs['accuracy']:.3f}", refresh=False)
        self._bar.update()


def _restored(model: keras.Model, path: Path) -> int:
    """Puts a checkpoint into a compiled network; returns how many batches it had seen, 0 where there is none."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            return 0
        model.optimizer.build(model.trainable_variables)
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(
            f"{path}: no checkpoint of this network ({error}); delete it, or give another folder"
        ) from error
    return int(keras.ops.convert_to_numpy(model.optimizer.iterations.value))
