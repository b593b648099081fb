"""The bench's arithmetic: multiply-adds and floors counted from the layer table."""

import pytest

from model.vggish import COMPACT, FULL, count_weights
from tests.bench.network.arithmetic import Machine, floor, layers

MACHINE = Machine(float_gmacs=50.0, int8_gmacs=400.0, read_gb_s=20.0)


def test_first_and_last_layers_by_hand() -> None:
    """The first convolution sees each of 96 x 64 places, the head of reasons 128 numbers."""
    rows = layers(FULL)
    assert rows[0].multiply_adds == 96 * 64 * 3 * 3 * 1 * 64
    assert rows[1].multiply_adds == 48 * 32 * 3 * 3 * 64 * 128
    assert rows[-1].multiply_adds == 128 * 4


@pytest.mark.parametrize("architecture", [FULL, COMPACT])
def test_kernels_are_nearly_all_weights(architecture: object) -> None:
    """What is counted is what the network holds, but for its biases."""
    kernels = sum(row.weights for row in layers(architecture))
    assert 0.99 < kernels / count_weights(architecture, heads=True) < 1.0


def test_floor_of_a_layer_is_the_longer_of_computing_and_reading() -> None:
    """Convolutions compute longer than they read, dense layers the other way round, and the network is their sum."""
    full = floor(FULL, MACHINE, int8=True)
    assert max(full.arithmetic_ms, full.weights_ms) < full.ms < full.arithmetic_ms + full.weights_ms
    dense = 12288 * 4096 + 4096 * 4096 + 4096 * 128 + 128 * 5  # weights, one multiply-add each
    convolutions = sum(row.multiply_adds for row in layers(FULL)) - dense
    assert full.ms == pytest.approx(convolutions / 400e6 + dense / 20e6)


def test_windows_share_the_reading() -> None:
    """Sixteen windows at once read the weights once."""
    assert floor(FULL, MACHINE, int8=True, windows=16).weights_ms == floor(FULL, MACHINE, int8=True).weights_ms / 16
