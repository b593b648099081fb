"""What one broker does not take of what we tell, in words for a person."""

from typing import Final

from service.messages.message import Message
from service.mqtt.suspects import Suspects
from service.mqtt.wire.connection import Connection
from service.mqtt.wire.exchange import Answer

NAMED: Final = 4
"""So many topics are named; more are counted: a house of 20 rooms would fill a screen."""


class Shortages:
    """Of one connection. Used by one thread.

    Args:
        connection: Connected.
        suspects: Says what is set aside.
    """

    def __init__(self, connection: Connection, suspects: Suspects) -> None:
        self._connection = connection
        self._suspects = suspects
        self._refused: dict[str, str] = {}  # the broker's words by topic
        self._left_out: dict[str, int] = {}  # bytes by topic

    def take(self, answer: Answer) -> None:
        """Learns from an answer of the broker."""
        if answer.refusal:
            self._refused[answer.topic] = answer.refusal
        else:
            self._refused.pop(answer.topic, None)

    def leave_out(self, message: Message) -> None:
        """The message is larger than the broker takes; said once of a topic, whatever the size of the next one."""
        self._left_out.setdefault(message.topic, self._connection.size(message))

    @property
    def words(self) -> str:
        """What is not told, and why; empty where the broker takes everything."""
        told = []
        if self._refused:
            refused = _list([f"{topic} ({refusal})" for topic, refusal in sorted(self._refused.items())])
            told.append(f"the broker refuses {refused}; check the rights of this user there")
        if self._left_out:
            sizes = _list([f"{topic} ({size:,} bytes)" for topic, size in sorted(self._left_out.items())])
            most = f"{self._connection.limits.packet_bytes:,} bytes"
            told.append(
                f"the broker takes messages of at most {most}, so these are not told: {sizes}; raise its limit"
                " (mosquitto: max_packet_size)"
            )
        if aside := self._suspects.words:
            told.append(f"the broker closes the connection whenever it gets {aside}: set aside, the rest goes on")
        if lacks := self._connection.limits.lacks:
            told.append(lacks)
        return "; ".join(told)


def _list(items: list[str]) -> str:
    more = len(items) - NAMED
    return ", ".join(items[:NAMED]) + (f" and {more} more" if more > 0 else "")
