"""What goes over one connection: what was answered, and what waits for its answer."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paho.mqtt.reasoncodes import ReasonCode

from service.mqtt.errors import FIRST_REFUSAL

RECENT_S = 1.0
"""How long what needs no acknowledgement (QoS 0) counts as what the broker may have hung up for (seconds)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one PUBLISH or SUBSCRIBE."""

    number: int
    """What `publish` or `subscribe` returned."""
    key: str
    """What `publish` was given, or `subscription` of the filter."""
    topic: str
    refusal: str
    """In the broker's words; empty where it said yes."""
    code: int
    """MQTT reason code; 128 and more is a refusal."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent."""

    key: str
    topic: str
    size: int = 0
    """Bytes of the packet; 0 for a subscription."""

    @property
    def words(self) -> str:
        """For a person."""
        return f"{self.topic} ({self.size:,} bytes)" if self.size else f"the subscription of {self.topic}"


class Unanswered:
    """What the broker has not answered yet, in the order in which it was sent."""

    def __init__(self) -> None:
        self._sent: dict[int, Sequence[Sent]] = {}  # by number
        self._unproven: dict[str, tuple[Sent, float]] = {}  # by key, and when it was sent (monotonic seconds)
        self._answered_at = 0.0  # when the broker last answered, or had nothing to answer (monotonic seconds)

    def __len__(self) -> int:
        return len(self._sent)

    def put(self, number: int, sent: Sequence[Sent]) -> None:
        """These were sent under this number."""
        if not self._sent:
            self._answered_at = time.monotonic()
        self._sent[number] = sent

    def put_unproven(self, sent: Sent) -> None:
        """This was sent, and needs no answer."""
        self._unproven[sent.key] = (sent, time.monotonic())

    def take(self, number: int, reasons: Sequence[ReasonCode]) -> list[Answer]:
        """The broker answered this number."""
        self._answered_at = time.monotonic()
        return [
            Answer(number, sent.key, sent.topic, str(reason) if reason.value >= FIRST_REFUSAL else "", reason.value)
            for sent, reason in zip(self._sent.pop(number, []), reasons, strict=False)
        ]

    @property
    def still_s(self) -> float:
        """For how long something has waited and nothing was answered (seconds)."""
        return time.monotonic() - self._answered_at if self._sent else 0.0

    @property
    def words(self) -> str:
        """What waits, for a person; empty where nothing does."""
        if not self._sent:
            return ""
        more = f" and {len(self._sent) - 1} more" if len(self._sent) > 1 else ""
        return f"{next(iter(self._sent.values()))[0].words}{more}"

    @property
    def suspects(self) -> Mapping[str, str]:
        """What the broker may hang up for, in words by key: what waits, else what just went without an answer."""
        if waiting := {sent.key: sent.words for all_sent in self._sent.values() for sent in all_sent}:
            return waiting
        since = time.monotonic() - RECENT_S
        return {key: sent.words for key, (sent, at) in self._unproven.items() if at > since}


def subscription(topic: str) -> str:
    """Returns the key under which a filter is asked for."""
    return f"subscribe {topic}"
