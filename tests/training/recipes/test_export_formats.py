"""A bundle's network for other programs: the same network in each file, whole or not at all."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from model.bundle import load_bundle
from model.vggish import weight_shapes
from monitord.errors import ConfigError
from tests.support.models.model_bundles import TINY, make_dead_bundle, weights
from tests.support.models.vggish_reference import embed
from tests.support.paths import ROOT
from training.commands import export


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny one."""
    return make_dead_bundle(tmp_path_factory.mktemp("export") / "bundle").directory


def run(bundle: Path, *given: str) -> int:
    """The command, as typed."""
    parser = argparse.ArgumentParser()
    export.add_arguments(parser)
    return export.run(parser.parse_args(["--bundle", str(bundle), *given]))


def test_arrays_with_and_without_heads(bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every weight by its name, and without heads what a checkpoint holds."""
    assert run(bundle, "--out", str(tmp_path / "all.npz")) == 0
    assert run(bundle, "--out", str(tmp_path / "embedding.npz"), "--no-heads") == 0
    assert "all.npz: tiny" in capsys.readouterr().out
    with np.load(tmp_path / "all.npz") as stored:
        assert set(stored.files) == set(weights())
        np.testing.assert_allclose(stored["cry/kernel"], weights()["cry/kernel"], atol=1e-2)  # kept in float16
    with np.load(tmp_path / "embedding.npz") as stored:
        assert set(stored.files) == set(weight_shapes(TINY, heads=False))


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras' own, under NumPy 2
def test_a_keras_file_answers_as_the_bundle(bundle: Path, tmp_path: Path) -> None:
    """Read by Keras alone, it gives the embedding that the weights give by the book."""
    run(bundle, "--out", str(tmp_path / "network.keras"))
    model = keras.models.load_model(tmp_path / "network.keras")
    x = np.random.default_rng(1).standard_normal((2, 96, 64)).astype(np.float32)
    expected = embed(load_bundle(bundle).weights(), x)
    np.testing.assert_allclose(model.predict_on_batch(x)["embedding"], expected, rtol=1e-3, atol=1e-3)


def test_the_daemons_own_file(bundle: Path, tmp_path: Path) -> None:
    """Byte for byte."""
    run(bundle, "--out", str(tmp_path / "network.tflite"))
    assert (tmp_path / "network.tflite").read_bytes() == load_bundle(bundle).tflite.read_bytes()


def test_what_it_cannot_write_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Another ending, heads left out where they cannot be, a folder that is a file: nothing is left behind."""
    with pytest.raises(ConfigError, match=r"\.keras, \.npz or \.tflite"):
        run(bundle, "--out", str(tmp_path / "network.onnx"))
    with pytest.raises(ConfigError, match="--no-heads"):
        run(bundle, "--out", str(tmp_path / "network.keras"), "--no-heads")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be written"):
        run(bundle, "--out", str(tmp_path / "file" / "network.npz"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


CHILD = """
import keras
from tests.support.models.model_bundles import TINY, weights
from training.recipes.litert_conversion import litert_of
assert keras.backend.backend() == "jax"
print(litert_of(weights(), TINY)[4:8])
"""


def test_another_backend_lets_tensorflow_convert() -> None:
    """Trained on JAX, the network for the daemon is made by a child process on TensorFlow."""
    pytest.importorskip("jax", reason="jax is not installed: pip install jax to convert from it")
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", CHILD]
    ran = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert "TFL3" in ran.stdout, ran.stderr
