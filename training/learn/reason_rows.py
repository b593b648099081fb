"""Windows of prepared recordings whose reason a family told: what a head on the embedding learns from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS
from training.data.prepared import Prepared
from training.label.targets import SURE_SHARE, cry_targets
from training.learn.reason_head import Labelled


@dataclass(frozen=True, slots=True)
class ReasonRows:
    """Windows in which a cry is heard, of all recordings with a reason; folds decide what is seen when."""

    row: NDArray[np.int64]
    """[windows], row of `prepared.windows`, ascending."""
    recording: NDArray[np.int64]
    """[windows], row of the recording below."""
    reason: NDArray[np.int64]
    """[recordings], index into `REASONS`."""
    group: NDArray[np.int64]
    """[recordings], number of the installation."""

    def labelled(self, embedding: NDArray[np.float32]) -> Labelled:
        """With what a network makes of these windows, float32 [windows, 128]."""
        return Labelled(embedding, self.recording, self.reason, self.group)


def reason_rows(prepared: Prepared) -> ReasonRows:
    """Finds them; there may be none."""
    windows = prepared.windows
    sure = cry_targets(prepared) >= SURE_SHARE
    told = np.array([recording.reason is not None for recording in prepared.recordings])
    rows = np.flatnonzero(sure & told[windows.recording])
    kept, of = np.unique(windows.recording[rows], return_inverse=True)
    recordings = [prepared.recordings[index] for index in kept.tolist()]
    reason = np.array([REASONS.index(str(recording.reason)) for recording in recordings], np.int64)
    _, group = np.unique([recording.group for recording in recordings], return_inverse=True)
    return ReasonRows(rows, of.astype(np.int64), reason, group.astype(np.int64))
