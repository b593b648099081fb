"""The network in Keras on TensorFlow: full precision, and on a GPU where there is one."""

from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from model.bundle import Bundle
from model.forward import Outputs, RuntimeFault
from model.frontend import N_FRAMES, N_MELS
from model.vggish import build_classifier, named_weights
from monitord.errors import ConfigError

_BATCHES: Final = (1, 2, 4, 8)
"""Windows in one pass; others are filled up with zeros. A GPU picks its kernels anew for every new size, which takes
seconds: so there are few sizes, and all are met during warm-up."""


class KerasRuntime:
    """Runs `weights.npz` in the network of the layer table.

    Args:
        bundle: Verified.
        gpu: Whether to refuse anything but a GPU.

    Raises:
        BundleError: The weights are not those of the manifest's architecture.
        ConfigError: Keras is set to another backend.
        RuntimeFault: A GPU is wanted and there is none, or it failed.
    """

    fault = ""

    def __init__(self, bundle: Bundle, *, gpu: bool = False) -> None:
        if keras.backend.backend() != "tensorflow":
            raise ConfigError(f"runtime: keras needs KERAS_BACKEND=tensorflow, found {keras.backend.backend()}")
        devices = tf.config.list_physical_devices("GPU")
        if gpu and not devices:
            raise RuntimeFault("TensorFlow sees no GPU")
        self.name = f"keras on {'the GPU' if devices else 'the CPU'}"
        weights = bundle.weights()
        try:
            for device in devices:
                # Else TensorFlow takes all of the GPU's memory, which is not ours alone.
                tf.config.experimental.set_memory_growth(device, True)  # noqa: FBT003 - TensorFlow's own signature
            model = build_classifier(bundle.manifest.architecture)
            for name, variable in named_weights(model).items():
                variable.assign(weights[name])
        except (tf.errors.OpError, RuntimeError) as error:
            raise RuntimeFault(_brief(error)) from error
        spec = tf.TensorSpec((None, N_FRAMES, N_MELS), tf.float32)
        self._serve = tf.function(lambda patches: model(patches, training=False), input_signature=[spec])
        for n in _BATCHES:
            self.forward(np.zeros((n, N_FRAMES, N_MELS), np.float32))

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """As `Runtime.forward`; raises `RuntimeFault` when TensorFlow or the GPU fails."""
        most = _BATCHES[-1]
        try:
            parts = [self._pass(patches[i : i + most]) for i in range(0, len(patches), most)]
        except (tf.errors.OpError, RuntimeError) as error:
            raise RuntimeFault(_brief(error)) from error
        return Outputs(*(np.concatenate(column) for column in zip(*parts, strict=True)))

    def _pass(self, patches: NDArray[np.float32]) -> Outputs:
        n = len(patches)
        size = next(size for size in _BATCHES if size >= n)
        filled = np.zeros((size, N_FRAMES, N_MELS), np.float32)
        filled[:n] = patches
        out = {name: value.numpy()[:n] for name, value in self._serve(filled).items()}
        return Outputs(out["cry"][:, 0], out["reasons"], out["embedding"])


def _brief(error: Exception) -> str:
    """First line: TensorFlow's errors go on for pages."""
    return next(iter(str(error).splitlines()), type(error).__name__)
