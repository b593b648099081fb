"""What is told: pure functions from values and events to MQTT messages, one function per topic of the contract."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from monitord.gate import SILENCE_DBFS
from monitord.tally import Tally
from monitord.types import RATE_HZ, REASONS, CryEvent, Scores, Segment

SAMPLES_PER_MS = RATE_HZ // 1000
"""Samples in a millisecond at the rate inside the house."""

P_DIGITS = 4
"""Decimals of a told probability: finer than any calibration."""

ONLINE = "online"
OFFLINE = "offline"


class Keep(IntEnum):
    """How long a message waits for a broker that is away. Of what is kept on disk, the lowest goes first when full."""

    LIVE = 0
    """Not at all: told late it would be a lie (level, heartbeat)."""
    LATEST = 1
    """The newest of each topic, in memory, told again on every connection (all that is retained)."""
    SEGMENT = 2
    """On disk: telemetry."""
    EVENT = 3
    """On disk."""
    ALARM = 4
    """On disk, goes last: `started`."""


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT message, ready to send."""

    topic: str
    payload: str | bytes
    """Compact JSON, or a bare word; bytes are a picture."""
    retain: bool
    qos: int
    """0 or 1."""
    keep: Keep


@dataclass(frozen=True, slots=True)
class Node:
    """Who speaks: one daemon."""

    name: str
    """From the configuration, `[a-z0-9_]+`."""
    demo: bool = False
    """Whether it plays the built-in demo sound; then every JSON payload says so."""

    @property
    def root(self) -> str:
        """Topic under which everything of this node stands."""
        return f"monitord/{self.name}"


def iso_utc(at: float) -> str:
    """Writes wall time `at` (Unix seconds) as ISO 8601 in UTC with milliseconds."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def episode_id(source: str, started_at: float, number: int) -> str:
    """Names an episode for ever: source, wall time of its first sound (Unix seconds), number since the start."""
    return f"{source}-{datetime.fromtimestamp(started_at, UTC):%Y%m%dT%H%M%SZ}-{number}"


def probability(p: float) -> float:
    """Rounds a probability as it is told."""
    return round(float(p), P_DIGITS)


def by_reason(reasons: Sequence[float] | NDArray[np.float32]) -> dict[str, float]:
    """Names the probabilities that stand in the order of `REASONS`; empty stays empty."""
    return {reason: probability(p) for reason, p in zip(REASONS, reasons, strict=True)} if len(reasons) else {}


def node_status(node: Node, *, online: bool) -> Message:
    """`status`: also the last will."""
    return Message(f"{node.root}/status", ONLINE if online else OFFLINE, retain=True, qos=1, keep=Keep.LATEST)


def heartbeat(node: Node, *, ts: float, uptime_s: float, sources_ok: int, sources_total: int, lag_ms: float) -> Message:
    """`heartbeat`: sent by the worker, so that a stuck worker cannot send it.

    Args:
        node: Who speaks.
        ts: Wall time (Unix seconds).
        uptime_s: Since the daemon started.
        sources_ok: Sources that are heard.
        sources_total: Sources configured.
        lag_ms: Age of the newest sound that was scored.
    """
    values = {
        "ts": iso_utc(ts),
        "uptime_s": round(uptime_s),
        "sources_ok": sources_ok,
        "sources_total": sources_total,
        "lag_ms": round(lag_ms),
    }
    return _json(node, f"{node.root}/heartbeat", values, Keep.LIVE)


def info(node: Node, *, version: str, model: str, model_sha: str, metrics: Mapping[str, object]) -> Message:
    """`info`: which program and which model listen here; `metrics` must be JSON values."""
    values = {"version": version, "model": model, "model_sha": model_sha, "metrics": dict(metrics)}
    return _json(node, f"{node.root}/info", values, Keep.LATEST)


def source_status(node: Node, source: str, *, online: bool) -> Message:
    """`<source>/status`."""
    topic = f"{node.root}/{source}/status"
    return Message(topic, ONLINE if online else OFFLINE, retain=True, qos=1, keep=Keep.LATEST)


def state(
    node: Node,
    source: str,
    *,
    crying: bool,
    reason: str = "none",
    reason_p: float = 0.0,
    since: float | None = None,
    episode: str | None = None,
) -> Message:
    """`<source>/state`.

    Args:
        node: Who speaks.
        source: Id of the source.
        crying: Whether an episode is open.
        reason: One of `REASONS`, `unsure` or `none`.
        reason_p: Probability of the likeliest reason.
        since: Wall time at which this state began (Unix seconds); None before the first sound.
        episode: Id of the open episode; None while there is none.
    """
    values = {
        "crying": crying,
        "reason": reason,
        "reason_p": probability(reason_p),
        "since": None if since is None else iso_utc(since),
        "episode": episode,
    }
    return _json(node, f"{node.root}/{source}/state", values, Keep.LATEST)


def event(
    node: Node, told: CryEvent, *, message_id: str, episode: str, ts: float, latency_ms: int | None = None
) -> Message:
    """`<source>/event`.

    Args:
        node: Who speaks.
        told: The event; its `source` names the topic.
        message_id: Unique for ever: receivers drop doubles by it.
        episode: Id of the episode.
        ts: Wall time of the decision (Unix seconds).
        latency_ms: From the first sound to now; None counts the sound alone, without the time to compute.
    """
    values = {
        "event_type": told.event_type,
        "id": message_id,
        "episode": episode,
        "ts": iso_utc(ts),
        "p_cry": probability(told.p_cry),
        "reason": told.reason,
        "reason_p": probability(told.reason_p),
        "latency_ms": told.latency_samples // SAMPLES_PER_MS if latency_ms is None else latency_ms,
        "source": told.source,
    }
    keep = Keep.ALARM if told.event_type == "started" else Keep.EVENT
    return _json(node, f"{node.root}/{told.source}/event", values, keep)


def segment(
    node: Node, heard: Segment, scores: Scores, *, message_id: str, episode: str | None, reason: str
) -> Message:
    """`<source>/segment`: the labelled event of the method.

    Args:
        node: Who speaks.
        heard: The cry segment; its `at` is the `ts`.
        scores: Pooled over the segment's windows.
        message_id: Unique for ever.
        episode: Id of the open episode; None for a cry outside of one.
        reason: One of `REASONS`, or `unsure`.
    """
    values = {
        "id": message_id,
        "episode": episode,
        "ts": iso_utc(heard.at),
        "duration_s": round(len(heard.samples) / RATE_HZ, 3),
        "p_cry": probability(scores.p_cry),
        "reason": reason,
        "reasons": by_reason(scores.reasons),
    }
    return _json(node, f"{node.root}/{heard.source}/segment", values, Keep.SEGMENT)


def episode(
    node: Node,
    source: str,
    *,
    episode: str,
    since: float,
    ended: float | None,
    p_cry: float,
    reason: str,
    reason_p: float,
    reasons: Sequence[float] = (),
) -> Message:
    """`<source>/episode`: attributes of the current or last episode.

    Args:
        node: Who speaks.
        source: Id of the source.
        episode: Id of the episode.
        since: Wall time of its first sound (Unix seconds).
        ended: Wall time of its end (Unix seconds); None while it lasts.
        p_cry: Highest probability so far.
        reason: One of `REASONS`, `unsure` or `none`.
        reason_p: Probability of the likeliest reason.
        reasons: The whole distribution in the order of `REASONS`; empty before the first reason.
    """
    values = {
        "episode": episode,
        "since": iso_utc(since),
        "ended": None if ended is None else iso_utc(ended),
        "duration_s": None if ended is None else round(ended - since, 1),
        "p_cry": probability(p_cry),
        "reason": reason,
        "reason_p": probability(reason_p),
        "reasons": by_reason(reasons),
    }
    return _json(node, f"{node.root}/{source}/episode", values, Keep.LATEST)


def level(node: Node, source: str, *, dbfs: float, floor_dbfs: float) -> Message:
    """`<source>/level`: both in dB re full scale, never under -96. At most one a second; no audio is no message."""
    values = {
        "dbfs": round(max(dbfs, SILENCE_DBFS), 1),
        "floor": round(max(floor_dbfs, SILENCE_DBFS), 1),
    }
    return _json(node, f"{node.root}/{source}/level", values, Keep.LIVE, qos=0)


def health(node: Node, source: str, *, fault: str, tally: Tally, reconnects: int, last_audio: float | None) -> Message:
    """`<source>/health`.

    Args:
        node: Who speaks.
        source: Id of the source.
        fault: `ok`, `stalled`, `digital_silence`, `flat`, `clipping`, `reconnecting`, `auth_failed`, `decode_error`.
        tally: Samples at 16 kHz since the start.
        reconnects: How often the source was opened again.
        last_audio: Wall time of the newest sample (Unix seconds); None before the first.
    """
    values = {
        "fault": fault,
        "lost": tally.lost,
        "captured": tally.captured,
        "quiet": tally.quiet,
        "segmented": tally.segmented,
        "held": tally.held,
        "reconnects": reconnects,
        "last_audio": None if last_audio is None else iso_utc(last_audio),
    }
    return _json(node, f"{node.root}/{source}/health", values, Keep.LATEST)


def settings(node: Node, source: str, *, enabled: bool, threshold: float, profile: str) -> Message:
    """`<source>/settings`: what is in force, so that a sender of `set` sees what became of it."""
    values = {"enabled": enabled, "threshold": probability(threshold), "profile": profile}
    return _json(node, f"{node.root}/{source}/settings", values, Keep.LATEST)


def _json(node: Node, topic: str, values: Mapping[str, object], keep: Keep, qos: int = 1) -> Message:
    if node.demo:
        values = {**values, "demo": True}
    payload = json.dumps(values, separators=(",", ":"), allow_nan=False)
    return Message(topic, payload, retain=keep is Keep.LATEST, qos=qos, keep=keep)
