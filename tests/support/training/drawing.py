"""Augmented windows drawn in one process, to be compared with those of another."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from monitord.types import Pcm
from training.data.prepared import Prepared, load_prepared
from training.label.augmented_windows import AugmentationParams, AugmentedWindows
from training.label.held_out import rows_for
from training.label.targets import cry_targets
from training.sound.room_responses import Room

ROOMS = [Room("hall", np.array([1, 0, 0, 0.5], np.float32), 0)]


def augmented_windows(
    prepared: Prepared,
    params: AugmentationParams | None = None,
    *,
    mined: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> AugmentedWindows:
    """Draws from what is not held out."""
    rows = rows_for(prepared, held_out=False)
    return AugmentedWindows(prepared, cry_targets(prepared), rows, ROOMS, mined=mined, seed=seed, params=params)


def digest(drawn: Iterable[tuple[Pcm, float]]) -> str:
    """Of sounds and targets, bit by bit."""
    return hashlib.sha256(b"".join(x.tobytes() + repr(cry).encode() for x, cry in drawn)).hexdigest()


def digest_of(folder: Path) -> str:
    """Of eight windows of what lies in a folder."""
    drawer = augmented_windows(load_prepared(folder), seed=3)
    return digest(drawer.draw(number) for number in range(8))
