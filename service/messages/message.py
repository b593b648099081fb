"""What one MQTT message is, who speaks, and how values are written in it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS

P_DIGITS = 4
"""Decimals of a told probability: finer than any calibration."""


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
    content: Mapping[str, object] | str | bytes
    """JSON values, a bare word, or a picture: values stay values until they leave this process."""
    retain: bool
    qos: int
    """0 or 1."""
    keep: Keep

    @property
    def payload(self) -> str | bytes:
        """What is sent: values as compact JSON."""
        if isinstance(self.content, Mapping):
            return json.dumps(self.content, separators=(",", ":"), allow_nan=False)
        return self.content


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


def probability(p: float) -> float:
    """Rounds a probability as it is told."""
    return round(float(p), P_DIGITS)


def distress(p: float | None) -> float | None:
    """Rounds how hard it is cried as it is told; None, which is null, where nobody knows."""
    return None if p is None else probability(p)


def by_reason(reasons: Sequence[float] | NDArray[np.float32]) -> dict[str, float]:
    """Names the probabilities that stand in the order of `REASONS`; empty stays empty."""
    return {reason: probability(p) for reason, p in zip(REASONS, reasons, strict=True)} if len(reasons) else {}


def json_message(node: Node, topic: str, values: Mapping[str, object], keep: Keep, qos: int = 1) -> Message:
    """Makes a message of JSON values; in demo mode they say so."""
    if node.demo:
        values = {**values, "demo": True}
    return Message(topic, values, retain=keep is Keep.LATEST, qos=qos, keep=keep)
