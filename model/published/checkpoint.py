"""The published VGGish weights: Google's checkpoint, the PyTorch port and plain arrays, asserted and self-tested."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from model.frontend import HOP, N_FRAMES, PLAIN, log_mel, waveform
from model.npz import check_names, checked, npz_names, read_npz
from model.published.torch_file import read_torch
from model.vggish import FULL, named_weights, rows, weight_shapes
from monitord.errors import BundleError, ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.types import RATE_HZ

if TYPE_CHECKING:
    import keras

SHAPES: Final = weight_shapes(FULL, heads=False)
"""What a checkpoint must hold, by our names."""
SCOPE: Final = "vggish/"
"""In front of every name in Google's checkpoint."""
PORT: Final = (
    ("conv1", "features.0"),
    ("conv2", "features.3"),
    ("conv3_1", "features.6"),
    ("conv3_2", "features.8"),
    ("conv4_1", "features.11"),
    ("conv4_2", "features.13"),
    ("fc1_1", "embeddings.0"),
    ("fc1_2", "embeddings.2"),
    ("fc2", "embeddings.4"),
)
"""Our layers and the PyTorch port's (harritaylor/torchvggish, vggish.py: places in two `nn.Sequential`). The port
turns its feature map to time, band, channel before flattening, so its first dense layer is in our order."""
SELF_TEST: Final = (0.000657, 0.343)
"""Mean and standard deviation of the embedding of the sine (tensorflow/models, vggish_smoke_test.py, measured there
with NumPy 1.21 and 1.24, TensorFlow 2.8 and 2.13)."""
SELF_TEST_TOLERANCE: Final = 0.1
"""Relative (vggish_smoke_test.py, rel_error)."""
_ZIP: Final = b"PK\x03\x04"
_PICKLE: Final = b"\x80"


def google_names() -> dict[str, str]:
    """Our name of every array -> its name in Google's checkpoint."""
    scopes = {row.name: SCOPE + row.scope for row in rows(FULL) if row.kind != "pool"}
    parts = {"kernel": "weights", "bias": "biases"}
    return {name: f"{scopes[layer]}/{parts[part]}" for name in SHAPES for layer, part in [name.split("/")]}


def load_checkpoint(path: Path, model: "keras.Model") -> None:
    """Puts a checkpoint's weights into the full network and has it prove itself; heads keep what they have.

    Args:
        path: As for `read_checkpoint`.
        model: From `build_embedding(FULL)` or `build_classifier(FULL)`.

    Raises:
        BundleError: It is not the published checkpoint.
        ConfigError: Reading Google's checkpoint needs TensorFlow, which is not installed.
    """
    import keras  # noqa: PLC0415 - the model is here, so Keras is loaded already

    variables = named_weights(model)
    for name, array in read_checkpoint(path).items():
        variables[name].assign(array)

    def embed(patches: NDArray[np.float32]) -> NDArray[np.float32]:
        out = model(patches, training=False)
        return np.asarray(keras.ops.convert_to_numpy(out["embedding"] if isinstance(out, dict) else out))

    self_test(embed, str(path))


def read_checkpoint(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads the weights up to the embedding, by our names, in Keras' order of axes.

    Args:
        path: Google's `vggish_model.ckpt`, the port's `.pth`, or an `.npz` with Google's names or ours. What it is
            shows in its content, not in its name.

    Raises:
        BundleError: Another file, or a part of one; it says what was expected.
        ConfigError: Reading Google's checkpoint needs TensorFlow, which is not installed.
    """
    if path.with_name(path.name + ".index").is_file():
        return _read_google(path)  # the later format: the name is a prefix of several files
    try:
        with path.open("rb") as file:
            start = file.read(len(_ZIP))
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if start == _ZIP and _is_npz(path):
        return _read_npz(path)
    if start == _ZIP or start[:1] == _PICKLE:
        return _read_port(path)
    return _read_google(path)


def self_test(embed: Callable[[NDArray[np.float32]], NDArray[np.float32]], where: str) -> None:
    """Holds the embedding of 3 s of a 1 kHz sine against the published mean and deviation.

    Args:
        embed: float32 [3, 96, 64] from the plain front end -> float32 [3, 128].
        where: What is tested, for the error.

    Raises:
        BundleError: The embedding is another; it says which.
    """
    embedding = embed(self_test_patches())
    found = (float(embedding.mean(dtype=np.float64)), float(embedding.std(dtype=np.float64)))
    if not np.allclose(found, SELF_TEST, rtol=SELF_TEST_TOLERANCE, atol=0.0):
        raise BundleError(
            f"{where}: the embedding of the test tone has mean {found[0]:.3g} and deviation {found[1]:.3g}, the "
            f"published VGGish has {SELF_TEST[0]:.3g} and {SELF_TEST[1]:.3g} (10 % either way): these are other weights"
        )


def self_test_patches() -> NDArray[np.float32]:
    """The sine as the network sees it: float32 [3, 96, 64].

    The samples stay float64: rounded to 16 bits, the sine would get overtones as strong as the log offset, and the
    published mean is a thousandth of the deviation.
    """
    sine = np.sin(2.0 * np.pi * 1000.0 * np.arange(3 * RATE_HZ) / RATE_HZ)  # 3 s of 1 kHz at full scale
    step = N_FRAMES * HOP  # samples between two patches that share no frame
    windows = np.stack([sine[i * step : i * step + WINDOW_SAMPLES] for i in range(3)])
    return log_mel(waveform(windows, PLAIN))


def _is_npz(path: Path) -> bool:
    # PyTorch's zip holds files without .npy, which keep their whole names.
    return not any(name.endswith("data.pkl") for name in npz_names(path))


def _read_npz(path: Path) -> dict[str, NDArray[np.float32]]:
    theirs = any(name.startswith(SCOPE) for name in npz_names(path))
    if not theirs:
        return read_npz(path, SHAPES)
    names = google_names()
    arrays = read_npz(path, {names[name]: shape for name, shape in SHAPES.items()})
    return {name: arrays[names[name]] for name in SHAPES}


def _read_port(path: Path) -> dict[str, NDArray[np.float32]]:
    tensors = read_torch(path)
    check_names(path, set(tensors), {f"{port}.{part}" for _, port in PORT for part in ("weight", "bias")})
    weights: dict[str, NDArray[np.float32]] = {}
    for layer, port in PORT:
        # PyTorch keeps [out, in, height, width] and [out, in]; Keras [height, width, in, out] and [in, out].
        axes = (3, 2, 0, 1) if layer.startswith("conv") else (1, 0)
        ours = SHAPES[f"{layer}/kernel"]
        array = checked(path, f"{port}.weight", tensors[f"{port}.weight"], tuple(ours[axis] for axis in axes))
        weights[f"{layer}/kernel"] = np.ascontiguousarray(array.transpose(np.argsort(axes)))
        weights[f"{layer}/bias"] = checked(path, f"{port}.bias", tensors[f"{port}.bias"], SHAPES[f"{layer}/bias"])
    return weights


def _read_google(path: Path) -> dict[str, NDArray[np.float32]]:
    if find_spec("tensorflow") is None:
        raise ConfigError(
            f"{path}: reading a TensorFlow checkpoint needs TensorFlow: install monitord[train]; or give the PyTorch "
            "port's .pth or an .npz, which need nothing more"
        )
    import tensorflow as tf  # noqa: PLC0415 - only here

    try:
        reader = tf.train.load_checkpoint(str(path))
        found: Mapping[str, Any] = reader.get_variable_to_shape_map()
        # Saved with an optimizer or a step counter it is still the checkpoint: only the network's scope counts.
        check_names(path, {name for name in found if name.startswith(SCOPE)}, set(google_names().values()))
        return {
            ours: checked(path, theirs, np.asarray(reader.get_tensor(theirs)), SHAPES[ours])
            for ours, theirs in google_names().items()
        }
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        first = next(iter(str(error).splitlines()), type(error).__name__)
        raise BundleError(
            f"{path}: no readable TensorFlow checkpoint ({first}); expected vggish_model.ckpt of about 290 MB, whole"
        ) from error
