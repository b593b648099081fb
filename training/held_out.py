"""Which windows training may see, and which every model is judged on."""

import numpy as np
from numpy.typing import NDArray

from training.prepare import Prepared
from training.targets import SURE_SHARE, cry_targets


def rows_for(prepared: Prepared, *, held_out: bool) -> NDArray[np.int64]:
    """Rows of the windows of recordings that are, or are not, held out."""
    flags = np.array([recording.held_out for recording in prepared.recordings])
    return np.flatnonzero(flags[prepared.windows.recording] == held_out)


def evaluation_rows(prepared: Prepared) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """The windows that every model is judged on: held out, heard by the daemon, of recordings with a known label.

    Of a cry recording only windows that are sound for at least half of their length count.

    Returns:
        Rows of `prepared.windows`; for each whether it lies in a cry recording; and for each of these whether a
        teacher hears the cry in that very window (the others are quiet cries, breaths and parents).
    """
    windows = prepared.windows
    known = np.array([-1 if r.is_cry is None else int(r.is_cry) for r in prepared.recordings])[windows.recording]
    held_out = np.zeros(len(windows), np.bool_)
    held_out[rows_for(prepared, held_out=True)] = True
    sounding = (known == 0) | (windows.sound >= 0.5)  # noqa: PLR2004 - half of the window
    rows = np.flatnonzero(held_out & windows.heard & (known >= 0) & sounding)
    return rows, known[rows] == 1, cry_targets(prepared)[rows] >= SURE_SHARE
