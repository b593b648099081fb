"""One connection to a broker, from CONNECT to its end: paho without its threads and without its memory.

A new object for each connection, used by one thread. So nothing survives a connection but what the caller keeps: no
second queue inside paho that sends old things in its own order, and no answer that could belong to an earlier life.
"""

import select
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass
from typing import Final, Self, cast

import paho.mqtt.client as paho
from paho.mqtt import MQTTException
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from service.messages.message import Message
from service.mqtt import errors
from service.mqtt.errors import FIRST_REFUSAL, ConnectionOverError
from service.mqtt.settings import Credentials, MqttSettings

KEEPALIVE_S = 3
"""Longest silence on the connection (seconds). The broker takes a hung daemon for dead after 1.5 times this (MQTT 5,
3.1.2.10) and tells its last will, we a hung broker after twice this: both under the 10 s that we promise."""

CONNECT_TIMEOUT_S = 5.0
"""For TCP, for TLS and for the broker's answer, each (seconds): paho's own default, a home network needs 0.1."""

_TAKEN_OVER: Final = 142
"""Session taken over (MQTT 5, 3.14.2.1)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the broker said to one PUBLISH or SUBSCRIBE."""

    number: int
    """What `publish` or `subscribe` returned."""
    topic: str
    refusal: str
    """In the broker's words; empty where it said yes."""
    code: int
    """MQTT reason code; 128 and more is a refusal."""


class Connection:
    """Pull-style: `pump` moves bytes, `answers` and `incoming` hold what came.

    Args:
        settings: Where the broker is.
        credentials: What was read from the files that `settings` names.
        client_id: Fixed per node: a broker that still holds our dead predecessor ends it, will and all, before we
            are let in, so that its last will cannot come after our `online`.
        will: What the broker says when we vanish.
        version: 5, or 3.1.1.
        keepalive_s: Longest silence on the connection (seconds).
    """

    def __init__(
        self,
        settings: MqttSettings,
        credentials: Credentials,
        *,
        client_id: str,
        will: Message,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self.answers: deque[Answer] = deque()
        self.incoming: deque[paho.MQTTMessage] = deque()
        self._settings = settings
        self._keepalive_s = keepalive_s
        self._sent: dict[int, list[str]] = {}
        self._connack: ReasonCode | None = None
        self._end: str | None = None
        self._v5 = version is MQTTProtocolVersion.MQTTv5
        self._client = client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=version,
            clean_session=None if self._v5 else True,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.will_set(will.topic, will.payload, will.qos, will.retain)
        if self._settings.username is not None:
            client.username_pw_set(self._settings.username, credentials.password)
        if credentials.tls is not None:
            client.tls_set_context(credentials.tls)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    def connect(self) -> None:
        """Connects and waits for the broker's answer.

        Raises:
            ConnectionOverError: It did not come about.
        """
        where = self._settings.where
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                self._keepalive_s,
                clean_start=True if self._v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            )
        except (OSError, UnicodeError) as error:
            raise errors.from_connecting(error, self._settings) from error
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while self._connack is None:
            if time.monotonic() > deadline:
                raise ConnectionOverError(
                    "unreachable", f"{where}: something is there, but it does not answer as a broker"
                )
            self.pump(0.1)
        refusal = errors.from_answer(self._connack, self._settings)
        if refusal is not None:
            raise refusal

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        # Whoever leaves by an error says no goodbye, so that the broker tells the last will.
        self.close(goodbye=error_type is None)

    def subscribe(self, filters: tuple[str, ...]) -> None:
        """Asks for these topics; the answer comes in `answers`."""
        _, number = self._client.subscribe([(topic, 1) for topic in filters])
        if number is not None:
            self._sent[number] = list(filters)

    def publish(self, message: Message) -> int:
        """Hands the message to the connection and returns the number under which its answer will come (QoS 1)."""
        number = self._client.publish(message.topic, message.payload, message.qos, message.retain).mid
        if message.qos:
            self._sent[number] = [message.topic]
        return number

    @property
    def unanswered(self) -> int:
        """How many PUBLISH and SUBSCRIBE the broker has not answered yet."""
        return len(self._sent)

    def is_over(self) -> bool:
        """Whether the connection has ended; the next `pump` says how."""
        return self._end is not None

    def pump(self, timeout_s: float, wake: socket.socket | None = None) -> None:
        """Moves bytes; returns after `timeout_s`, or as soon as something happened or `wake` can be read.

        Raises:
            ConnectionOverError: The connection is over.
        """
        sock = cast("socket.socket | None", self._client.socket())
        if sock is None or self.is_over():
            raise self._ended()
        buffered = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        readers = [sock] if wake is None else [sock, wake]
        writers = [sock] if self._client.want_write() else []
        readable, writable, _ = select.select(readers, writers, [], 0 if buffered else timeout_s)
        try:
            if buffered or sock in readable:
                self._client.loop_read()
            if sock in writable:
                self._client.loop_write()
            self._client.loop_misc()
        except (OSError, MQTTException) as error:
            raise ConnectionOverError("lost", f"{self._settings.where}: what came is not MQTT ({error})") from error
        # A CONNACK that says no is followed by a closed connection: the reason is worth more than the end.
        if self.is_over() and self._connack is None:
            raise self._ended()

    def close(self, *, goodbye: bool) -> None:
        """Closes the connection; after a goodbye the broker does not tell the last will."""
        if goodbye and not self.is_over() and self._client.is_connected():
            self._client.disconnect()
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _ended(self) -> ConnectionOverError:
        if self._connack is None:
            return errors.unanswered(self._settings)
        return ConnectionOverError("lost", f"{self._settings.where}: {self._end or 'the connection is gone'}")

    # paho's callbacks: all run inside `pump`.

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        self._connack = reason

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _more: Properties | None,
    ) -> None:
        if self.is_over():  # what the broker said comes before the end of its connection
            return
        if flags.is_disconnect_packet_from_server and reason.value == _TAKEN_OVER:
            self._end = "another client of the same id took over: does a second monitord use this node name?"
        elif flags.is_disconnect_packet_from_server:
            self._end = f"the broker closed the connection ({reason})"
        elif reason == ReasonCode(PacketTypes.DISCONNECT, "Keep alive timeout"):
            self._end = f"the broker has not answered for {2 * self._keepalive_s} s"
        else:
            self._end = "the connection broke off"

    def _on_publish(
        self, _client: paho.Client, _data: object, number: int, reason: ReasonCode, _more: Properties
    ) -> None:
        for topic in self._sent.pop(number, []):
            self._answer(number, topic, reason)

    def _on_subscribe(
        self, _client: paho.Client, _data: object, number: int, reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        for topic, reason in zip(self._sent.pop(number, []), reasons, strict=False):
            self._answer(number, topic, reason)

    def _answer(self, number: int, topic: str, reason: ReasonCode) -> None:
        refusal = str(reason) if reason.value >= FIRST_REFUSAL else ""
        self.answers.append(Answer(number, topic, refusal, reason.value))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self.incoming.append(message)
