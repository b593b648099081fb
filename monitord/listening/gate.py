"""Energy over an adaptive noise floor: which frames are louder than the room.

The floor is a low percentile of the last seconds, so a crying baby's pauses keep it down; it falls at once and rises
slowly, so a stream that begins in the middle of a cry is not taken for a loud room. Where the room itself is loud, a
cry may be hidden under the noise: there the gate may not decide what the network sees (`noisy`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.pcm import FULL_SCALE
from monitord.types import Pcm

SILENCE_DBFS = -96.0
"""Level reported for no sound at all (dBFS): the range of 16 bits, 20 log10(2^16)."""


@dataclass(frozen=True, slots=True)
class GateParams:
    """Acoustic: pinned by the model bundle. Chosen from the table of `monitord-train gate` (training/README.md)."""

    margin_db: float = 6.0
    """Decibels over the floor at which a frame is sound."""
    least_dbfs: float = -75.0
    """dBFS under which no frame is sound, however quiet the room."""
    noisy_dbfs: float = -52.0
    """dBFS of floor from which every window is scored, because a cry may hide in the noise."""
    history_frames: int = 400
    """Frames over which the floor is taken: 8 s, longer than any cry without a breath."""
    percentile: float = 10.0
    """Percent of those frames that lie under the floor."""
    update_frames: int = 10
    """Frames between two updates of the floor: 0.2 s."""
    rise_db_per_s: float = 3.0
    """Decibels per second at which the floor may rise; it falls at once."""


def frame_dbfs(frames: Pcm) -> NDArray[np.float64]:
    """Level of each frame.

    Args:
        frames: int16 [n, samples].

    Returns:
        float64 [n], RMS relative to full scale (dBFS), at least `SILENCE_DBFS`.
    """
    x = frames.astype(np.float64)
    power = np.einsum("ns,ns->n", x, x) / frames.shape[1] / FULL_SCALE**2
    return np.asarray(10.0 * np.log10(np.maximum(power, 10.0 ** (SILENCE_DBFS / 10.0))))


class Gate:
    """Follows one room."""

    def __init__(self, params: GateParams, frame_s: float) -> None:
        self._params = params
        self._rise_db = params.rise_db_per_s * params.update_frames * frame_s
        self._history = np.full(params.history_frames, params.least_dbfs)
        self._seen = 0
        self.floor_dbfs = params.least_dbfs
        """The room's noise floor (dBFS)."""
        self.bound_dbfs = params.least_dbfs + params.margin_db
        """Level over which a frame is sound (dBFS)."""

    @property
    def noisy(self) -> bool:
        """Whether the room is so loud that a cry may hide in it."""
        return self.floor_dbfs >= self._params.noisy_dbfs

    def is_sound(self, dbfs: float) -> bool:
        """Takes the next frame's level (dBFS); says whether the frame stands out of the room."""
        params = self._params
        self._history[self._seen % params.history_frames] = dbfs
        self._seen += 1
        if self._seen % params.update_frames == 0:
            rank = int(params.history_frames * params.percentile / 100.0)
            low = float(np.partition(self._history, rank)[rank])
            self.floor_dbfs = max(SILENCE_DBFS, min(low, self.floor_dbfs + self._rise_db))
            self.bound_dbfs = max(self.floor_dbfs + params.margin_db, params.least_dbfs)
        return dbfs > self.bound_dbfs
