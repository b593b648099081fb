"""The published weights, in checkpoints of the official names and shapes that are made here."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from model.frontend import PLAIN, patches
from model.published.checkpoint import (
    PORT,
    SELF_TEST,
    SHAPES,
    google_names,
    read_checkpoint,
    self_test,
    self_test_patches,
)
from monitord.errors import BundleError
from tests.support.models.published_weights import Arrays, passing_weights, write_npz
from tests.support.models.torch_files import write_torch
from tests.support.models.vggish_reference import embed


@pytest.fixture(scope="module")
def published() -> dict[str, NDArray[np.float32]]:
    """Made once for all tests of this file."""
    return passing_weights()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Files of hundreds of megabytes go with the test."""
    yield tmp_path
    shutil.rmtree(tmp_path)


def write_google(path: Path, arrays: Arrays, *, version: int = 1) -> Path:
    """Writes a TensorFlow checkpoint; the published one is of the first version, a single file."""
    tf = pytest.importorskip("tensorflow").compat.v1
    with tf.Graph().as_default(), tf.Session() as session:
        places = {name: tf.placeholder(tf.float32, array.shape) for name, array in arrays.items()}
        variables = {
            name: tf.get_variable(name, initializer=place, use_resource=False) for name, place in places.items()
        }
        for name, variable in variables.items():
            session.run(variable.initializer, {places[name]: arrays[name]})
        saver = tf.train.Saver(variables, write_version=version)
        saver.save(session, str(path), write_meta_graph=False, write_state=False)
    return path


def in_googles_names(weights: Arrays) -> Arrays:
    """By the names of the official checkpoint."""
    return {google: weights[ours] for ours, google in google_names().items()}


def in_ports_names(weights: Arrays) -> Arrays:
    """As the port holds them: other names, other axes; views, as a conversion by transposing leaves them."""
    arrays: dict[str, NDArray[np.float32]] = {}
    for layer, port in PORT:
        kernel = weights[f"{layer}/kernel"]
        arrays[f"{port}.weight"] = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        arrays[f"{port}.bias"] = weights[f"{layer}/bias"]
    return arrays


def test_names_are_the_published_ones() -> None:
    """Pins the names of Google's variables and of the port's tensors, written out."""
    layers = [
        "conv1",
        "conv2",
        "conv3/conv3_1",
        "conv3/conv3_2",
        "conv4/conv4_1",
        "conv4/conv4_2",
        "fc1/fc1_1",
        "fc1/fc1_2",
    ]
    expected = {f"vggish/{layer}/{part}" for layer in [*layers, "fc2"] for part in ("weights", "biases")}
    assert set(google_names().values()) == expected
    # 64 M 128 M 256 256 M 512 512 M: each convolution is followed by its ReLU, M stands for a pool.
    places, at = [], 0
    for layer in "CMCMCCMCCM":
        places += [f"features.{at}"] if layer == "C" else []
        at += 2 if layer == "C" else 1
    assert [port for _, port in PORT] == [*places, "embeddings.0", "embeddings.2", "embeddings.4"]


WRITERS: dict[str, Callable[[Path, Arrays], Path]] = {
    "google": lambda d, w: write_google(d / "vggish_model.ckpt", in_googles_names(w)),
    "google-v2": lambda d, w: write_google(d / "vggish_model.ckpt", in_googles_names(w), version=2),
    "port-legacy": lambda d, w: write_torch(d / "vggish-10086976.pth", in_ports_names(w), legacy=True),
    "port-zip": lambda d, w: write_torch(d / "vggish-10086976.pth", in_ports_names(w), legacy=False),
    "npz": lambda d, w: write_npz(d / "weights.npz", w),
    "npz-google": lambda d, w: write_npz(d / "weights.npz", in_googles_names(w)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_kind_gives_the_weights(kind: str, directory: Path, published: Arrays) -> None:
    """Pins names, shapes, axes and values of all 18 arrays, from each kind of file in full size."""
    path = WRITERS[kind](directory, published)
    found = read_checkpoint(path)
    assert list(found) == list(SHAPES)
    for name, array in found.items():
        assert array.dtype == np.float32
        np.testing.assert_array_equal(array, published[name])


def test_loaded_network_is_the_second_implementation(directory: Path, published: Arrays) -> None:
    """Pins the full network with a checkpoint's weights against NumPy, after it has proved itself."""
    pytest.importorskip("keras")
    from model.published.checkpoint import load_checkpoint  # noqa: PLC0415 - with the network
    from model.vggish import FULL, build_embedding  # noqa: PLC0415 - with the network

    model = build_embedding(FULL)
    load_checkpoint(write_npz(directory / "weights.npz", published), model)
    windows = np.random.default_rng(3).normal(0.0, 3000.0, (2, 15_600)).astype(np.int16)
    x = patches(windows, PLAIN)
    expected = embed(published, x)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, atol=1e-4 * np.abs(expected).max())


def test_self_test_is_the_published_one(published: Arrays) -> None:
    """Pins the tone, the numbers and their relative tolerance: right weights pass, an error in any layer does not."""
    x = self_test_patches()
    assert x.shape == (3, 96, 64)
    # 1 kHz is 1000 mel by HTK's scale, 125 to 7500 Hz are 185 to 2774: 66 edges, 39.8 apart, put the tone into band 19.
    assert set(np.argmax(x, axis=2).reshape(-1)) == {19}
    self_test(lambda x: embed(published, x), "right")
    mean, std = SELF_TEST
    shape = np.array([1.0, -1.0] * 192, np.float32).reshape(3, 128)
    for right in (1.0, 1.09, 0.91):
        self_test(lambda _, k=right: k * (mean + std * shape), "right")
    wrong_ones = [mean * 1.2 + std * shape, mean + 1.2 * std * shape, np.maximum(mean + std * shape, 0.0), 0.0 * shape]
    for wrong in wrong_ones:
        with pytest.raises(BundleError, match=r"here: .* has mean .* published VGGish has 0.000657 and 0.343"):
            self_test(lambda _, wrong=wrong: wrong, "here")
    for layer in ("conv1/kernel", "conv4_2/kernel", "fc1_1/kernel"):
        changed = dict(published) | {layer: published[layer] * np.float32(1.5)}
        with pytest.raises(BundleError, match="other weights"):
            self_test(lambda x, w=changed: embed(w, x), "changed")


SMALL = {name: np.zeros((2,), np.float32) for name in SHAPES}


@pytest.mark.parametrize("kind", WRITERS)
def test_wrong_shape_is_refused(kind: str, directory: Path) -> None:
    """Pins that the array, what was found and what was expected are named."""
    if kind.startswith("port"):
        arrays = {f"{port}.{part}": np.zeros(2, np.float32) for _, port in PORT for part in ("weight", "bias")}
        path = write_torch(directory / "x.pth", arrays, legacy=kind == "port-legacy")
        says = r"features.0.weight is float32 \[2\], expected float \[64, 1, 3, 3\]"
    else:
        path = WRITERS[kind](directory, SMALL)
        says = r"conv1/(weights|kernel) is float32 \[2\], expected float \[3, 3, 1, 64\]"
    with pytest.raises(BundleError, match=says):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_missing_and_unknown_names_are_refused(kind: str, directory: Path) -> None:
    """Pins that another network's file is refused by the names in it."""
    if kind.startswith("port"):
        path = write_torch(directory / "x.pth", {"conv.weight": SMALL["fc2/bias"]}, legacy=kind == "port-legacy")
    elif kind.startswith("google"):
        path = write_google(directory / "x", {"resnet/weights": SMALL["fc2/bias"]}, version=2 if "v2" in kind else 1)
    else:
        scope = "vggish/" if "google" in kind else ""
        path = write_npz(directory / "x.npz", {f"{scope}resnet": SMALL["fc2/bias"]})
    with pytest.raises(BundleError, match="not the expected 18 arrays: missing"):
        read_checkpoint(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_cut_file_is_refused(kind: str, directory: Path) -> None:
    """Pins that a download that ended early is refused, whatever it was a download of."""
    if kind.startswith("port"):
        path = write_torch(directory / "x.pth", {"a": np.zeros(1000, np.float32)}, legacy=kind == "port-legacy")
    else:
        path = WRITERS[kind](directory, {name: np.zeros(1000, np.float32) for name in SHAPES})
    for file in [path] if path.exists() else directory.glob("*.index"):
        file.write_bytes(file.read_bytes()[: file.stat().st_size * 2 // 3])
    with pytest.raises(BundleError, match=r"cut short|damaged zip|no readable TensorFlow checkpoint"):
        read_checkpoint(path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"PK\x03\x04", b"\x80\x02."])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    """Pins that a server's error page and the like are refused with what was expected."""
    pytest.importorskip("tensorflow")
    (tmp_path / "vggish_model.ckpt").write_bytes(content)
    with pytest.raises(BundleError, match=r"expected|no state dict"):
        read_checkpoint(tmp_path / "vggish_model.ckpt")
    with pytest.raises(BundleError, match="No such file"):
        read_checkpoint(tmp_path / "elsewhere")


def test_no_numbers_are_refused(tmp_path: Path) -> None:
    """Pins that NaN never gets into a network."""
    arrays = dict(SMALL) | {"conv1/kernel": np.full(SHAPES["conv1/kernel"], np.nan, np.float32)}
    with pytest.raises(BundleError, match="conv1/kernel holds values that are no numbers"):
        read_checkpoint(write_npz(tmp_path / "x.npz", arrays))
