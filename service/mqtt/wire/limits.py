"""What a broker takes, as it says in its answer to CONNECT (MQTT 5, 3.2.2.3), and how a message is made to fit.

Topic aliases are the one limit that needs no word here: we send none, so every maximum of them is kept.
"""

from dataclasses import dataclass, replace
from typing import Final, Self

from paho.mqtt.properties import Properties

from service.messages.message import Message

LARGEST_PACKET: Final = 268_435_460
"""Bytes: what MQTT itself allows, five of header and 2^28 - 1 after them (MQTT 5, 2.1.4)."""

LEAST_PACKET: Final = 1_024
"""Bytes that a broker must take for alarms to get through: one with its texts, its room and its node has about 800."""

UNDER_WAY: Final = 20
"""Messages that wait for their acknowledgement at once, where the broker allows more: mosquitto's own default."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one broker takes. The default is a broker that says nothing: all that MQTT allows."""

    packet_bytes: int = LARGEST_PACKET
    """Of a whole packet, header and topic included."""
    under_way: int = UNDER_WAY
    """Messages of QoS 1 that may wait for their acknowledgement at once."""
    acknowledges: bool = True
    """Whether it takes QoS 1."""
    retains: bool = True
    """Whether it keeps what is retained."""
    wildcards: bool = True
    """Whether it takes `+` in a subscription."""
    keepalive_s: int | None = None
    """What it wants as the longest silence (seconds); None: ours will do."""

    @classmethod
    def told(cls, properties: Properties | None) -> Self:
        """Reads the properties of a CONNACK; what is not said is not limited."""

        def said(name: str, otherwise: int) -> int:
            return int(getattr(properties, name, otherwise))

        keepalive_s = said("ServerKeepAlive", -1)
        return cls(
            packet_bytes=said("MaximumPacketSize", LARGEST_PACKET),
            under_way=max(1, min(UNDER_WAY, said("ReceiveMaximum", UNDER_WAY))),
            acknowledges=said("MaximumQoS", 1) > 0,
            retains=bool(said("RetainAvailable", 1)),
            wildcards=bool(said("WildcardSubscriptionAvailable", 1)),
            keepalive_s=keepalive_s if keepalive_s >= 0 else None,
        )

    def fitted(self, message: Message) -> Message:
        """Returns the message without what this broker would close the connection for."""
        qos = message.qos if self.acknowledges else 0
        return replace(message, qos=qos, retain=message.retain and self.retains)

    @property
    def lacks(self) -> str:
        """What it cannot do and we can live without, and what that costs, for a person; empty where that is nothing."""
        costs = [
            *([] if self.retains else ["retained messages: who connects later knows nothing until the next change"]),
            *([] if self.acknowledges else ["QoS 1: what a receiver misses is not told again"]),
        ]
        return f"the broker has no {', and no '.join(costs)}" if costs else ""


def packet_bytes(message: Message, *, v5: bool) -> int:
    """Returns the size of the PUBLISH packet (bytes; MQTT 5, 3.3)."""
    payload = message.payload
    body = 2 + len(message.topic.encode())
    body += 2 if message.qos else 0  # packet identifier
    body += 1 if v5 else 0  # length of the properties, of which there are none
    body += len(payload if isinstance(payload, bytes) else payload.encode())
    return 1 + max(1, -(-body.bit_length() // 7)) + body
