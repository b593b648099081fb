"""PyTorch's files, read without PyTorch."""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from model.published.torch_file import read_torch
from monitord.errors import BundleError
from tests.support.models.torch_files import write_torch

RNG = np.random.default_rng(0)
ARRAYS = {
    "features.0.weight": RNG.normal(size=(4, 3, 2, 2)).astype(np.float32),
    "embeddings.0.weight": np.asfortranarray(RNG.normal(size=(5, 7)).astype(np.float32)),  # a transposed view
    "embeddings.0.bias": RNG.normal(size=5).astype(np.float32),
}


@pytest.mark.parametrize("legacy", [True, False])
def test_both_layouts_give_the_arrays(tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Pins names, order and values for the layouts before and since PyTorch 1.6, transposed views among them."""
    found = read_torch(write_torch(tmp_path / "x.pth", ARRAYS, legacy=legacy))
    assert list(found) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize("legacy", [True, False])
def test_same_as_pytorch_itself(tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Pins the reader against files of the real PyTorch, where that is installed."""
    torch = pytest.importorskip("torch")
    state = {name: torch.from_numpy(array) for name, array in ARRAYS.items()}
    torch.save(state, tmp_path / "x.pth", _use_new_zipfile_serialization=not legacy)
    found = read_torch(tmp_path / "x.pth")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)


class Malicious:
    """Asks whoever unpickles it to make a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("layout", ["legacy", "zip"])
def test_nothing_in_the_file_is_run(tmp_path: Path, layout: str) -> None:
    """Pins that a pickle which asks for any function is refused before the function is called."""
    content = pickle.dumps({"x": Malicious(tmp_path / "touched")}, protocol=2)
    path = tmp_path / "x.pth"
    if layout == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", content)
    else:
        path.write_bytes(content)
    with pytest.raises(BundleError, match="which no tensor needs"):
        read_torch(path)
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("legacy", [True, False])
def test_cut_anywhere_is_refused(tmp_path: Path, legacy: bool) -> None:  # noqa: FBT001 - pytest passes it
    """Pins that a file that ends early gives the error and never fewer or other values."""
    whole = write_torch(tmp_path / "x.pth", ARRAYS, legacy=legacy).read_bytes()
    path = tmp_path / "cut.pth"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(BundleError, match="or cut short"):
            read_torch(path)


def test_damaged_anywhere_is_refused_or_harmless(tmp_path: Path) -> None:
    """Pins that flipped bytes give the error or some array, never another exception."""
    whole = write_torch(tmp_path / "x.pth", ARRAYS, legacy=True).read_bytes()
    path = tmp_path / "damaged.pth"
    rng = np.random.default_rng(1)
    for _ in range(500):
        damaged = bytearray(whole)
        damaged[int(rng.integers(len(whole)))] ^= int(rng.integers(1, 256))
        path.write_bytes(damaged)
        try:
            read_torch(path)
        except BundleError as error:
            assert str(path) in str(error)  # noqa: PT017 - either outcome is right


@pytest.mark.parametrize("content", [b"", b"some text\n", b"PK\x03\x04", pickle.dumps([1, 2]), pickle.dumps({"a": 1})])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """Pins the error for what is no state dict at all."""
    (tmp_path / "x.pth").write_bytes(content)
    with pytest.raises(BundleError, match=r"no state dict of float32 tensors"):
        read_torch(tmp_path / "x.pth")
