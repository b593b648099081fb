"""Which windows training may see, and which every model is judged on."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.errors import ConfigError
from training.data.prepared import Prepared
from training.label.targets import SURE_SHARE, cry_targets


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The windows that every model is judged on."""

    row: NDArray[np.int64]
    """[n], rows of `prepared.windows`."""
    cry: NDArray[np.bool_]
    """[n]."""
    group: NDArray[np.str_]
    """[n], for the bootstrap."""


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


def held_out(prepared: Prepared) -> HeldOut:
    """Finds them: other sound, and of cry recordings the windows in which a teacher hears the cry.

    Raises:
        ConfigError: There is only one kind.
    """
    row, cry, confirmed = evaluation_rows(prepared)
    sure = ~cry | confirmed
    if len(np.unique(cry[sure])) < 2:  # noqa: PLR2004 - both kinds
        raise ConfigError(f"{prepared.folder}: needs cries and other sound among what is held out")
    names = np.array([f"{r.dataset}:{r.group}" for r in prepared.recordings])
    return HeldOut(row[sure], cry[sure], np.asarray(names[prepared.windows.recording[row[sure]]]))
