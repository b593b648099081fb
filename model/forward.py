"""One forward pass: what every runtime takes and gives."""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray


class Outputs(NamedTuple):
    """What one forward pass gives for n patches."""

    cry: NDArray[np.float32]
    """float32 [n], logits."""
    reasons: NDArray[np.float32]
    """float32 [n, 4], logits in the order of `REASONS`."""
    embedding: NDArray[np.float32]
    """float32 [n, 128]."""


class RuntimeFault(Exception):  # noqa: N818 - a fault is what it is called wherever a person reads it
    """A runtime that worked has failed: a GPU fell off the bus, its memory is gone, or it gives no numbers."""


class Runtime(Protocol):
    """A loaded network, warmed up. Owned by one thread."""

    @property
    def name(self) -> str:
        """For a person: `litert`, or `keras` with its device."""

    @property
    def fault(self) -> str:
        """For a person: what is wrong although it still works; empty when all is well."""

    def forward(self, patches: NDArray[np.float32]) -> Outputs:
        """Runs float32 [n, 96, 64], n at least 1. A row's result does not depend on the other rows."""
