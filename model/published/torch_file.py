"""Tensors out of a PyTorch file, without PyTorch and without running anything that the file asks for.

Such a file is a pickle that may name any function. Here only the few names are known that rebuild a float32 tensor;
all others are refused. Both layouts are read: the zip of today, and the run of pickles from before PyTorch 1.6, in
which the published VGGish port was saved (torch/serialization.py, `_legacy_save`).
"""

import io
import pickle
import pickletools
import struct
import warnings
import zipfile
import zlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitord.errors import BundleError

LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
"""First pickle of a legacy file (torch/serialization.py, MAGIC_NUMBER)."""
LEGACY_PROTOCOL: Final = 1001
"""Second pickle of a legacy file (torch/serialization.py, PROTOCOL_VERSION)."""
_FLOAT_BYTES: Final = 4
_MOST_VALUES: Final = 2**27
"""In all tensors together: twice the published VGGish, and no tensor that is many times as large as its storage."""
_MOST_INDEX_BYTES: Final = 2**20
"""Of the pickle in a zip: the published one has a few kilobytes."""


class _FloatStorage:
    """Stands for `torch.FloatStorage` in the pickle."""


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of float32 values somewhere in the file."""

    key: str
    numel: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view into a storage, all numbers in values."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def read_torch(path: Path) -> dict[str, NDArray[np.float32]]:
    """Reads a state dict: float32 arrays by name, in PyTorch's own order of axes.

    Raises:
        BundleError: It is no such file, it is cut short, or it holds anything but float32 tensors by name.
    """
    try:
        if zipfile.is_zipfile(path):
            return _read_zip(path)
        return _read_legacy(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (pickle.UnpicklingError, zipfile.BadZipFile, *_DAMAGE) as error:
        raise BundleError(
            f"{path}: no state dict of float32 tensors saved by PyTorch, or cut short: {error}; if PyTorch itself can "
            "read it, save its arrays with numpy.savez and give that file"
        ) from error


_DAMAGE: Final = (
    EOFError,
    struct.error,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    MemoryError,
    RuntimeError,
    zlib.error,
)
"""What unpickling damaged bytes raises, by the documentation of `pickle.load`: nearly anything."""


class _Unpickler(pickle.Unpickler):
    """Knows the names of `_KNOWN` and no others."""

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - classes and functions
        known = _KNOWN.get(f"{module}.{name}")
        if known is None:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no tensor needs")
        return known

    def persistent_load(self, pid: Any) -> _Storage:  # noqa: ANN401 - whatever the file holds
        kind, storage, key, _, numel = pid[:5]  # a legacy file adds the part of a shared storage, None when whole
        if kind != "storage" or storage is not _FloatStorage or any(pid[5:]):
            # Not shown: what a file nests in itself, no message ends.
            raise pickle.UnpicklingError("it holds something else than whole storages of float32")
        return _Storage(str(key), int(numel))


def _load(file: IO[bytes]) -> object:
    """Unpickles what comes next, after a look at its places: for number 2^31 the unpickler makes room for as many."""
    start = file.tell()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Python, about an escape in a stranger's text
        for opcode, number, at in pickletools.genops(file):
            most = (at or 0) - start  # as many objects as bytes so far, at most
            if opcode.name in _PLACES and (number is None or number > most):
                raise pickle.UnpicklingError(f"it puts something in place {number}, and has no more than {most}")
        file.seek(start)
        return _Unpickler(file).load()


_PLACES: Final = {"PUT", "BINPUT", "LONG_BINPUT"}
"""Opcodes that put the object at hand into a numbered place, to be taken from there again (pickletools.py)."""


def _rebuild_tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, size)), tuple(map(int, stride)))


def _rebuild_parameter(data: _Tensor, *_: object) -> _Tensor:
    return data


_KNOWN: Final[Mapping[str, Callable[..., object]]] = {
    "collections.OrderedDict": OrderedDict,
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch.FloatStorage": _FloatStorage,
}


def _read_zip(path: Path) -> dict[str, NDArray[np.float32]]:
    with zipfile.ZipFile(path) as archive:
        index = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        if len(index) != 1:
            raise ValueError("a zip without PyTorch's data.pkl")
        folder = index[0].removesuffix("data.pkl")
        tensors = _state_dict(_load(io.BytesIO(_read_entry(archive, index[0], _MOST_INDEX_BYTES))))
        return {
            name: _materialise(
                tensor,
                _read_entry(archive, f"{folder}data/{tensor.storage.key}", tensor.storage.numel * _FLOAT_BYTES),
            )
            for name, tensor in tensors.items()
        }


def _read_entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpacks a file of the zip that says to be no longer than `most` bytes; it ends where it says."""
    info = archive.getinfo(name)
    if info.file_size > most:
        raise ValueError(f"{name} has {info.file_size} bytes, expected at most {most}")
    return archive.read(info)


def _read_legacy(path: Path) -> dict[str, NDArray[np.float32]]:
    with path.open("rb") as file:
        if _load(file) != LEGACY_MAGIC or _load(file) != LEGACY_PROTOCOL:
            raise ValueError("not PyTorch's magic number")
        system: Any = _load(file)
        if not system["little_endian"]:
            raise ValueError("saved on a big-endian machine")
        tensors = _state_dict(_load(file))
        keys: Any = _load(file)
        raw = {key: _read_storage(file) for key in keys}
    return {name: _materialise(tensor, raw[tensor.storage.key]) for name, tensor in tensors.items()}


def _read_storage(file: IO[bytes]) -> bytes:
    (numel,) = struct.unpack("<q", file.read(8))
    values = file.read(numel * _FLOAT_BYTES)
    if len(values) != numel * _FLOAT_BYTES:
        raise EOFError("ends in the middle of a tensor")
    return values


def _state_dict(loaded: object) -> dict[str, _Tensor]:
    if not isinstance(loaded, dict):
        raise TypeError(f"holds a {type(loaded).__name__}, expected a state dict")
    tensors: dict[str, _Tensor] = {}
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise TypeError(f"{name if isinstance(name, str) else 'a key'} is a {type(tensor).__name__}, not a tensor")
        tensors[name] = tensor
    if sum(tensor.storage.numel for tensor in tensors.values()) > _MOST_VALUES:
        raise ValueError(f"more than {_MOST_VALUES} values, more than any VGGish")
    return tensors


def _materialise(tensor: _Tensor, raw: bytes) -> NDArray[np.float32]:
    """Cuts the view out of its storage, after asserting that it lies inside."""
    values = np.frombuffer(raw, "<f4")
    if len(values) != tensor.storage.numel or len(tensor.size) != len(tensor.stride):
        raise ValueError(f"storage {tensor.storage.key} has {len(values)} values, expected {tensor.storage.numel}")
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if (
        not 0 < prod(tensor.size) <= len(values)
        or min(tensor.size, default=1) < 0
        or min(tensor.stride, default=0) < 0
        or tensor.offset < 0
        or last >= len(values)
    ):
        raise ValueError(f"a tensor reaches out of storage {tensor.storage.key}")
    steps = tuple(step * _FLOAT_BYTES for step in tensor.stride)
    view = np.lib.stride_tricks.as_strided(values[tensor.offset :], tensor.size, steps, writeable=False)
    return np.ascontiguousarray(view, np.float32)
