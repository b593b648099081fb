"""What an adaptation is checked against: embeddings of strangers' cries and of other sound, in the bundle."""

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.adaptation.head import EMBEDDING
from model.bundle import REFERENCE, Bundle
from model.npz import ANY, read_npz
from monitord.errors import BundleError

_SHAPES = {
    f"{kind}/{name}": shape
    for kind in ("cries", "others")
    for name, shape in (("embedding", (ANY, EMBEDDING)), ("log_odds", (ANY,)))
}


@dataclass(frozen=True, slots=True, eq=False)
class Windows:
    """What a bundle made of n windows."""

    embedding: NDArray[np.float32]
    """float32 [n, 128]."""
    log_odds: NDArray[np.float32]
    """float32 [n], calibrated log-odds of a cry as the bundle alone says them."""

    def __len__(self) -> int:
        return len(self.log_odds)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Windows of recordings that training never saw."""

    cries: Windows
    others: Windows


def load_reference(bundle: Bundle) -> Reference:
    """Reads a bundle's reference.

    Raises:
        BundleError: It has none, or the file holds something else.
    """
    if REFERENCE not in bundle.manifest.files:
        raise BundleError(
            f"{bundle.directory}: bundle {bundle.manifest.name} cannot adapt to a home: it has no {REFERENCE} to check "
            "against; add one with `monitord-train reference`, or use the bundle that comes with this version"
        )
    path = bundle.directory / REFERENCE
    arrays = read_npz(path, _SHAPES)
    cries, others = (Windows(arrays[f"{kind}/embedding"], arrays[f"{kind}/log_odds"]) for kind in ("cries", "others"))
    for kind, windows in (("cries", cries), ("others", others)):
        if len(windows.embedding) != len(windows.log_odds):
            raise BundleError(f"{path}: {kind} have {len(windows.embedding)} embeddings and {len(windows)} log-odds")
    return Reference(cries, others)


def reference_file(reference: Reference) -> bytes:
    """Returns the content of `reference.npz`, in float16: 257 numbers for each kilobyte."""
    file = io.BytesIO()
    np.savez_compressed(
        file,
        allow_pickle=False,
        **{
            f"{kind}/{name}": getattr(windows, name).astype(np.float16)
            for kind, windows in (("cries", reference.cries), ("others", reference.others))
            for name in ("embedding", "log_odds")
        },
    )
    return file.getvalue()
