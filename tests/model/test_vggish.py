"""The layer table and the networks built from it."""

import subprocess
import sys

import numpy as np
import pytest

from model.vggish import (
    COMPACT,
    FULL,
    build_classifier,
    build_embedding,
    count_weights,
    named_weights,
    rows,
    weight_shapes,
)
from tests.support.models.model_bundles import TINY
from tests.support.models.vggish_reference import embed, random_weights


def test_full_network_has_the_papers_weights() -> None:
    """Pins 72,141,184 weights and biases up to the embedding, added up layer by layer from the method's list."""
    convolutions = [(1, 64), (64, 128), (128, 256), (256, 256), (256, 512), (512, 512)]
    dense = [(6 * 4 * 512, 4096), (4096, 4096), (4096, 128)]  # 96 x 64 halved four times is 6 x 4
    expected = sum(9 * i * o + o for i, o in convolutions) + sum(i * o + o for i, o in dense)
    assert expected == 72_141_184
    assert count_weights(FULL) == expected
    assert count_weights(FULL, heads=True) == expected + 128 * 5 + 5


def test_one_table_for_both_networks() -> None:
    """Pins that the compact network has the same rows by name and kind, only fewer units."""
    full, compact = rows(FULL), rows(COMPACT)
    assert [(row.kind, row.scope, row.relu) for row in full] == [(row.kind, row.scope, row.relu) for row in compact]
    assert all(small.units <= large.units for small, large in zip(compact, full, strict=True))
    assert count_weights(COMPACT, heads=True) * 3 < 12_000_000  # int8 and float16: three bytes a weight, 12 MB in all


def test_embedding_agrees_with_second_implementation() -> None:
    """Pins the forward pass, layer order, padding, flattening and the missing last activation, against NumPy."""
    pytest.importorskip("keras")
    weights = random_weights(weight_shapes(TINY, heads=False))
    model = build_embedding(TINY)
    for name, variable in named_weights(model).items():
        variable.assign(weights[name])
    patches = np.random.default_rng(1).normal(0.0, 2.0, (3, 96, 64)).astype(np.float32)
    expected = embed(weights, patches)
    assert expected.min() < 0 < expected.max()
    np.testing.assert_allclose(model.predict(patches, verbose=0), expected, rtol=1e-4, atol=1e-4)


def test_heads_sit_directly_on_the_embedding() -> None:
    """Pins the classifier's three outputs by name and shape, the logits being linear in the embedding."""
    pytest.importorskip("keras")
    model = build_classifier(TINY)
    patches = np.random.default_rng(2).normal(0.0, 2.0, (5, 96, 64)).astype(np.float32)
    out = model.predict(patches, verbose=0)
    weights = {name: np.asarray(variable) for name, variable in named_weights(model).items()}
    assert {name: array.shape for name, array in out.items()} == {
        "cry": (5, 1),
        "reasons": (5, 4),
        "embedding": (5, 128),
    }
    for head in ("cry", "reasons"):
        logits = out["embedding"] @ weights[f"{head}/kernel"] + weights[f"{head}/bias"]
        np.testing.assert_allclose(out[head], logits, rtol=1e-4, atol=1e-5)


def test_only_building_loads_keras() -> None:
    """Pins that what the daemon imports of this package loads neither Keras nor TensorFlow."""
    code = (
        "import sys, model.bundle, model.classifier, model.litert, model.runtime, model.calibration, model.vggish, "
        "model.published.checkpoint, model.published.fetch\n"
        "print([name for name in ('keras', 'tensorflow', 'torch', 'sklearn', 'onnxruntime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
