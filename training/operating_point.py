"""Where the tracker says `started`: thresholds tried on held-out recordings, by the daemon's own tracker."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.tracker import Tracker, TrackerParams
from monitord.types import RATE_HZ, Scores, Window
from training.prepare import Prepared

THRESHOLDS: Final = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)
VOTES: Final = ((2, 4), (3, 5), (4, 6))
"""N of M windows."""
FALSE_SHARE: Final = 0.01
"""Share of the held-out recordings without a cry that may raise an alarm: they are 5 s of the hardest sounds each,
denser than any home's."""
_EMPTY: Final = np.empty(0, np.int16)
_EVEN: Final = np.full(4, 0.25, np.float32)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The chosen thresholds and what they came to."""

    tracker: TrackerParams
    why: str
    figures: dict[str, object]
    """JSON values for the manifest."""


@dataclass(frozen=True, slots=True)
class _Stream:
    is_cry: bool
    ends: list[int]
    p_cry: list[float]


def choose(prepared: Prepared, probabilities: NDArray[np.float32]) -> OperatingPoint:
    """Takes the setting that finds most cry recordings among those with few enough false alarms.

    Args:
        prepared: What `prepare` wrote.
        probabilities: Calibrated, float32 [n], of all its windows.
    """
    streams = list(_streams(prepared, probabilities))
    cries = [s for s in streams if s.is_cry]
    others = [s for s in streams if not s.is_cry]
    best: tuple[float, float, TrackerParams] | None = None
    for n, m in VOTES:
        for on_p in THRESHOLDS:
            params = replace(TrackerParams(), on_p=on_p, off_p=on_p * 0.6, n=n, m=m)
            found, false = _alarms(cries, params) / len(cries), _alarms(others, params) / len(others)
            if false <= FALSE_SHARE and (best is None or (found, -false) > best[:2]):
                best = found, -false, params
    if best is None:
        raise ValueError("no setting keeps false alarms low enough: the network does not hear")
    found, false, params = best[0], -best[1], best[2]
    figures: dict[str, object] = {
        "cry_recordings": len(cries),
        "found": round(found, 3),
        "other_recordings": len(others),
        "false_alarms": round(false, 4),
        "votes": f"{params.n} of {params.m} windows",
        "on_p": params.on_p,
    }
    why = (
        f"held-out recordings (ESC-50 fold 4, a fifth of the groups of the other sets): {found:.1%} of {len(cries)} "
        f"cry recordings found, alarms on {false:.2%} of {len(others)} others; no streams of hours yet"
    )
    return OperatingPoint(params, why, figures)


def _streams(prepared: Prepared, probabilities: NDArray[np.float32]) -> list[_Stream]:
    windows = prepared.windows
    out = []
    for index, recording in enumerate(prepared.recordings):
        if recording.held_out and recording.is_cry is not None:
            rows = np.flatnonzero((windows.recording == index) & windows.heard)
            out.append(_Stream(recording.is_cry, windows.end[rows].tolist(), probabilities[rows].tolist()))
    return out


def _alarms(streams: list[_Stream], params: TrackerParams) -> int:
    return sum(_alarms_in(stream, params) for stream in streams)


def _alarms_in(stream: _Stream, params: TrackerParams) -> bool:
    tracker = Tracker("recording", params)
    for end, p_cry in zip(stream.ends, stream.p_cry, strict=True):
        # Only ends and probabilities matter to the tracker; the sound itself was scored before.
        window = Window("recording", end, _EMPTY, end / RATE_HZ, end)
        tracker.window(window, Scores("recording", end, p_cry, _EVEN, 1, ""))
    return tracker.episode > 0
