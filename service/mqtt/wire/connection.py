"""One connection to a broker, from CONNECT to its end: paho without its threads and without its memory.

A new object for each connection, used by one thread. So nothing survives a connection but what the caller keeps: no
second queue inside paho that sends old things in its own order, and no answer that could belong to an earlier life.
"""

import select
import socket
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Self, cast

import paho.mqtt.client as paho
from paho.mqtt import MQTTException
from paho.mqtt.enums import MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from service.messages.message import Message
from service.mqtt import errors
from service.mqtt.errors import ConnectionOverError
from service.mqtt.settings import Credentials, MqttSettings
from service.mqtt.wire.exchange import Answer, Sent, Unanswered, subscription
from service.mqtt.wire.limits import Limits, packet_bytes
from service.mqtt.wire.paho_client import expiring, new_client

KEEPALIVE_S = 3
"""Longest silence on the connection (seconds). The broker takes a hung daemon for dead after 1.5 times this (MQTT 5,
3.1.2.10) and tells its last will, we a hung broker after twice this: both under the 10 s that we promise."""

CONNECT_TIMEOUT_S = 5.0
"""For TCP, for TLS and for the broker's answer, each (seconds): paho's own default, a home network needs 0.1."""

ACKNOWLEDGE_S = 10.0
"""Longest time in which a broker that has something to acknowledge acknowledges nothing (seconds): one that works needs
milliseconds, a picture of 30 kB over 64 kbit/s takes 4 s."""

_INNOCENT: Final = {
    137: "it is busy",  # Server busy
    139: "it ends",  # Server shutting down
    141: "it has heard nothing of us for too long",  # Keep alive timeout
    142: "another client of the same id took over: does a second monitord use this node name?",  # Session taken over
    152: "somebody ended it there",  # Administrative action
}
"""Reasons of a DISCONNECT for which no message of ours is to blame (MQTT 5, 3.14.2.1)."""

_FENCE: Final = "monitord/fence"
"""Nobody subscribes it, so that an UNSUBSCRIBE of it changes nothing; its answer says that all before it was read."""


class Connection:
    """Pull-style: `pump` moves bytes, `answers` and `incoming` hold what came.

    Args:
        settings: Where the broker is.
        credentials: What was read from the files that `settings` names.
        client_id: Fixed per node: a broker that still holds our dead predecessor ends it, will and all, before we
            are let in, so that its last will cannot come after our `online`.
        will: What the broker says when we vanish; None: nothing.
        version: 5, or 3.1.1.
        keepalive_s: Longest silence on the connection (seconds).
    """

    def __init__(
        self,
        settings: MqttSettings,
        credentials: Credentials,
        *,
        client_id: str,
        will: Message | None,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5,
        keepalive_s: int = KEEPALIVE_S,
    ) -> None:
        self.answers: deque[Answer] = deque()
        self.incoming: deque[paho.MQTTMessage] = deque()
        self._settings = settings
        self._keepalive_s = keepalive_s
        self.limits = Limits()
        """What the broker takes, known after `connect`."""
        self._unanswered = Unanswered()
        self._fenced: dict[int, list[int]] = {}  # number of an UNSUBSCRIBE -> of what was sent with QoS 0 before it
        self._to_fence: list[int] = []
        self._connack: ReasonCode | None = None
        self._end: str | None = None
        self._blames_nothing = False
        self._v5 = version is MQTTProtocolVersion.MQTTv5
        client = self._client = new_client(settings, credentials, client_id=client_id, will=will, version=version)
        client.connect_timeout = CONNECT_TIMEOUT_S
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_publish = self._on_publish
        client.on_subscribe = self._on_subscribe
        client.on_unsubscribe = self._on_unsubscribe
        client.on_message = self._on_message

    def connect(self, given_up: Callable[[], bool] = lambda: False) -> None:
        """Connects and waits for the broker's answer.

        Args:
            given_up: Whether the connection is no longer wanted.

        Raises:
            ConnectionOverError: It did not come about.
        """
        where = self._settings.where
        self._client.given_up = given_up
        try:
            self._client.connect(
                self._settings.host,
                self._settings.port,
                self._keepalive_s,
                clean_start=True if self._v5 else paho.MQTT_CLEAN_START_FIRST_ONLY,
            )
        except (OSError, UnicodeError) as error:
            self._client.drop()
            raise errors.from_connecting(error, self._settings) from error
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while self._connack is None:
            if time.monotonic() > deadline or given_up():
                raise ConnectionOverError(
                    "unreachable", f"{where}: something is there, but it does not answer as a broker"
                )
            self.pump(0.1)
        refusal = errors.from_answer(self._connack, self._settings)
        if refusal is not None:
            raise refusal
        if self.limits.keepalive_s is not None:
            # A broker may want more words than we, never fewer: we may speak as often as we like (MQTT 5, 3.1.2.10).
            self._keepalive_s = min(self._keepalive_s, self.limits.keepalive_s or self._keepalive_s)
            self._client.set_keepalive(self._keepalive_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error_type: type[BaseException] | None, *_: object) -> None:
        # Whoever leaves by an error says no goodbye, so that the broker tells the last will.
        self.close(goodbye=error_type is None)

    def subscribe(self, filters: Sequence[str]) -> None:
        """Asks for these topics; the answer comes in `answers`."""
        _, number = self._client.subscribe([(topic, 1) for topic in filters])
        if number is not None:
            self._unanswered.put(number, [Sent(subscription(topic), topic) for topic in filters])

    def fits(self, message: Message) -> bool:
        """Whether the broker takes a packet of that size."""
        return self.size(message) <= self.limits.packet_bytes

    def size(self, message: Message) -> int:
        """Bytes of the packet that the message would be."""
        return packet_bytes(self.limits.fitted(message), v5=self._v5)

    def publish(self, message: Message, key: str = "", *, expires_s: int | None = None) -> int:
        """Hands the message to the connection and returns the number under which its answer will come (QoS 1).

        Args:
            message: One that `fits`.
            key: By which the caller knows it; left out: the topic.
            expires_s: After how many seconds the broker forgets it, with MQTT 5.
        """
        fitted = self.limits.fitted(message)
        more = None if expires_s is None or not self._v5 else expiring(expires_s)
        number = self._client.publish(fitted.topic, fitted.payload, fitted.qos, fitted.retain, more).mid
        sent = Sent(key or message.topic, message.topic, packet_bytes(fitted, v5=self._v5))
        if not message.qos:
            self._unanswered.put_unproven(sent)
            return number
        self._unanswered.put(number, [sent])
        if not fitted.qos:
            self._to_fence.append(number)
        return number

    @property
    def unanswered(self) -> int:
        """How many PUBLISH and SUBSCRIBE the broker has not answered yet."""
        return len(self._unanswered)

    @property
    def suspects(self) -> Mapping[str, str]:
        """What the broker may have hung up for, in words by key; empty where it or somebody else had another reason."""
        return {} if self._blames_nothing else self._unanswered.suspects

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
        self._fence()
        # What TLS has decrypted already, also under a WebSocket, `select` cannot see.
        buffered = not isinstance(sock, socket.socket | None) or isinstance(sock, ssl.SSLSocket)
        buffered = buffered and cast("ssl.SSLSocket", sock).pending() > 0
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
        if self._unanswered.still_s > ACKNOWLEDGE_S:
            raise ConnectionOverError(
                "mute",
                f"{self._settings.where}: the broker lets us in, but acknowledges nothing for {ACKNOWLEDGE_S:.0f} s:"
                f" {self._unanswered.words}",
            )

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
        detail = f"{self._settings.where}: {self._end or 'the connection is gone'}"
        if self._unanswered and not self._blames_nothing:
            detail += f", while {self._unanswered.words} was under way"
        return ConnectionOverError("lost", detail, idle=not self._unanswered)

    def _fence(self) -> None:
        """Where the broker acknowledges no message, it answers an UNSUBSCRIBE: in order, so after what it has read."""
        if self._to_fence and not self._fenced:
            _, number = self._client.unsubscribe(_FENCE)
            if number is not None:
                self._fenced[number], self._to_fence = self._to_fence, []

    # paho's callbacks: all run inside `pump`.

    def _on_connect(
        self,
        _client: paho.Client,
        _data: object,
        _flags: paho.ConnectFlags,
        reason: ReasonCode,
        more: Properties | None,
    ) -> None:
        self._connack, self.limits = reason, Limits.told(more)

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
        if flags.is_disconnect_packet_from_server:
            self._blames_nothing = reason.value in _INNOCENT
            why = _INNOCENT.get(reason.value, "")
            self._end = f"the broker closed the connection ({reason}{why and f': {why}'})"
        elif reason == ReasonCode(PacketTypes.DISCONNECT, "Keep alive timeout"):
            self._blames_nothing = True
            self._end = f"the broker has not answered for {2 * self._keepalive_s} s"
        else:
            self._end = "the connection broke off"

    def _on_publish(
        self, _client: paho.Client, _data: object, number: int, reason: ReasonCode, _more: Properties
    ) -> None:
        if number not in self._to_fence and not any(number in fenced for fenced in self._fenced.values()):
            self._take(number, [reason])

    def _on_subscribe(
        self, _client: paho.Client, _data: object, number: int, reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        self._take(number, reasons)

    def _on_unsubscribe(
        self, _client: paho.Client, _data: object, number: int, _reasons: list[ReasonCode], _more: Properties | None
    ) -> None:
        for fenced in self._fenced.pop(number, []):
            self._take(fenced, [ReasonCode(PacketTypes.PUBACK)])

    def _take(self, number: int, reasons: Sequence[ReasonCode]) -> None:
        self.answers.extend(self._unanswered.take(number, reasons))

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        self.incoming.append(message)
