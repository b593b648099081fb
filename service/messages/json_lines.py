"""What `replay` and `run --json` print: the same facts as on MQTT, one dict a line with `kind` in front. Pure."""

from monitord.tally import Tally
from monitord.types import RATE_HZ, CryEvent, Scores, Segment
from service.messages.message import by_reason, probability

SAMPLES_PER_MS = RATE_HZ // 1000
"""Samples in a millisecond at the rate inside the house."""

Line = dict[str, object]
"""JSON values in the order of printing."""


def replay_segment(
    heard: Segment,
    scores: Scores,
    *,
    reason: str,
    message_id: str | None = None,
    episode: str | None = None,
    demo: bool = False,
) -> Line:
    """Returns one cry segment.

    Args:
        heard: The segment; `t_s` is the stream time of its first sample (seconds).
        scores: Pooled over the segment's windows.
        reason: One of `REASONS`, or `unsure`.
        message_id: The id that MQTT carries; None in a replay, where nothing is published.
        episode: Id of the open episode, as on MQTT; None leaves it out.
        demo: Whether the built-in demo sound plays.
    """
    values: Line = {
        "t_s": seconds(heard.start),
        "duration_s": seconds(len(heard.samples)),
        "p_cry": probability(scores.p_cry),
        "reason": reason,
        "reasons": by_reason(scores.reasons),
    }
    if episode is not None:
        values["episode"] = episode
    return _line("segment", {"source": heard.source, **values}, message_id, demo=demo)


def replay_event(
    told: CryEvent,
    *,
    message_id: str | None = None,
    episode: str | None = None,
    latency_ms: int | None = None,
    demo: bool = False,
) -> Line:
    """Returns one event.

    Args:
        told: The event; `t_s` is the stream time at which it was decided, `onset_s` that of the first sound (seconds).
        message_id: The id that MQTT carries; None in a replay.
        episode: Id of the episode, as on MQTT; None prints its number in the source, which a replay repeats exactly.
        latency_ms: From the first sound to the telling, as on MQTT; None counts the sound alone, as in a replay.
        demo: Whether the built-in demo sound plays.
    """
    values: Line = {
        "event_type": told.event_type,
        "source": told.source,
        "t_s": seconds(told.decided),
        "onset_s": seconds(told.start),
        "episode": told.episode if episode is None else episode,
        "p_cry": probability(told.p_cry),
        "reason": told.reason,
        "reason_p": probability(told.reason_p),
        "latency_ms": told.latency_samples // SAMPLES_PER_MS if latency_ms is None else latency_ms,
    }
    return _line("event", values, message_id, demo=demo)


def replay_tally(tally: Tally) -> Line:
    """Returns the last line: where every sample of all sources went (samples at 16 kHz)."""
    return {
        "kind": "tally",
        "captured": tally.captured,
        "lost": tally.lost,
        "quiet": tally.quiet,
        "segmented": tally.segmented,
        "held": tally.held,
    }


def seconds(samples: int) -> float:
    """Returns samples at 16 kHz in seconds, as they are told."""
    return round(samples / RATE_HZ, 3)


def _line(kind: str, values: Line, message_id: str | None, *, demo: bool) -> Line:
    line: Line = {"kind": kind, **values}
    if message_id is not None:
        line["id"] = message_id
    if demo:
        line["demo"] = True
    return line
