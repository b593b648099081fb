"""What all parts of the reporter share: who speaks, what the rooms are called, and where it goes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from monitord.types import CryEvent
from service.messages import cry_messages
from service.messages.cry_messages import Telling
from service.messages.json_lines import Line, replay_event
from service.messages.message import Message, Node
from service.messages.texts import Texts
from service.notify.notice import Notice, severity_of


class Screen(Protocol):
    """Who shows a person, or a script, what happens."""

    def line(self, line: Line) -> None:
        """A segment or an event, as `replay` prints it, with the id that MQTT carries."""

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """The level of a source, once a second."""


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

    def show(self, line: Line, *, durable: bool) -> None:
        """Shows a line; one that no disk took says so, for a script may rely on what it reads."""
        self.screen.line(line if durable else {**line, "durable": False})

    def tell(self, event: CryEvent, telling: Telling) -> None:
        """Tells an event to all three, MQTT first."""
        message = cry_messages.event(self.node, event, telling, self.texts.labels)
        assert isinstance(message.content, Mapping)
        durable = self.send(message)
        line = replay_event(
            event,
            message_id=telling.message_id,
            episode=telling.episode,
            latency_ms=telling.latency_ms,
            demo=self.node.demo,
        )
        self.show(line, durable=durable)
        self.notify(
            Notice(
                event.event_type,
                event.source,
                tag=telling.episode,
                title=telling.text.title,
                message=telling.text.message,
                severity=severity_of(event.event_type, alert=telling.alert),
                payload=message.content,
                at=telling.told,
            )
        )
