"""A second implementation of the network's forward pass, in NumPy and by the book, to hold the first one against."""

from collections.abc import Mapping

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

# Layer by layer as published: c a 3 x 3 convolution, p a pool, d a dense layer with ReLU.
LAYERS = "c:conv1 p c:conv2 p c:conv3_1 c:conv3_2 p c:conv4_1 c:conv4_2 p d:fc1_1 d:fc1_2"


def embed(weights: Mapping[str, NDArray[np.float32]], patches: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n, 96, 64] -> float32 [n, 128]."""
    x = patches[..., None]  # [n, time, band, channel]
    for layer in LAYERS.split():
        kind, _, name = layer.partition(":")
        if kind == "p":
            x = np.maximum(np.maximum(x[:, ::2, ::2], x[:, 1::2, ::2]), np.maximum(x[:, ::2, 1::2], x[:, 1::2, 1::2]))
            continue
        if kind == "c":
            around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
            views = sliding_window_view(around, (3, 3), axis=(1, 2))  # [n, time, band, channel, 3, 3]
            x = np.einsum("ntbcij,ijco->ntbo", views, weights[f"{name}/kernel"], optimize=True)
        else:
            x = x.reshape(len(x), -1) @ weights[f"{name}/kernel"]
        x = np.maximum(x + weights[f"{name}/bias"], 0.0)
    return np.asarray(x @ weights["fc2/kernel"] + weights["fc2/bias"], np.float32)


def random_weights(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, NDArray[np.float32]]:
    """Weights that keep the signal's size through ReLU (He), and small biases so that a lost one shows."""
    rng = np.random.default_rng(seed)
    weights: dict[str, NDArray[np.float32]] = {}
    for name, shape in shapes.items():
        scale = np.float32(np.sqrt(2.0 / np.prod(shape[:-1])) if name.endswith("kernel") else 0.05)
        weights[name] = rng.standard_normal(shape, np.float32) * scale
    return weights
