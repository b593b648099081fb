"""Where the tracker says `started`: thresholds tried on held-out recordings, by the daemon's own tracker."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitord.listener import ListenerParams
from monitord.tracker import Tracker, TrackerParams
from monitord.types import RATE_HZ, Scores, Window
from training.prepare import Prepared, hear

THRESHOLDS: Final = (0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.98, 0.99)
VOTES: Final = ((2, 3), (2, 4), (3, 4), (3, 5), (4, 6))
"""N of M windows."""
OFF_SHARE: Final = 0.6
"""Share of the threshold that keeps an episode alive: a whimper between two cries does not end it."""
FALSE_SHARE: Final = 0.02
"""Share of the held-out recordings without a cry that may raise an alarm: they are 5 s of the hardest sounds each,
denser than any home's."""
LATENCY_S: Final = 1.5
"""Most seconds from the first sound to the alarm at the median: the promise."""
_EVEN: Final = np.full(4, 0.25, np.float32)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """The chosen thresholds and what they came to."""

    tracker: TrackerParams
    why: str
    figures: dict[str, object]
    """JSON values for the manifest."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one setting comes to on the held-out recordings."""

    tracker: TrackerParams
    found: float
    """Share of the cry recordings that raise an alarm."""
    false: float
    """Share of the other recordings that raise one."""
    latency_s: tuple[float, float]
    """From the first sound to the alarm (seconds): median and 95th percentile over the cries found."""


@dataclass(frozen=True, slots=True)
class _Stream:
    is_cry: bool
    windows: list[Window]
    p_cry: list[float]


def trials(prepared: Prepared, probabilities: NDArray[np.float32]) -> list[Trial]:
    """Tries every setting on the held-out recordings, with calibrated probabilities, float32 [n], of all windows."""
    streams = list(_streams(prepared, probabilities))
    out = []
    for (n, m), on_p in product(VOTES, THRESHOLDS):
        params = replace(TrackerParams(), on_p=on_p, off_p=round(on_p * OFF_SHARE, 3), n=n, m=m)
        alarms = {kind: [_alarm(s, params) for s in streams if s.is_cry is kind] for kind in (True, False)}
        late = [latency_s for latency_s in alarms[True] if latency_s is not None]
        median, slow = np.percentile(late, [50, 95]).tolist() if late else (np.inf, np.inf)
        share = {kind: float(np.mean([a is not None for a in found])) for kind, found in alarms.items()}
        out.append(Trial(params, share[True], share[False], (median, slow)))
    return out


def choose(prepared: Prepared, probabilities: NDArray[np.float32]) -> OperatingPoint:
    """Takes the setting that finds most cries among those that are quick enough and seldom wrong."""
    tried = trials(prepared, probabilities)
    allowed = [t for t in tried if t.false <= FALSE_SHARE and t.latency_s[0] <= LATENCY_S]
    if not allowed:
        raise ValueError("no setting is quick enough and seldom wrong: the network does not hear")
    best = max(allowed, key=lambda t: (t.found, -t.false))
    cries = sum(r.held_out and r.is_cry is True for r in prepared.recordings)
    others = sum(r.held_out and r.is_cry is False for r in prepared.recordings)
    figures: dict[str, object] = {
        "cry_recordings": cries,
        "found": round(best.found, 3),
        "other_recordings": others,
        "false_alarms": round(best.false, 4),
        "latency_p50_s": round(best.latency_s[0], 2),
        "latency_p95_s": round(best.latency_s[1], 2),
    }
    why = (
        f"held-out recordings (ESC-50 fold 4, a fifth of the groups of the other sets): {best.found:.1%} of {cries} "
        f"cry recordings found, {best.latency_s[0]:.1f} s after the first sound at the median, "
        f"{best.latency_s[1]:.1f} s at the 95th percentile; alarms "
        f"on {best.false:.2%} of {others} others; not yet tried on hours of sound"
    )
    return OperatingPoint(best.tracker, why, figures)


def _streams(prepared: Prepared, probabilities: NDArray[np.float32]) -> Iterator[_Stream]:
    for index, recording in enumerate(prepared.recordings):
        if recording.held_out and recording.is_cry is not None:
            rows = np.flatnonzero(prepared.windows.recording == index)
            by_end = dict(zip(prepared.windows.end[rows].tolist(), probabilities[rows].tolist(), strict=True))
            windows, _ = hear(prepared.audio(index), ListenerParams())
            yield _Stream(recording.is_cry, windows, [by_end[window.end] for window in windows])


def _alarm(stream: _Stream, params: TrackerParams) -> float | None:
    """Seconds from the first sound to the first alarm; None where there is none."""
    tracker = Tracker("recording", params)
    for window, p_cry in zip(stream.windows, stream.p_cry, strict=True):
        scores = Scores("recording", window.start, p_cry, _EVEN, 1, "")  # reasons do not move an alarm
        for event in tracker.window(window, scores):
            if event.event_type == "started":
                return event.latency_samples / RATE_HZ
    return None
