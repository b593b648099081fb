"""What each window should be called: the recording's own label, told in time by the teachers.

A cry recording holds pauses, breaths and parents. The teachers hear which window cries, but their probabilities also
fall with the codec and the distance; within one recording these are the same, so a score counts relative to the
recording's own loud moments. mn04 learnt from 10 s clips and misses many cries in one second that YAMNet hears, and
the other way round: a window is a cry when either says so, and unknown when neither does although there is sound.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.data.prepared import Prepared
from training.label.teachers import MN04_BABY_LAUGHTER, MN04_CLASSES, YAMNET_BABY_LAUGHTER

LOUD_PERCENTILE: Final = 90.0
"""Percent of a recording's windows under its loud moments."""
LOUD_FLOOR: Final = 0.02
"""Probability of those under which a teacher hears no cry at all in a recording, so that it has no say there: above
it are 1 % of YAMNet's scores of windows without a cry, and fewer of mn04's."""
SURE_SHARE: Final = 0.5
"""Share of the loud moments' score from which a window is surely a cry."""
NEXT_SHARE: Final = 0.8
"""How far a window is believed to be what the next one is, when its own tail already sounds: the first quarter second
of a cry should count as a cry, or the alert comes late."""
UNKNOWN_BELOW: Final = 0.3
"""A sounding window of a cry recording in which the teachers hear less than this teaches nothing: often it is a quiet
cry, sometimes a parent."""
UNCLEAR_CRY: Final = 0.5
"""Score from which either teacher makes a window of an unclear recording a cry; both under a hundredth of it, none."""
SILENT_BELOW: Final = 0.1
"""Share of sound under which a window of a cry recording is no cry, whatever echoes in it."""
DOUBTED_FROM: Final = 0.1
"""Score of either teacher from which a window of an upload that counts as no cry is nobody's example: the upload was
judged as a whole, and a whimper in it may have been lost in the mean."""
CRIES_FROM: Final = 0.25
"""Share of sound, of a window or of its last quarter second, from which a window of `corvin` is a cry, whatever the
teachers hear: its recordings were cut to nothing but cries, and mn04 misses some whimpers in them."""
LAUGH_FROM: Final = 0.3
"""Score of "Baby laughter" from which a window may be one."""
LAUGH_OVER_CRY: Final = 3.0
"""By how much that score must exceed the cry's."""


def cry_targets(prepared: Prepared) -> NDArray[np.float32]:
    """Returns float32 [n]: how much each window is a cry, 0 to 1; NaN where nobody knows."""
    windows = prepared.windows
    out = np.full(len(windows), np.nan, np.float32)
    for index, recording in enumerate(prepared.recordings):
        rows = np.flatnonzero(windows.recording == index)
        either = np.maximum(windows.mn04[rows], windows.yamnet[rows])
        if recording.is_cry is False:
            judged_whole = recording.dataset == "donateacry"  # the other sets' labels are people's
            out[rows] = np.where(judged_whole & (either >= DOUBTED_FROM), np.nan, 0.0)
        elif recording.dataset == "corvin":
            out[rows] = _sounding(windows.tail[rows], windows.sound[rows])
        elif recording.is_cry:
            heard = np.maximum(_relative(windows.mn04[rows]), _relative(windows.yamnet[rows]))
            out[rows] = _within(heard, windows.tail[rows], windows.sound[rows])
        else:
            out[rows] = _unclear(either)
    uncertain = np.array([recording.is_cry is not True for recording in prepared.recordings])[windows.recording]
    out[uncertain & baby_laughter(prepared)] = 0.0
    return out


def baby_laughter(prepared: Prepared) -> NDArray[np.bool_]:
    """Returns bool [n]: windows in which the teachers hear a baby laugh and hardly a cry: the hardest negatives."""
    windows = prepared.windows
    laugh = np.maximum(windows.tags[:, MN04_BABY_LAUGHTER], windows.tags[:, MN04_CLASSES + YAMNET_BABY_LAUGHTER])
    cry = np.maximum(windows.mn04, windows.yamnet)
    return np.asarray((laugh >= LAUGH_FROM) & (laugh >= LAUGH_OVER_CRY * cry))


def _relative(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """A teacher's scores of one recording against its own loud moments, 0 to 1."""
    loud = float(np.percentile(scores, LOUD_PERCENTILE))
    return np.minimum(1.0, scores / (SURE_SHARE * loud)) if loud >= LOUD_FLOOR else np.zeros_like(scores)


def _unclear(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Only what the teachers are sure of: the higher of their scores [n] to a target [n]."""
    return np.select([scores >= UNCLEAR_CRY, scores < UNCLEAR_CRY / 100], [1.0, 0.0], np.nan).astype(np.float32)


def _sounding(tail: NDArray[np.float32], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """A cry where it sounds: shares of sound [n] to a target [n]."""
    share = np.maximum(sound, tail)
    return np.select([share >= CRIES_FROM, share < SILENT_BELOW], [1.0, 0.0], np.nan).astype(np.float32)


def _within(heard: NDArray[np.float32], tail: NDArray[np.float32], sound: NDArray[np.float32]) -> NDArray[np.float32]:
    following = np.append(heard[1:], 0.0) * NEXT_SHARE * (tail > SURE_SHARE)
    target = np.maximum(heard, following)
    target = np.where(target < UNKNOWN_BELOW, np.nan, target)
    return np.where(sound < SILENT_BELOW, 0.0, target).astype(np.float32)
