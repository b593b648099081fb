"""Writes state dicts as PyTorch does, in both of its layouts, without PyTorch (torch/serialization.py, `save`)."""

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float32]]


class Storage(NamedTuple):
    """What PyTorch pickles as a persistent id."""

    key: str
    numel: int


class Tensor:
    """Pickles as PyTorch's tensors do; `stride` may turn the axes of a storage round."""

    def __init__(self, key: str, array: NDArray[np.float32]) -> None:
        self.storage, self.size = Storage(key, array.size), array.shape
        self.stride = tuple(step // array.itemsize for step in array.strides)

    def __reduce__(self) -> tuple[Any, ...]:
        rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
        return rebuild, (self.storage, 0, self.size, self.stride, False, OrderedDict())


class Pickler(pickle.Pickler):
    """Writes storages as persistent ids, with or without the legacy layout's sixth entry."""

    def __init__(self, file: Any, *, legacy: bool) -> None:
        super().__init__(file, protocol=2)
        self.tail = (None,) if legacy else ()

    def persistent_id(self, obj: object) -> tuple[Any, ...] | None:
        """As in `pickle`."""
        if isinstance(obj, Storage):
            return ("storage", sys.modules["torch"].FloatStorage, obj.key, "cpu", obj.numel, *self.tail)
        return None


@contextmanager
def named_like_torch() -> Iterator[None]:
    """Lends the names of PyTorch's functions to stand-ins, for as long as a file is written."""
    torch, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")
    storage = type("FloatStorage", (), {"__module__": "torch"})

    def _rebuild_tensor_v2() -> None: ...

    _rebuild_tensor_v2.__module__ = "torch._utils"
    _rebuild_tensor_v2.__qualname__ = "_rebuild_tensor_v2"
    torch.FloatStorage = storage  # type: ignore[attr-defined]
    torch._utils = utils  # type: ignore[attr-defined]
    utils._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    kept = {name: sys.modules.pop(name, None) for name in ("torch", "torch._utils")}
    sys.modules.update({"torch": torch, "torch._utils": utils})
    try:
        yield
    finally:
        for name, module in kept.items():
            sys.modules.pop(name)
            if module is not None:
                sys.modules[name] = module


def write_torch(path: Path, arrays: Arrays, *, legacy: bool) -> Path:
    """Writes arrays as a state dict; an array in another order than C is written as the view that it is."""
    keys = {name: str(i) for i, name in enumerate(arrays)}
    state = OrderedDict((name, Tensor(keys[name], array)) for name, array in arrays.items())
    # A module's state dict carries the versions of its layers as an attribute.
    state._metadata = OrderedDict({"": {"version": 1}})  # type: ignore[attr-defined]
    with named_like_torch():
        if legacy:
            _write_legacy(path, state, arrays)
        else:
            _write_zip(path, state, arrays)
    return path


def _write_legacy(path: Path, state: Mapping[str, Tensor], arrays: Arrays) -> None:
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as file:
        for head in (0x1950A86A20F9469CFC6C, 1001, system):
            pickle.dump(head, file, protocol=2)
        Pickler(file, legacy=True).dump(state)
        pickle.dump([tensor.storage.key for tensor in state.values()], file, protocol=2)
        for name, tensor in state.items():
            file.write(struct.pack("<q", tensor.storage.numel))
            file.write(_in_memory_order(arrays[name]))


def _write_zip(path: Path, state: Mapping[str, Tensor], arrays: Arrays) -> None:
    index = io.BytesIO()
    Pickler(index, legacy=False).dump(state)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", index.getvalue())
        archive.writestr("archive/version", "3\n")
        for name, tensor in state.items():
            archive.writestr(f"archive/data/{tensor.storage.key}", _in_memory_order(arrays[name]))


def _in_memory_order(array: NDArray[np.float32]) -> bytes:
    """The values as they lie in memory: the axis with the longest stride first."""
    return array.transpose(np.argsort(array.strides, kind="stable")[::-1]).tobytes()
