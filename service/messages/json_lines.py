"""What `replay`, `archive` and `run --json` print: the same facts as on MQTT, one dict a line. Pure."""

from collections.abc import Sequence
from dataclasses import asdict

from monitord.tally import Tally
from monitord.types import RATE_HZ, CryEvent, Scores, Segment
from service.messages.message import Node, by_reason, distress, probability

SAMPLES_PER_MS = RATE_HZ // 1000
"""Samples in a millisecond at the rate inside the house."""

Line = dict[str, object]
"""JSON values in the order of printing."""


def replay_segment(heard: Segment, scores: Scores, *, reason: str) -> Line:
    """Returns one cry segment.

    Args:
        heard: The segment; `t_s` is the stream time of its first sample (seconds).
        scores: Pooled over the segment's windows.
        reason: One of `REASONS`, or `unsure`.
    """
    return {
        "kind": "segment",
        "source": heard.source,
        "t_s": seconds(heard.start),
        "duration_s": seconds(len(heard.samples)),
        "p_cry": probability(scores.p_cry),
        "reason": reason,
        "reasons": by_reason(scores.reasons),
        "distress": distress(scores.distress),
    }


def replay_event(told: CryEvent) -> Line:
    """Returns one event.

    `t_s` is the stream time at which it was decided, `onset_s` that of the first sound (seconds), `episode` its number
    in the source, which a replay repeats exactly, and `latency_ms` counts the sound alone.
    """
    return {
        "kind": "event",
        "event_type": told.event_type,
        "source": told.source,
        "t_s": seconds(told.decided),
        "onset_s": seconds(told.start),
        "episode": told.episode,
        "p_cry": probability(told.p_cry),
        "reason": told.reason,
        "reason_p": probability(told.reason_p),
        "distress": distress(told.distress),
        "latency_ms": told.latency_samples // SAMPLES_PER_MS,
    }


def live_line(node: Node, line: Line, message_id: str, **told: object) -> Line:
    """Returns a line of `replay` as `run --json` prints it.

    Args:
        node: Who speaks; in demo mode the line says so.
        line: The same in a replay, where nothing is published.
        message_id: The id that MQTT carries.
        told: Keys as on MQTT: the `episode` by its id, `latency_ms` up to the telling; None leaves one out.
    """
    line = line | {key: value for key, value in told.items() if value is not None} | {"id": message_id}
    return line | {"demo": True} if node.demo else line


def replay_tally(tally: Tally) -> Line:
    """Returns the last line: where every sample of all sources went (samples at 16 kHz)."""
    return {"kind": "tally", **asdict(tally)}


def archive_row(recording: str, heard: Sequence[Line], tally: Tally, error: str | None) -> Line:
    """Returns all that an archive says of one recording.

    Args:
        recording: Its path, seen from the archive's folder.
        heard: Its events and segments, as a replay has them.
        tally: Where its samples went.
        error: What is wrong with it, and what helps; None where nothing is.
    """
    return {
        "recording": recording,
        "duration_s": seconds(tally.captured),
        "episodes": sum(line.get("event_type") == "started" for line in heard),
        "error": error,
        "heard": list(heard),
        "tally": replay_tally(tally),
    }


def seconds(samples: int) -> float:
    """Turns a position or length (samples at 16 kHz) into seconds, as they are printed."""
    return round(samples / RATE_HZ, 3)
