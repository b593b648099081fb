"""What is told of a cry: pure functions from events and values to MQTT messages, one for each topic of the contract."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitord.household import Episode, Heard
from monitord.tracker import NONE
from monitord.types import RATE_HZ, CryEvent, EventType, Scores, Segment
from service.messages.message import Keep, Message, Node, by_reason, distress, iso_utc, json_message, probability
from service.messages.texts import Text


def episode_id(source: str, started_at: float, number: int) -> str:
    """Names an episode for ever: source, wall time of its first sound (Unix seconds), number since the start."""
    return f"{source}-{datetime.fromtimestamp(started_at, UTC):%Y%m%dT%H%M%SZ}-{number}"


def event_id(node: Node, episode: Episode, event_type: EventType) -> str:
    """Names an event for ever.

    The end of an episode has the same id however often it is told: a daemon that is killed between the telling and its
    note of it tells the end again when it is back, and receivers drop that one as they drop every double.

    Args:
        node: Who speaks.
        episode: The wall time of its first sound counts to the last bit: a machine without a clock of its own may
            begin each of its lives at the same second, and so have two episodes of one name.
        event_type: Only `ended` is ever told by two lives of the daemon.
    """
    if event_type == "ended":
        return uuid.uuid5(uuid.NAMESPACE_URL, f"{node.root}/{episode.id}/{episode.since!r}/ended").hex
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Telling:
    """What is told of an event beside the event and its episode."""

    message_id: str
    """Unique for ever: receivers drop doubles by it."""
    ts: float
    """Wall time of the last sample that the decision rests on, or of a decision by hand (Unix seconds)."""
    told: float
    """Wall time at which it is told (Unix seconds)."""
    room: str
    """What people call the source."""
    text: Text
    """What a parent reads."""
    profile: str = "day"
    alert: bool = False
    """Whether a phone should make a noise now."""
    unacknowledged_s: float = 0.0
    """How long nobody has answered (seconds)."""
    more: Mapping[str, object] = field(default_factory=dict)
    """What only some events say: `cause` of an end, of an acknowledgement `by` (whom) or `snoozed_until`."""


def event(node: Node, event: CryEvent, episode: Episode, telling: Telling, labels: Mapping[str, str]) -> Message:
    """`<source>/event`; its sender adds `latency_publish_ms`, from `ts` to the sending.

    Args:
        node: Who speaks.
        event: Its `source` names the topic.
        episode: That it belongs to; a test alarm's has no rooms.
        telling: The rest.
        labels: Words on the buttons of a notification.
    """
    values: dict[str, object] = {
        "event_type": event.event_type,
        "id": telling.message_id,
        "episode": episode.id,
        "ts": iso_utc(telling.ts),
        "p_cry": probability(event.p_cry),
        "reason": event.reason,
        "reason_p": probability(event.reason_p),
        "distress": distress(event.distress),
        "latency_ms": latency_ms(episode.since, telling.told),
        "latency_end_ms": latency_ms(telling.ts, telling.told),
        "node": node.name,
        "source": event.source,
        "room": telling.room,
        "rooms": episode.rooms or [event.source],
        "since": iso_utc(episode.since),
        "profile": telling.profile,
        "alert": telling.alert,
        # A phone shows it and nobody has answered: then a change of it is worth showing, without a noise.
        "alerted": episode.alerted and not episode.acknowledged,
        "unacknowledged_s": round(telling.unacknowledged_s),
        "text": {"title": telling.text.title, "message": telling.text.message, **labels},
    }
    values |= telling.more
    if event.event_type == "test":
        values["test"] = True
    keep = Keep.ALARM if event.event_type == "started" else Keep.EVENT
    return json_message(node, f"{node.root}/{event.source}/event", values, keep)


def latency_ms(since: float, told: float) -> int:
    """Returns the milliseconds from one wall time to another (Unix seconds), at least 0: clocks may be put back."""
    return max(0, round((told - since) * 1000))


def state(
    node: Node, source: str, since: float | None, episode: Episode | None = None, last: CryEvent | None = None
) -> Message:
    """`<source>/state`.

    Args:
        node: Who speaks.
        source: Id of the source.
        since: Wall time at which this state began (Unix seconds); None before the first sound.
        episode: That the source is crying in; None while there is none.
        last: Newest event of that episode.
    """
    values = {
        "crying": episode is not None,
        "reason": NONE if last is None else last.reason,
        "reason_p": probability(0.0 if last is None else last.reason_p),
        "distress": None if episode is None else distress(episode.distress),
        "since": None if since is None else iso_utc(since),
        "episode": None if episode is None else episode.id,
        "acknowledged": episode is not None and episode.acknowledged,
    }
    return json_message(node, f"{node.root}/{source}/state", values, Keep.LATEST)


def segment(
    node: Node, heard: Segment, scores: Scores, *, message_id: str, episode: Episode | None, reason: str
) -> Message:
    """`<source>/segment`: the labelled event of the method.

    Args:
        node: Who speaks.
        heard: The cry segment; its `at` is the `ts`.
        scores: Pooled over the segment's windows.
        message_id: Unique for ever.
        episode: The open one; None for a cry outside of one.
        reason: One of `REASONS`, or `unsure`.
    """
    values: dict[str, object] = {
        "id": message_id,
        "episode": None if episode is None else episode.id,
        "ts": iso_utc(heard.at),
        "duration_s": round(len(heard.samples) / RATE_HZ, 3),
        "p_cry": probability(scores.p_cry),
        "reason": reason,
        "reasons": by_reason(scores.reasons),
        "distress": distress(scores.distress),
    }
    return json_message(node, f"{node.root}/{heard.source}/segment", values, Keep.SEGMENT)


def episode(node: Node, source: str, episode: Episode, last: CryEvent, ended: float | None = None) -> Message:
    """`<source>/episode`: attributes of the current or last episode.

    Args:
        node: Who speaks.
        source: Id of a source that hears or heard it.
        episode: That it is about.
        last: Its newest event.
        ended: Wall time of its end (Unix seconds); None while it lasts.
    """
    teller = episode.heard.get(episode.told_by, Heard(0.0))
    values = {
        "episode": episode.id,
        "since": iso_utc(episode.since),
        "ended": None if ended is None else iso_utc(ended),
        "duration_s": None if ended is None else round(ended - episode.since, 1),
        "p_cry": probability(last.p_cry),
        "reason": last.reason,
        "reason_p": probability(last.reason_p),
        "reasons": by_reason(last.reasons),
        "distress": distress(episode.distress),
        "rooms": episode.rooms,
        "acknowledged": episode.acknowledged,
        "answered_by": episode.answered_by,
        "told_up_to": teller.told_up_to,
        "loudness_db": round(teller.peak_db, 1),
    }
    return json_message(node, f"{node.root}/{source}/episode", values, Keep.LATEST)


def today(node: Node, source: str, values: Mapping[str, object]) -> Message:
    """`<source>/today`: episodes and minutes of crying of this day, as `service.alerts.today` counts them."""
    return json_message(node, f"{node.root}/{source}/today", values, Keep.LATEST)


def spectrogram(node: Node, source: str, png: bytes) -> Message:
    """`<source>/spectrogram`: a picture of the last cry sound."""
    return Message(f"{node.root}/{source}/spectrogram", png, retain=True, qos=1, keep=Keep.LATEST)


def proof(node: Node, source: str, values: Mapping[str, object]) -> Message:
    """`<source>/proof`: the last test alarm, as `service.alerts.test_alarm` keeps it."""
    return json_message(node, f"{node.root}/{source}/proof", values, Keep.LATEST)
