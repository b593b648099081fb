"""Plain arrays out of an .npz: exactly those that were asked for, and nothing of the file is believed before.

NumPy's own reader makes room for whatever a header asks for, and knows how to unpickle; here the header is held against
the expected shape first, and no code can come out of the file at all.
"""

import re
import zipfile
import zlib
from collections.abc import Mapping
from math import prod
from pathlib import Path
from struct import unpack
from typing import IO, Any, Final

import numpy as np
from numpy.typing import NDArray

from monitord.errors import BundleError

_MAGIC: Final = b"\x93NUMPY\x01\x00"
"""Start of an array of format 1.0, which holds every header under 64 KiB (numpy.lib.format)."""
_HEADER: Final = re.compile(
    rb"\{'descr': '([<>|=]?[A-Za-z]+\d*)', 'fortran_order': (True|False), 'shape': \(([\d, ]{0,100})\), \} *\n"
)
"""As NumPy writes it; it would read any Python literal."""
_KINDS: Final = re.compile(rb"[<>=]f[248]")
"""Floating, of a size that every machine has."""
ANY: Final = -1
"""First axis of a shape that may have any length from 1 to `_MOST_ROWS`."""
_MOST_ROWS: Final = 100_000
"""Rows that such an array has at most: more than a bundle's reference will hold, and 50 MB of embeddings."""
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What `savez` and `savez_compressed` write."""
_DAMAGE: Final = (OSError, ValueError, EOFError, RuntimeError, OverflowError, zipfile.BadZipFile, zlib.error)
"""What reading a damaged zip raises."""


def npz_names(path: Path) -> set[str]:
    """Returns the names of the arrays, and of what else lies in the zip.

    Raises:
        BundleError: It is no zip.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except _DAMAGE as error:
        raise BundleError(f"{path}: no readable .npz: a damaged zip: {error}; expected the whole file") from error


def read_npz(path: Path, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray[np.float32]]:
    """Reads exactly the arrays of these names and shapes, as float32; the first axis of a shape may be `ANY`.

    Raises:
        BundleError: It is no .npz, a name is missing or too many, or an array has another shape or kind.
    """
    check_names(path, npz_names(path), set(shapes))
    try:
        with zipfile.ZipFile(path) as archive:
            return {name: _read(archive, path, name, shape) for name, shape in shapes.items()}
    except _DAMAGE as error:
        raise BundleError(f"{path}: no readable .npz: {error}") from error


def check_names(path: Path, found: set[str], expected: set[str]) -> None:
    """Raises `BundleError` unless both are the same."""
    if found != expected:
        missing, unknown = sorted(expected - found), sorted(found - expected)
        raise BundleError(f"{path}: not the expected {len(expected)} arrays: missing {missing}, unknown {unknown}")


def checked(path: Path, name: str, array: NDArray[Any], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Returns the array as float32; raises `BundleError` unless it has this shape, is floating and finite."""
    if array.shape != shape or array.dtype.kind != "f":
        raise _foreign(path, name, array.dtype, array.shape, shape)
    if not np.isfinite(array).all():
        raise BundleError(f"{path}: {name} holds values that are no numbers")
    return array.astype(np.float32)


def _read(archive: zipfile.ZipFile, path: Path, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    try:
        info = archive.getinfo(f"{name}.npy")
    except KeyError:
        raise ValueError(f"{name} is no array") from None
    if info.compress_type not in _METHODS:
        raise ValueError(f"{name} is packed in a way that NumPy does not write")
    with archive.open(info) as entry:
        kind, fortran, found = _header(entry, name)
        if not _KINDS.fullmatch(kind):
            raise _foreign(path, name, kind.decode(), found, shape)
        dtype = np.dtype(kind.decode())
        if shape[:1] == (ANY,) and 0 < (*found, 0)[0] <= _MOST_ROWS:
            shape = (found[0], *shape[1:])
        if found != shape:
            raise _foreign(path, name, dtype, found, shape)
        raw = entry.read(prod(shape) * dtype.itemsize)
        if len(raw) != prod(shape) * dtype.itemsize or entry.read(1):
            raise ValueError(f"{name} has not as many values as it says")
    array = np.frombuffer(raw, dtype).reshape(shape, order="F" if fortran else "C")
    return checked(path, name, array, shape)


def _header(entry: IO[bytes], name: str) -> tuple[bytes, bool, tuple[int, ...]]:
    """Returns kind, whether the first axis runs fastest, shape."""
    if entry.read(len(_MAGIC)) != _MAGIC:
        raise ValueError(f"{name} is no array of NumPy's format 1.0")
    (length,) = unpack("<H", entry.read(2).ljust(2, b"\0"))
    match = _HEADER.fullmatch(entry.read(length))
    if match is None:
        raise ValueError(f"{name} has a header that NumPy does not write")
    return match[1], match[2] == b"True", tuple(int(n) for n in match[3].replace(b",", b" ").split())


def _foreign(path: Path, name: str, kind: object, found: tuple[int, ...], shape: tuple[int, ...]) -> BundleError:
    return BundleError(f"{path}: {name} is {kind} {list(found)}, expected float {list(shape)}")
