"""What is told of a cry: pure functions from events and values to MQTT messages, one for each topic of the contract."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitord.types import RATE_HZ, CryEvent, EventType, Scores, Segment
from service.messages.message import Keep, Message, Node, by_reason, iso_utc, json_message, probability
from service.messages.texts import Text


def episode_id(source: str, started_at: float, number: int) -> str:
    """Names an episode for ever: source, wall time of its first sound (Unix seconds), number since the start."""
    return f"{source}-{datetime.fromtimestamp(started_at, UTC):%Y%m%dT%H%M%SZ}-{number}"


def event_id(node: Node, episode: str, since: float, event_type: EventType) -> str:
    """Names an event for ever.

    The end of an episode has the same id however often it is told: a daemon that is killed between the telling and its
    note of it tells the end again when it is back, and receivers drop that one as they drop every double.

    Args:
        node: Who speaks.
        episode: Its id.
        since: Wall time of its first sound (Unix seconds), to the last bit: a machine without a clock of its own may
            begin each of its lives at the same second, and so have two episodes of one name.
        event_type: Only `ended` is ever told by two lives of the daemon.
    """
    if event_type == "ended":
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{node.root}/{episode}/{since!r}/ended").hex
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of an event beside the event itself."""

    message_id: str
    """Unique for ever: receivers drop doubles by it."""
    episode: str
    """Id of the episode."""
    since: float
    """Wall time of the episode's first sound (Unix seconds)."""
    ts: float
    """Wall time of the last sample that the decision rests on, or of a decision by hand (Unix seconds)."""
    told: float
    """Wall time at which it is told (Unix seconds)."""
    room: str
    """What people call the source."""
    text: Text
    """What a parent reads."""
    rooms: tuple[str, ...] = ()
    """Sources that hear the episode, the loudest first."""
    profile: str = "day"
    alert: bool = False
    """Whether a phone should make a noise now."""
    alerted: bool = False
    """Whether a phone shows it and nobody has answered: then a change of it is worth showing, without a noise."""
    unacknowledged_s: float = 0.0
    """How long nobody has answered (seconds)."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What only some events say: `cause` of an end, `snoozed_until` of an acknowledgement."""

    @property
    def latency_ms(self) -> int:
        """From the first sound to the telling."""
        return max(0, round((self.told - self.since) * 1000))

    @property
    def latency_end_ms(self) -> int:
        """From the last sample that the decision rests on to the telling."""
        return max(0, round((self.told - self.ts) * 1000))


def event(node: Node, event: CryEvent, telling: Telling, labels: Mapping[str, str]) -> Message:
    """`<source>/event`; its sender adds `latency_publish_ms`, from `ts` to the sending.

    Args:
        node: Who speaks.
        event: Its `source` names the topic.
        telling: The rest.
        labels: Words on the buttons of a notification.
    """
    values: dict[str, object] = {
        "event_type": event.event_type,
        "id": telling.message_id,
        "episode": telling.episode,
        "ts": iso_utc(telling.ts),
        "p_cry": probability(event.p_cry),
        "reason": event.reason,
        "reason_p": probability(event.reason_p),
        "latency_ms": telling.latency_ms,
        "latency_end_ms": telling.latency_end_ms,
        "node": node.name,
        "source": event.source,
        "room": telling.room,
        "rooms": list(telling.rooms or (event.source,)),
        "since": iso_utc(telling.since),
        "profile": telling.profile,
        "alert": telling.alert,
        "alerted": telling.alerted,
        "unacknowledged_s": round(telling.unacknowledged_s),
        "text": {"title": telling.text.title, "message": telling.text.message, **labels},
    }
    values |= telling.more
    if event.event_type == "test":
        values["test"] = True
    keep = Keep.ALARM if event.event_type == "started" else Keep.EVENT
    return json_message(node, f"{node.root}/{event.source}/event", values, keep)


def state(
    node: Node,
    source: str,
    *,
    crying: bool,
    reason: str = "none",
    reason_p: float = 0.0,
    since: float | None = None,
    episode: str | None = None,
    acknowledged: bool = False,
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
        acknowledged: Whether somebody is on the way.
    """
    values = {
        "crying": crying,
        "reason": reason,
        "reason_p": probability(reason_p),
        "since": None if since is None else iso_utc(since),
        "episode": episode,
        "acknowledged": acknowledged,
    }
    return json_message(node, f"{node.root}/{source}/state", values, Keep.LATEST)


def segment(
    node: Node,
    heard: Segment,
    scores: Scores,
    *,
    message_id: str,
    episode: str | None,
    reason: str,
    test: bool = False,
) -> Message:
    """`<source>/segment`: the labelled event of the method.

    Args:
        node: Who speaks.
        heard: The cry segment; its `at` is the `ts`.
        scores: Pooled over the segment's windows.
        message_id: Unique for ever.
        episode: Id of the open episode; None for a cry outside of one.
        reason: One of `REASONS`, or `unsure`.
        test: Whether it belongs to a test alarm.
    """
    values: dict[str, object] = {
        "id": message_id,
        "episode": episode,
        "ts": iso_utc(heard.at),
        "duration_s": round(len(heard.samples) / RATE_HZ, 3),
        "p_cry": probability(scores.p_cry),
        "reason": reason,
        "reasons": by_reason(scores.reasons),
    }
    if test:
        values["test"] = True
    return json_message(node, f"{node.root}/{heard.source}/segment", values, Keep.SEGMENT)


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
    rooms: Sequence[str] = (),
    acknowledged: bool = False,
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
        rooms: Sources that hear it, the loudest first.
        acknowledged: Whether somebody is on the way.
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
        "rooms": list(rooms or (source,)),
        "acknowledged": acknowledged,
    }
    return json_message(node, f"{node.root}/{source}/episode", values, Keep.LATEST)


def today(node: Node, source: str, values: Mapping[str, object]) -> Message:
    """`<source>/today`: episodes and minutes of crying of this day, as `service.alerts.today` counts them."""
    return json_message(node, f"{node.root}/{source}/today", values, Keep.LATEST)


def spectrogram(node: Node, source: str, png: bytes) -> Message:
    """`<source>/spectrogram`: a picture of the last cry sound."""
    return Message(f"{node.root}/{source}/spectrogram", png, retain=True, qos=1, keep=Keep.LATEST)


def proof(node: Node, source: str, values: Mapping[str, object]) -> Message:
    """`<source>/proof`: the last test alarm, as `service.proof` keeps it."""
    return json_message(node, f"{node.root}/{source}/proof", values, Keep.LATEST)
