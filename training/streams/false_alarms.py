"""False alarms an hour on streams, and beside them the share of cries found and the seconds to the alarm."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from monitord.tracker import Tracker, TrackerParams
from monitord.types import RATE_HZ, Scores, Window
from training.streams.mixing import Stream

LATE_S: Final = 2.0
"""Seconds after a cry's last sound within which an alarm still counts for it: the last window that holds it, and a
little more."""
RESAMPLES: Final = 1000
"""Bootstrap samples of episodes."""
_EVEN: Final = np.full(4, 0.25, np.float32)


@dataclass(frozen=True, slots=True)
class Heard:
    """One stream and what a network said of its windows."""

    stream: Stream
    windows: Sequence[Window]
    p_cry: Sequence[float]


@dataclass(frozen=True, slots=True)
class Episodes:
    """Counts over several streams."""

    hours: float = 0.0
    found: tuple[bool, ...] = ()
    """By cry."""
    snr_db: tuple[float, ...] = ()
    """By cry."""
    latency_s: tuple[float | None, ...] = ()
    """By cry: from its first sound to the alarm; None where it was missed, or the alarm was open already."""
    false: int = 0
    """Alarms while nobody cried."""
    false_by_kind: Counter[str] = field(default_factory=Counter)
    """By what sounded when a false alarm was raised."""
    after_teacher_s: tuple[float | None, ...] = ()
    """By cry: from the end of the first window in which a teacher hears it to the alarm; below zero where the alarm was
    earlier. None as for `latency_s`, and where no teacher was asked."""

    def __add__(self, other: "Episodes") -> "Episodes":
        return Episodes(
            self.hours + other.hours,
            self.found + other.found,
            self.snr_db + other.snr_db,
            self.latency_s + other.latency_s,
            self.false + other.false,
            self.false_by_kind + other.false_by_kind,
            self.after_teacher_s + other.after_teacher_s,
        )

    def within(self, low_db: float, high_db: float) -> "Episodes":
        """The cries alone that stand so far over everything else, `high_db` not included; no false alarms."""
        at = [i for i, snr_db in enumerate(self.snr_db) if low_db <= snr_db < high_db]
        return Episodes(
            self.hours,
            tuple(self.found[i] for i in at),
            tuple(self.snr_db[i] for i in at),
            tuple(self.latency_s[i] for i in at),
            after_teacher_s=tuple(self.after_teacher_s[i] for i in at),
        )

    @property
    def share_found(self) -> float:
        """0 to 1; not a number where nobody cried."""
        return float(np.mean(self.found)) if self.found else float("nan")

    @property
    def false_per_hour(self) -> float:
        """Over all hours, with cries and without."""
        return self.false / self.hours

    def latency(self, percent: float) -> float:
        """Percentile of `latency_s` (seconds); infinite where nothing was found."""
        return _percentile(self.latency_s, percent)

    def after_teacher(self, percent: float) -> float:
        """Percentile of `after_teacher_s` (seconds); infinite where nothing was found."""
        return _percentile(self.after_teacher_s, percent)

    def found_interval(self) -> tuple[float, float]:
        """95 % interval of the share found, from resampling episodes."""
        if not self.found:
            return float("nan"), float("nan")
        found = np.array(self.found)
        drawn = np.random.default_rng(0).integers(len(found), size=(RESAMPLES, len(found)))
        low, high = np.percentile(found[drawn].mean(axis=1), [2.5, 97.5]).tolist()
        return low, high


def score(heard: Heard, params: TrackerParams) -> Episodes:
    """Runs the daemon's tracker over one stream and counts its alarms."""
    return count(heard.stream, tracked(heard, params))


def count(stream: Stream, alarms: Sequence[tuple[int, int]]) -> Episodes:
    """Holds alarms against a stream's cries.

    A cry is found when an alarm is raised between its first sound and shortly after its last, or was open when it
    began (then without a latency). Every other alarm is false.

    Args:
        stream: What was heard.
        alarms: When each was raised, and when its episode ended (samples at 16 kHz), in order of time.
    """
    late = int(LATE_S * RATE_HZ)
    found, told = [], []
    true: set[int] = set()
    for cry in stream.cries:
        hits = [i for i, (start, end) in enumerate(alarms) if start < cry.end + late and end > cry.start]
        raised = [alarms[i][0] for i in hits if alarms[i][0] >= cry.start]
        true.update(i for i in hits if alarms[i][0] >= cry.start)
        found.append(bool(hits))
        told.append(raised[0] if raised and len(raised) == len(hits) else None)
    false = [start for i, (start, _) in enumerate(alarms) if i not in true]
    return Episodes(
        len(stream.samples) / RATE_HZ / 3600,
        tuple(found),
        tuple(cry.snr_db for cry in stream.cries),
        tuple(_seconds(cry.start, at) for cry, at in zip(stream.cries, told, strict=True)),
        len(false),
        Counter(kind_at(stream, start) for start in false),
        tuple(_seconds(cry.teacher_hears, at) for cry, at in zip(stream.cries, told, strict=True)),
    )


def _seconds(first: int | None, then: int | None) -> float | None:
    return None if first is None or then is None else (then - first) / RATE_HZ


def _percentile(values: Sequence[float | None], percent: float) -> float:
    known = [value for value in values if value is not None]
    return float(np.percentile(known, percent)) if known else float("inf")


def tracked(heard: Heard, params: TrackerParams) -> list[tuple[int, int]]:
    """When each alarm was raised, and when its episode ended (samples at 16 kHz)."""
    tracker = Tracker("stream", params)
    events = []
    for window, p_cry in zip(heard.windows, heard.p_cry, strict=True):
        events += tracker.window(window, Scores("stream", window.start, p_cry, _EVEN, 1, ""))
    events += tracker.advance(len(heard.stream.samples))
    events += tracker.flush(len(heard.stream.samples))
    starts = [event.decided for event in events if event.event_type == "started"]
    ends = [event.decided for event in events if event.event_type == "ended"]
    return list(zip(starts, ends, strict=True))


def kind_at(stream: Stream, at: int) -> str:
    """The sound that began last of those that sounded within the window before an alarm; the bed where none did."""
    around = [laid for laid in stream.sounds if laid.start < at and laid.end + RATE_HZ > at]
    return max(around, key=lambda laid: laid.start).kind if around else "steady"
