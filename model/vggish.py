"""The network as a table: VGGish and its compact sister, from one list of rows, built with Keras only.

What the table says is plain data, so a manifest, a checkpoint or a runtime can ask for names and shapes without
loading Keras; only the `build_*` functions import it.
"""

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING, Final, Literal

from model.frontend import N_FRAMES, N_MELS
from monitord.types import REASONS

if TYPE_CHECKING:
    import keras

FULL_WEIGHTS: Final = 72_141_184
"""Weights of the full network up to the embedding, biases included: the sum over the paper's layer list."""
HEADS: Final = (("cry", 1), ("reasons", len(REASONS)))
"""Linear heads, each directly on the embedding: name and number of logits."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """Which member of the family: pinned by the model bundle. Changing one means re-training."""

    width: float = 1.0
    """Multiplier of the channels of every convolution; 1 is the paper's network."""
    dense: tuple[int, int] = (4096, 4096)
    """Units of the two hidden dense layers."""
    embedding: int = 128
    """Units of the embedding, which has no activation: the heads sit on it."""


FULL: Final = Architecture()
"""The paper's network, into which Google's checkpoint fits."""
COMPACT: Final = Architecture(width=0.375, dense=(256, 256))
"""The network that is shipped: small enough for the repository and for a board without a GPU."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the layer table."""

    kind: Literal["conv", "pool", "dense"]
    scope: str
    """Name in Google's checkpoint; the last part of it names the Keras layer, which may hold no slash."""
    units: int
    """Channels (conv) or units (dense) before `width`; 0 for pool."""
    relu: bool = True

    @property
    def name(self) -> str:
        """Name of the Keras layer."""
        return self.scope.rsplit("/", 1)[-1]


def rows(architecture: Architecture) -> tuple[Row, ...]:
    """The layer table: 3 x 3 convolutions with ReLU, 2 x 2 pools, dense layers; the embedding is the last row."""

    def channels(full: int) -> int:
        return round(full * architecture.width)

    return (
        Row("conv", "conv1", channels(64)),
        Row("pool", "pool1", 0),  # [n, 48, 32, 64]
        Row("conv", "conv2", channels(128)),
        Row("pool", "pool2", 0),  # [n, 24, 16, 128]
        Row("conv", "conv3/conv3_1", channels(256)),
        Row("conv", "conv3/conv3_2", channels(256)),
        Row("pool", "pool3", 0),  # [n, 12, 8, 256]
        Row("conv", "conv4/conv4_1", channels(512)),
        Row("conv", "conv4/conv4_2", channels(512)),
        Row("pool", "pool4", 0),  # [n, 6, 4, 512], flattened in this order: time, band, channel
        Row("dense", "fc1/fc1_1", architecture.dense[0]),
        Row("dense", "fc1/fc1_2", architecture.dense[1]),
        Row("dense", "fc2", architecture.embedding, relu=False),
    )


def weight_shapes(architecture: Architecture, *, heads: bool) -> dict[str, tuple[int, ...]]:
    """Shape of every array by `layer/kernel` and `layer/bias`, in the order in which Keras lists them.

    Args:
        architecture: Which network.
        heads: Whether the heads on the embedding belong to it.
    """
    shapes: dict[str, tuple[int, ...]] = {}
    frames, bands, inputs = N_FRAMES, N_MELS, 1
    flat = 0
    for row in rows(architecture):
        if row.kind == "pool":
            frames, bands = frames // 2, bands // 2
            continue
        if row.kind == "conv":
            shapes[f"{row.name}/kernel"] = (3, 3, inputs, row.units)
            inputs = row.units
        else:
            shapes[f"{row.name}/kernel"] = (flat or frames * bands * inputs, row.units)
            flat = row.units
        shapes[f"{row.name}/bias"] = (row.units,)
    for name, logits in HEADS if heads else ():
        shapes[f"{name}/kernel"] = (architecture.embedding, logits)
        shapes[f"{name}/bias"] = (logits,)
    return shapes


def count_weights(architecture: Architecture, *, heads: bool = False) -> int:
    """Number of weights and biases."""
    return sum(prod(shape) for shape in weight_shapes(architecture, heads=heads).values())


def build_embedding(architecture: Architecture) -> "keras.Model":
    """Builds float32 [n, 96, 64] -> float32 [n, embedding], without an activation at the end."""
    import keras  # noqa: PLC0415 - loaded only where a network is built

    patches = keras.Input((N_FRAMES, N_MELS), name="patches")
    model = keras.Model(patches, _embed(architecture, patches), name="embedding")
    _assert_shapes(model, weight_shapes(architecture, heads=False))
    return model


def build_classifier(architecture: Architecture) -> "keras.Model":
    """Builds one forward pass from patches to logits.

    float32 [n, 96, 64] -> {"cry": [n, 1], "reasons": [n, 4], "embedding": [n, embedding]}, all float32. The logits
    come without sigmoid and softmax: these follow the calibration, outside the network.
    """
    import keras  # noqa: PLC0415 - loaded only where a network is built

    patches = keras.Input((N_FRAMES, N_MELS), name="patches")
    embedding = _embed(architecture, patches)
    outputs = {name: keras.layers.Dense(logits, name=name, dtype="float32")(embedding) for name, logits in HEADS}
    model = keras.Model(patches, outputs | {"embedding": embedding}, name="classifier")
    _assert_shapes(model, weight_shapes(architecture, heads=True))
    return model


def _embed(architecture: Architecture, patches: "keras.KerasTensor") -> "keras.KerasTensor":
    import keras  # noqa: PLC0415 - loaded only where a network is built

    x = keras.layers.Reshape((N_FRAMES, N_MELS, 1), name="image")(patches)  # [n, 96, 64, 1]
    flat = False
    for row in rows(architecture):
        if row.kind == "pool":
            x = keras.layers.MaxPooling2D(2, name=row.name)(x)
            continue
        if row.kind == "dense" and not flat:
            x, flat = keras.layers.Flatten(name="flat")(x), True  # [n, 6 * 4 * channels]
        # He's initialisation keeps the variance through ReLU: nine layers deep without normalisation, from nothing.
        starts = "he_normal" if row.relu else "glorot_uniform"
        activation = "relu" if row.relu else None
        if row.kind == "conv":
            layer = keras.layers.Conv2D(
                row.units, 3, padding="same", activation=activation, kernel_initializer=starts, name=row.name
            )
        else:
            # The embedding is exact where the inside of a network in training is not.
            exact = None if row.relu else "float32"
            layer = keras.layers.Dense(
                row.units, activation=activation, kernel_initializer=starts, name=row.name, dtype=exact
            )
        x = layer(x)
    return x


def named_weights(model: "keras.Model") -> dict[str, "keras.Variable"]:
    """Every variable of a built network by `layer/kernel` or `layer/bias`."""
    return {f"{layer.name}/{weight.name}": weight for layer in model.layers for weight in layer.weights}


def _assert_shapes(model: "keras.Model", expected: dict[str, tuple[int, ...]]) -> None:
    built = {name: tuple(weight.shape) for name, weight in named_weights(model).items()}
    assert built == expected, f"the table promises {expected}, Keras built {built}"


assert count_weights(FULL) == FULL_WEIGHTS
