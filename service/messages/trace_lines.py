"""What a trace says, one dict a line with `kind` in front: why it rang, or why it did not. Pure.

`t_s` is always the stream time at which a line's matter ends (seconds), `from_s` that at which it begins.
"""

from monitord.faults import Fault
from monitord.listening.gate import SILENCE_DBFS
from monitord.listening.look import Look
from monitord.types import Scores, Window
from service.messages.json_lines import Line, seconds
from service.messages.message import distress, probability


def gate(source: str, start: int, end: int, nearest: Look) -> Line:
    """Returns a stretch of the stream in which the gate stood still: every sample lies in one, or in a hole.

    Args:
        source: Id of the source.
        start: Index of its first sample.
        end: Index one past its last (samples at 16 kHz).
        nearest: The frame that came nearest to the bound, or passed it by most.
    """
    return {
        "kind": "gate",
        "source": source,
        "t_s": seconds(end),
        "from_s": seconds(start),
        "gate": nearest.opening,
        "dbfs": _level(nearest.dbfs),
        "floor": _level(nearest.floor_dbfs),
        "bound": _level(nearest.bound_dbfs),
        "at_s": seconds(nearest.end),
    }


def window(
    scored: Window,
    scores: Scores,
    look: Look,
    *,
    dbfs: float,
    threshold: float,
    evidence: float,
    on: float,
    crying: bool,
    skipped: int = 0,
    test: bool = False,
) -> Line:
    """Returns one scored window.

    Args:
        scored: The window; `t_s` is its end.
        scores: What the network says of it.
        look: Its last frame.
        dbfs: Its level.
        threshold: Calibrated probability from which it speaks for crying.
        evidence: What speaks for crying with it.
        on: Evidence at which an episode opens.
        crying: Whether an episode is open, with it.
        skipped: Windows before it that a machine that is too slow left out.
        test: Whether a test alarm sounds in it: it counts for no episode.
    """
    line: Line = {
        "kind": "window",
        "source": scored.source,
        "t_s": seconds(scored.end),
        "dbfs": _level(dbfs),
        "floor": _level(look.floor_dbfs),
        "gate": look.opening,
        "p_cry": probability(scores.p_cry),
        "distress": distress(scores.distress),
        "threshold": probability(threshold),
        "evidence": round(evidence, 2),
        "on": round(on, 2),
        "state": _state(crying=crying),
    }
    if skipped:
        line["skipped"] = skipped
    if test:
        line["test"] = True
    return line


def state(source: str, position: int, *, crying: bool, evidence: float, on: float) -> Line:
    """Returns a change between calm and crying; less evidence than `on` where another room's cry opened it."""
    return {
        "kind": "state",
        "source": source,
        "t_s": seconds(position),
        "state": _state(crying=crying),
        "evidence": round(evidence, 2),
        "on": round(on, 2),
    }


def too_short(source: str, start: int, end: int, least: int) -> Line:
    """Returns a sound that is no segment, because it is shorter than `least` (samples at 16 kHz)."""
    return {
        "kind": "too_short",
        "source": source,
        "t_s": seconds(end),
        "duration_s": seconds(end - start),
        "least_s": seconds(least),
    }


def hole(source: str, start: int, end: int) -> Line:
    """Returns a stretch that never reached the ears, from `start` to `end` (samples at 16 kHz)."""
    return {"kind": "hole", "source": source, "t_s": seconds(end), "from_s": seconds(start)}


def room(source: str, position: int, *, enabled: bool, threshold: float, fault: Fault) -> Line:
    """Returns how a room is listened to: at the beginning, and when anything of it changes."""
    return {
        "kind": "room",
        "source": source,
        "t_s": seconds(position),
        "enabled": enabled,
        "threshold": probability(threshold),
        "fault": fault,
    }


def _state(*, crying: bool) -> str:
    return "crying" if crying else "calm"


def _level(dbfs: float) -> float:
    """A level as it is told everywhere (dBFS)."""
    return round(max(dbfs, SILENCE_DBFS), 1)
