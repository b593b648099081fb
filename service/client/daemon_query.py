"""A connection to a daemon's broker from another terminal: it hears what the daemon says, and may give a command."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from paho.mqtt.enums import MQTTProtocolVersion

from monitord.errors import ConfigError
from service.config import Config
from service.messages.message import Keep, Message
from service.mqtt.errors import ConnectionOverError
from service.mqtt.settings import read_credentials
from service.mqtt.wire.connection import Connection

RETAINED_S: Final = 0.7
"""Silence after the answer to the subscription, by which every retained message has come (seconds): on a loopback or
home network they come in one go."""

LISTEN_S: Final = 0.1
"""Longest that one look counts as silence (seconds): a process that had to wait for its processor did not listen."""

KEEPALIVE_S: Final = 30
"""Longest silence on the connection (seconds): nobody relies on our end being noticed."""

Told = dict[str, str]
"""Payload by topic, without the node's root."""


class NoBrokerError(Exception):
    """No broker answers, or not any more: there is nothing to be mended in a file, and nobody to ask."""


class Question:
    """A connection on which all comes into `told`."""

    def __init__(self, connection: Connection, root: str, told: Told) -> None:
        self._connection, self._root, self._told = connection, root, told

    @property
    def lacks(self) -> str:
        """What the broker cannot do, for a person; empty where that is nothing."""
        return self._connection.limits.lacks

    def listen(self, seconds: float) -> None:
        """Takes what comes, at most so long."""
        self._connection.pump(seconds)
        while self._connection.incoming:
            came = self._connection.incoming.popleft()
            self._told[came.topic.removeprefix(self._root)] = bytes(came.payload).decode(errors="replace")

    def say(self, topic: str, payload: str) -> None:
        """Gives a command."""
        self._connection.publish(Message(self._root + topic, payload, retain=False, qos=1, keep=Keep.LIVE))


@contextmanager
def query(config: Config, told: Told) -> Iterator[Question]:
    """Connects, takes what the broker kept into `told`, and goes on taking while `listen` is called.

    Raises:
        NoBrokerError: No broker answers, or it is gone.
        ConfigError: It lets us not in.
    """
    root = f"monitord/{config.node}/"
    try:
        with _connected(config) as connection:
            connection.subscribe([f"{root}#"])
            question = Question(connection, root, told)
            silent_s = 0.0
            while silent_s < RETAINED_S:
                looked, count = time.monotonic(), len(told)
                question.listen(LISTEN_S)
                waits = connection.unanswered or len(told) > count
                silent_s = 0.0 if waits else silent_s + min(time.monotonic() - looked, LISTEN_S)
            yield question
    except ConnectionOverError as error:
        if error.kind == "refused":
            raise ConfigError(str(error)) from error
        raise NoBrokerError(f"{error}; is monitord running?") from error


def _connected(config: Config) -> Connection:
    """Connects with MQTT 5, or with 3.1.1 where the broker does not know it."""
    credentials = read_credentials(config.mqtt)
    name = f"monitord-ask-{uuid.uuid4().hex[:8]}"

    def connect(version: MQTTProtocolVersion) -> Connection:
        connection = Connection(
            config.mqtt, credentials, client_id=name, will=None, version=version, keepalive_s=KEEPALIVE_S
        )
        try:
            connection.connect()
        except ConnectionOverError:
            connection.close(goodbye=False)
            raise
        return connection

    try:
        return connect(MQTTProtocolVersion.MQTTv5)
    except ConnectionOverError as error:
        if error.kind not in {"wrong_version", "unanswered"}:
            raise
        return connect(MQTTProtocolVersion.MQTTv311)
