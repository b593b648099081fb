"""What each window should be called: the recording's own label, told in time by the teacher.

A cry recording holds pauses, breaths and parents. mn04 hears which window cries, but its probability also falls with
the codec and the distance; within one recording these are the same, so its score counts relative to the recording's
own loud moments.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.prepare import Prepared

LOUD_PERCENTILE: Final = 90.0
"""Percent of a recording's windows under its loud moments."""
LOUD_FLOOR: Final = 0.02
"""mn04 probability of those under which the teacher hears no cry at all: such a recording teaches nothing."""
SURE_SHARE: Final = 0.5
"""Share of the loud moments' score from which a window is surely a cry."""
NEXT_SHARE: Final = 0.8
"""How far a window is believed to be what the next one is, when its own tail already sounds: the first quarter second
of a cry should count as a cry, or the alert comes late."""


def cry_targets(prepared: Prepared) -> NDArray[np.float32]:
    """Returns float32 [n]: how much each window is a cry, 0 to 1; NaN where nobody knows."""
    windows = prepared.windows
    out = np.full(len(windows), np.nan, np.float32)
    for index, recording in enumerate(prepared.recordings):
        rows = np.flatnonzero(windows.recording == index)
        if recording.is_cry is False:
            out[rows] = 0.0
        elif recording.is_cry:
            out[rows] = _within(windows.mn04[rows], windows.tail[rows], windows.sound[rows])
    return out


def _within(mn04: NDArray[np.float32], tail: NDArray[np.float32], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    loud = float(np.percentile(mn04, LOUD_PERCENTILE))
    if loud < LOUD_FLOOR:
        return np.full(len(mn04), np.nan, np.float32)
    own = np.minimum(1.0, mn04 / (SURE_SHARE * loud))
    following = np.append(own[1:], 0.0) * NEXT_SHARE * (tail > SURE_SHARE)
    target = np.maximum(own, following)
    # A window without any sound is no cry, whatever echoes in it.
    return np.where(sound > 0.0, target, 0.0).astype(np.float32)
