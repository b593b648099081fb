"""What all parts of the reporter share: who speaks, what the rooms are called, and where it goes."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitord.household import Episode
from monitord.intensity import is_hard
from monitord.types import CryEvent
from service.messages import cry_messages
from service.messages.cry_messages import Telling
from service.messages.json_lines import Line, live_line, replay_event
from service.messages.message import Message, Node
from service.messages.texts import Kind, Texts
from service.notify.notice import Notice, severity_of
from service.terminal.journal import Screen


@dataclass(frozen=True, slots=True)
class Publisher:
    """Tells MQTT, the screen, and phones without Home Assistant."""

    node: Node
    """Who speaks."""
    names: Mapping[str, str]
    """What people call each source, by id."""
    texts: Texts
    """In the family's language."""
    send: Callable[[Message], bool]
    """Makes a message durable where it must be, and sends it; returns whether it is kept until it is there."""
    screen: Screen
    """Shows it; only after `send`."""
    notify: Callable[[Notice], None]
    """Tells phones, beside MQTT; returns at once."""

    def publish(self, message: Message, line: Line, message_id: str, **told: object) -> None:
        """Sends a message, then shows it; what no disk took says so, for a script may rely on what it reads.

        Args:
            message: For MQTT.
            line: The same as a replay prints it.
            message_id: Unique for ever.
            told: As of `live_line`.
        """
        durable = self.send(message)
        line = live_line(self.node, line, message_id, **told)
        self.screen.line(line if durable else {**line, "durable": False})

    def tell(
        self,
        event: CryEvent,
        episode: Episode,
        ts: float,
        kind: Kind | None = None,
        *,
        profile: str = "day",
        alert: bool,
        until: float = 0.0,
        **more: object,
    ) -> None:
        """Tells an event to all three, MQTT first.

        Args:
            event: Of the room that tells the episode.
            episode: That it belongs to.
            ts: Wall time of the decision (Unix seconds).
            kind: In whose words it is told; None: in those of its type.
            profile: Of the room.
            alert: Whether a phone should make a noise now.
            until: `snoozed`: wall time of its end (Unix seconds).
            more: Goes into the payload: `cause` of an end, `by` or `snoozed_until` of an acknowledgement.
        """
        told, room = time.time(), self.names[event.source]
        unacknowledged_s = 0.0 if episode.acknowledged else time.monotonic() - episode.told_at
        text = self.texts.say(
            kind or event.event_type,
            room=room,
            since=episode.since,
            lasted_s=unacknowledged_s if event.event_type == "escalated" else ts - episode.since,
            until=until,
            reason=event.reason,
            hard=is_hard(event.distress),
        )
        message_id = cry_messages.event_id(self.node, episode, event.event_type)
        telling = Telling(message_id, ts, told, room, text, profile, alert, unacknowledged_s, more)
        message = cry_messages.event(self.node, event, episode, telling, self.texts.labels)
        assert isinstance(message.content, Mapping)
        latency_ms = cry_messages.latency_ms(episode.since, told)
        self.publish(message, replay_event(event), message_id, episode=episode.id, latency_ms=latency_ms)
        severity = severity_of(event.event_type, alert=alert)
        self.notify(
            Notice(
                event.event_type, event.source, episode.id, text.title, text.message, severity, told, message.content
            )
        )
