"""What a window of a network must cost at least: its multiply-adds and its weights, counted from the layer table."""

from dataclasses import dataclass
from math import prod

from model.frontend import N_FRAMES, N_MELS
from model.vggish import HEADS, Architecture, rows, weight_shapes


@dataclass(frozen=True, slots=True)
class Machine:
    """What one thread of this machine can do, measured."""

    float_gmacs: float
    """10^9 multiply-adds per second of a large float32 matrix product."""
    int8_gmacs: float
    """The same in int8."""
    read_gb_s: float
    """10^9 bytes per second, read from memory."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One row of the table that computes."""

    multiply_adds: int
    """For one window."""
    weights: int
    """Its kernel's; the few biases do not count."""


@dataclass(frozen=True, slots=True)
class Floor:
    """Least time of a window (milliseconds)."""

    arithmetic_ms: float
    weights_ms: float
    """Every weight read from memory once, as where other work has filled the caches meanwhile."""
    ms: float
    """Layer by layer the longer of the two: a layer may read while it computes, but not before the one before is done,
    and a convolution only computes while a dense layer only reads."""


def layers(architecture: Architecture) -> list[Layer]:
    """The layer table with both heads."""
    shapes = weight_shapes(architecture, heads=True)
    out, places = [], N_FRAMES * N_MELS
    for row in rows(architecture):
        if row.kind == "pool":
            places //= 4
        else:
            weights = prod(shapes[f"{row.name}/kernel"])
            out.append(Layer(weights * (places if row.kind == "conv" else 1), weights))
    heads = [prod(shapes[f"{name}/kernel"]) for name, _ in HEADS]
    return out + [Layer(weights, weights) for weights in heads]


def floor(architecture: Architecture, machine: Machine, *, int8: bool, windows: int = 1) -> Floor:
    """Least time on this machine of each of so many windows at once; in int8 a weight is one byte, else four."""
    gmacs = machine.int8_gmacs if int8 else machine.float_gmacs
    size = 1 if int8 else 4  # bytes
    times = [
        (layer.multiply_adds / gmacs / 1e6, layer.weights * size / machine.read_gb_s / 1e6 / windows)
        for layer in layers(architecture)
    ]
    arithmetic_ms, weights_ms = map(sum, zip(*times, strict=True))
    return Floor(arithmetic_ms, weights_ms, sum(map(max, times)))
