"""What the ends of connections teach for the next one: the version of MQTT, the last will, and whom to blame."""

from dataclasses import replace

from paho.mqtt.enums import MQTTProtocolVersion

from service.messages.message import Message
from service.mqtt.errors import ConnectionOverError
from service.mqtt.suspects import Suspects
from service.mqtt.wire.limits import Limits

STABLE_S = 10.0
"""A connection that lasted as long begins the pauses anew (seconds); two daemons that throw each other out do not."""

SHORT_LIVES = 3
"""So many connections in a row that did not last are no accident: mosquitto 2.0 gives two clients of the same id no
other sign than a connection that is closed."""


class Lessons:
    """Of one client. Used by one thread.

    Args:
        node: Its node's name.
        will: What the broker says when we vanish.
        suspects: Which message may be the one that breaks the connection.
    """

    def __init__(self, node: str, will: Message, suspects: Suspects) -> None:
        self.version = MQTTProtocolVersion.MQTTv5
        """For the next connection: 5 unless the broker said no to it; once 3.1.1 after it hung up on 5 in silence."""
        self._twin = f"; again and again: does a second monitord have the node name {node!r}?"
        self._will = will
        self._will_as = Limits()  # what the broker takes of it
        self._suspects = suspects
        self._only_v311 = False
        self._short_lives = 0
        self._idle = False  # whether one of those ended while nothing of ours was under way

    @property
    def will(self) -> Message:
        """The last will as the broker takes it."""
        return self._will_as.fitted(self._will)

    def learn(self, error: ConnectionOverError, lasted_s: float) -> bool:
        """Takes the end of a connection that lasted so long; returns whether the next may begin at once."""
        self._count(error, lasted_s)
        match error.kind:
            case "unreachable":
                self._suspects.absent()
            case "mute":
                self._suspects.mute()
        before = (self.version, self._will_as)
        if error.kind == "no_retain":
            self._will_as = replace(self._will_as, retains=False)
        elif error.kind == "no_qos":
            self._will_as = replace(self._will_as, acknowledges=False)
        self._choose_version(error)
        return error.kind in {"wrong_version", "no_retain", "no_qos"} and before != (self.version, self._will_as)

    def words(self, error: ConnectionOverError) -> str:
        """The end for a person; where something of ours was under way each time, the broker did not like that."""
        return f"{error}{self._twin if self._short_lives >= SHORT_LIVES and self._idle else ''}"

    def _count(self, error: ConnectionOverError, lasted_s: float) -> None:
        if error.kind == "lost" and lasted_s < STABLE_S:
            self._short_lives += 1
            self._idle |= error.idle
        else:
            self._short_lives, self._idle = 0, False

    def _choose_version(self, error: ConnectionOverError) -> None:
        self._only_v311 |= error.kind == "wrong_version"
        hung_up_on_v5 = error.kind == "unanswered" and self.version is MQTTProtocolVersion.MQTTv5
        older = self._only_v311 or hung_up_on_v5
        self.version = MQTTProtocolVersion.MQTTv311 if older else MQTTProtocolVersion.MQTTv5
