"""A bundle: a directory with a manifest, weights and a model card, verified before anything of it is used."""

import hashlib
import json
import shutil
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from model.manifest import FileRecord, Manifest, frontend_proof, parse_manifest
from model.npz import read_npz
from model.strict_json import as_json, dump_json
from model.vggish import weight_shapes
from monitord.errors import BundleError

MANIFEST: Final = "manifest.json"
TFLITE: Final = "model.tflite"
WEIGHTS: Final = "weights.npz"
CARD: Final = "MODEL_CARD.md"
FILES: Final = (TFLITE, WEIGHTS, CARD)
"""What lies beside the manifest, no more and no less, but for the reference."""
REFERENCE: Final = "reference.npz"
"""Embeddings of held-out cries and other sound, to check what a home has taught: some bundles have them."""
DEFAULT: Final = "vggish-compact"
"""Name of the bundle that comes with the project."""
_MOST_MANIFEST_BYTES: Final = 1_000_000
"""A manifest is a few kilobytes; anything near this is another file."""
_ID_DIGITS: Final = 12
"""Hexadecimal digits of the short hash: 48 bits, far more than a family will ever have bundles."""

Weights = Mapping[str, NDArray[Any]]
"""Floating arrays by `layer/kernel` and `layer/bias`. Any: float16 and float32 both occur."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A directory that was verified: every hash, every parameter."""

    directory: Path
    manifest: Manifest
    id: str
    """Short hash over the manifest, and so over every file: 12 hexadecimal digits."""

    @property
    def tflite(self) -> Path:
        """The network for LiteRT."""
        return self.directory / TFLITE

    def weights(self) -> dict[str, NDArray[np.float32]]:
        """Reads the weights for Keras, float32, each name and shape asserted.

        Raises:
            BundleError: They are not those of the manifest's architecture.
        """
        path = self.directory / WEIGHTS
        return read_npz(path, weight_shapes(self.manifest.architecture, heads=True))

    def require_trained(self) -> "Bundle":
        """Returns itself, or raises `BundleError` where its probabilities would mean nothing."""
        if self.manifest.heads != "trained":
            raise BundleError(
                f"{self.directory}: bundle {self.manifest.name} has untrained heads: it is a base for training "
                "and hears nothing yet; make one that does with `monitord-train fit`, or use the one of this project"
            )
        return self


def default_bundle_path() -> Path:
    """Where the bundle lies that comes with the project."""
    return Path(str(resources.files("model"))) / "bundles" / DEFAULT


def load_bundle(directory: Path | None = None) -> Bundle:
    """Verifies a bundle, without a directory the one that comes with the project; nothing of it is used before.

    Raises:
        BundleError: A file is missing, damaged or foreign, or the manifest does not fit this code.
    """
    directory = directory or default_bundle_path()
    path = directory / MANIFEST
    try:
        # A pipe or a device would keep us waiting, or never end.
        if not stat.S_ISREG(path.stat().st_mode):
            raise BundleError(f"{path}: no regular file, no manifest")
        with path.open("rb") as file:
            raw = file.read(_MOST_MANIFEST_BYTES + 1)
        if len(raw) > _MOST_MANIFEST_BYTES:
            raise BundleError(f"{path}: larger than {_MOST_MANIFEST_BYTES} bytes, no manifest")
        text = raw.decode()
    except OSError as error:
        raise BundleError(f"{directory}: no bundle: cannot read {MANIFEST}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise BundleError(f"{path}: no text in UTF-8: {error}") from error
    manifest = parse_manifest(text, str(path))
    if set(manifest.files) - {REFERENCE} != set(FILES):
        raise BundleError(f"{path}.files: found {sorted(manifest.files)}, expected {sorted(FILES)}")
    for name, record in manifest.files.items():
        _verify(directory, name, record)
    return Bundle(directory, manifest, hashlib.sha256(raw).hexdigest()[:_ID_DIGITS])


def write_bundle(
    directory: Path,
    manifest: Manifest,
    *,
    tflite: bytes,
    weights: Weights,
    card: str,
    exact: bool = False,
    reference: bytes | None = None,
) -> Bundle:
    """Writes a bundle and verifies it. A bundle that stands there is replaced whole, or not at all.

    Args:
        directory: Where it will stand; the directory above it is made where it is missing.
        manifest: All but `files` and `frontend_proof`, which are filled in here.
        tflite: The network for LiteRT.
        weights: Those of Keras, by `layer/kernel` and `layer/bias`.
        card: Content of `MODEL_CARD.md`.
        exact: Whether the weights are stored in float32; else in float16, half as large, whose rounding is a tenth of
            LiteRT's own.
        reference: Content of `reference.npz`; None: homes cannot adapt this bundle.

    Raises:
        BundleError: What was given is no bundle. What stood there before stands there still.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{directory.name}.", dir=directory.parent))
    try:
        fresh.chmod(0o755)  # a bundle is no secret: the daemon's user reads what the trainer's user wrote
        (fresh / TFLITE).write_bytes(tflite)
        (fresh / CARD).write_text(card, encoding="utf-8")
        # Any: savez takes arrays by keyword and its stub knows only its own two keywords.
        arrays: dict[str, Any] = {
            name: array.astype(np.float32 if exact else np.float16) for name, array in weights.items()
        }
        np.savez(fresh / WEIGHTS, **arrays)
        if reference is not None:
            (fresh / REFERENCE).write_bytes(reference)
        names = [*FILES, *(() if reference is None else (REFERENCE,))]
        files = {name: _record(fresh / name) for name in names}
        complete = replace(manifest, files=files, frontend_proof=frontend_proof(manifest.frontend))
        return _finished(fresh, directory, dump_json(complete))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def with_reference(bundle: Bundle, reference: bytes) -> Bundle:
    """Writes `reference.npz` into a bundle, in place of one that is there; everything else stays bit for bit.

    The manifest lists the file, and so the bundle's id is another one.

    Raises:
        BundleError: What stands there is no bundle any more. It stands there still.
    """
    fresh = Path(tempfile.mkdtemp(prefix=f".{bundle.directory.name}.", dir=bundle.directory.parent))
    try:
        fresh.chmod(0o755)
        for name in FILES:
            shutil.copyfile(bundle.directory / name, fresh / name)
        (fresh / REFERENCE).write_bytes(reference)
        # As it was written: a manifest of an older format stays one.
        manifest = json.loads((bundle.directory / MANIFEST).read_text(encoding="utf-8"))
        manifest["files"][REFERENCE] = asdict(_record(fresh / REFERENCE))
        return _finished(fresh, bundle.directory, as_json(manifest))
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _finished(fresh: Path, directory: Path, manifest: str) -> Bundle:
    """Adds the manifest, verifies all, and puts the bundle into its place."""
    (fresh / MANIFEST).write_text(manifest, encoding="utf-8")
    bundle = load_bundle(fresh)
    bundle.weights()
    _put(fresh, directory)
    return replace(bundle, directory=directory)


def _verify(directory: Path, name: str, record: FileRecord) -> None:
    path = directory / name
    if path.resolve() != directory.resolve() / name:
        raise BundleError(f"{path}: leads out of the bundle to {path.resolve()}")
    try:
        there = path.stat()
        if not stat.S_ISREG(there.st_mode):
            raise BundleError(f"{path}: no regular file")
        # Before it is read: a file of holes may be larger than any disk.
        if there.st_size != record.size_bytes:
            raise BundleError(f"{path}: found {there.st_size} bytes, the manifest says {record.size_bytes}")
        found = _record(path)
    except OSError as error:
        raise BundleError(f"{path}: cannot be read: {error.strerror}") from error
    if found.sha256 != record.sha256:
        raise BundleError(
            f"{path}: found SHA-256 {found.sha256}, the manifest says {record.sha256}: damaged or changed"
        )


def _record(path: Path) -> FileRecord:
    with path.open("rb") as file:
        return FileRecord(hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size)


def _put(fresh: Path, directory: Path) -> None:
    """Renames the finished directory into place; an old one is put aside first and put back if that fails."""
    if not directory.exists():
        fresh.rename(directory)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{directory.name}.old.", dir=directory.parent))
    try:
        directory.rename(old)
        try:
            fresh.rename(directory)
        except OSError:
            old.rename(directory)
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
