"""Views drawn in one process, to be compared with those of another."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.types import Pcm
from training.held_out import rows_for
from training.prepare import Prepared, load_prepared
from training.rooms import Room
from training.targets import cry_targets
from training.views import ViewParams, Views

ROOMS = [Room("hall", np.array([1, 0, 0, 0.5], np.float32), 0)]


def views(
    prepared: Prepared, params: ViewParams | None = None, *, mined: NDArray[np.int64] | None = None, seed: int = 0
) -> Views:
    """Draws from what is not held out."""
    rows = rows_for(prepared, held_out=False)
    return Views(prepared, cry_targets(prepared), rows, ROOMS, mined=mined, seed=seed, params=params)


def digest(drawn: Iterable[tuple[Pcm, float]]) -> str:
    """Of sounds and targets, bit by bit."""
    return hashlib.sha256(b"".join(x.tobytes() + repr(cry).encode() for x, cry in drawn)).hexdigest()


def digest_of(folder: Path) -> str:
    """Of eight views of what lies in a folder."""
    drawer = views(load_prepared(folder), seed=3)
    return digest(drawer.draw(number) for number in range(8))
