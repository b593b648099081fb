"""A short look at the broker: what it keeps, read up to a sentinel, and a few messages that it has to take."""

import math
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from monitord.errors import MonitordError
from service.messages.message import Keep, Message
from service.mqtt.errors import ConnectionOverError
from service.mqtt.settings import MqttSettings, read_credentials
from service.mqtt.wire.connection import Connection
from service.mqtt.wire.exchange import Answer
from service.ward.claim import ROOT
from service.ward.settings import load_ward

WAIT_S: Final = 10.0
"""Longest wait for the sentinel, and for what the broker has to take (seconds), as for an acknowledgement."""

_PUMP_S: Final = 0.1
"""Longest wait in one look (seconds)."""


@contextmanager
def connected(mqtt: MqttSettings, *, keepalive_s: int = 10) -> Iterator[Connection]:
    """A connection of one's own.

    Raises:
        ConnectionOverError: There is none, or it ended.
        ConfigError: A password or certificate file cannot be used.
    """
    connection = Connection(
        mqtt,
        read_credentials(mqtt),
        client_id=f"monitord-ward-{uuid.uuid4().hex[:12]}",
        will=None,
        keepalive_s=keepalive_s,
    )
    with connection:
        connection.connect()
        yield connection


def read_kept(
    connection: Connection, filters: Sequence[str], forgets_s: dict[str, float] | None = None
) -> dict[str, bytes]:
    """Returns what the broker keeps under these filters, by topic.

    Args:
        connection: Connected.
        filters: What is subscribed.
        forgets_s: Takes, by topic, for how long it keeps what it will forget (seconds).

    Raises:
        ConnectionOverError: The connection ended, or the sentinel did not come back.
    """
    sentinel = f"{ROOT}/read/{uuid.uuid4().hex}"
    connection.subscribe([*filters, sentinel])
    connection.publish(Message(sentinel, "read", retain=False, qos=1, keep=Keep.LIVE))
    kept: dict[str, bytes] = {}
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        connection.pump(_PUMP_S)
        if any(answer.topic == sentinel and answer.refusal for answer in connection.answers):
            break
        connection.answers.clear()
        while connection.incoming:
            came = connection.incoming.popleft()
            if came.topic == sentinel:
                return kept
            kept[came.topic] = bytes(came.payload)
            if forgets_s is not None:
                forgets_s[came.topic] = kept_s(came.properties)
    raise ConnectionOverError("mute", f"the broker lets nothing through under {ROOT}/; check the rights of this user")


def kept_s(properties: object) -> float:
    """For how long the broker keeps a message still (seconds): it counts down what the message was given (MQTT 5)."""
    return float(getattr(properties, "MessageExpiryInterval", math.inf))


def refused(mqtt: MqttSettings, answer: Answer) -> ConnectionOverError:
    """What to tell a person whose user lacks a right."""
    return ConnectionOverError(
        "refused",
        f"{mqtt.where}: the broker refuses {answer.topic} ({answer.refusal}); give this user the rights of a ward, see"
        " docs/developers/ward.md",
    )


def publish_all(connection: Connection, messages: Sequence[Message]) -> Mapping[str, str]:
    """Publishes these, waits until each was answered, and returns what was refused, and why, by topic.

    Raises:
        ConnectionOverError: The connection ended before.
    """
    for message in messages:
        connection.publish(message)
    refused = {}
    while connection.unanswered:
        connection.pump(_PUMP_S)
        while connection.answers:
            answer = connection.answers.popleft()
            if answer.refusal:
                refused[answer.topic] = answer.refusal
    return refused


def reaches_broker(path: str) -> bool:
    """Whether a shard of this ward's file could hear on this machine: the broker lets it read and write claims, too.

    A machine that is merely let in would have the shard move there, and from there on, for ever.
    """
    try:
        with connected(load_ward(Path(path).expanduser()).mqtt) as connection:
            read_kept(connection, [])
            return connection.limits.retains
    except (ConnectionOverError, MonitordError):
        return False
