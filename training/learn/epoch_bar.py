"""Progress of a long training on stderr: a bar for each epoch."""

from typing import Any

import keras
from tqdm import tqdm


class EpochBar(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Moves with each batch and shows the loss so far."""

    def __init__(self) -> None:
        super().__init__()
        self._bar: tqdm[Any] | None = None  # Any: it counts batches, it yields nothing

    def on_epoch_begin(self, epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Begins a bar."""
        name = f"epoch {epoch + 1} of {self.params['epochs']}"
        self._bar = tqdm(total=self.params["steps"], desc=name, unit="batch", mininterval=1.0)

    def on_train_batch_end(self, _batch: int, logs: dict[str, float] | None = None) -> None:
        """Moves it."""
        if self._bar is not None:
            if logs:
                self._bar.set_postfix_str(f"loss {logs['loss']:.3f}", refresh=False)
            self._bar.update()

    def on_epoch_end(self, _epoch: int, _logs: dict[str, float] | None = None) -> None:
        """Ends it."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
