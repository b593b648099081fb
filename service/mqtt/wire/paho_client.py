"""paho's client with what it leaves to its maker: how a socket is opened, and a keepalive of our own."""

import socket
from collections.abc import Callable

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from service.messages.message import Message
from service.mqtt.settings import Credentials, MqttSettings
from service.mqtt.wire.address import open_socket


class PahoClient(paho.Client):
    """Tries all addresses of a name side by side, and may be told to give up."""

    given_up: Callable[[], bool] = staticmethod(lambda: False)
    """Whether the connection is no longer wanted; asked while there is none yet."""

    _opened: socket.socket | None = None

    def set_keepalive(self, seconds: int) -> None:
        """Sets the longest silence of an open connection: paho takes the broker's, be it none at all."""
        self._keepalive = seconds

    def _create_socket_connection(self) -> socket.socket:
        sock = self._opened = open_socket(self._host, self._port, self._connect_timeout, given_up=self.given_up)
        return sock

    def drop(self) -> None:
        """Closes the socket of a connection that did not come about, which paho leaves to the garbage collector."""
        if self._opened is not None:
            self._opened.close()


def new_client(
    settings: MqttSettings,
    credentials: Credentials,
    *,
    client_id: str,
    will: Message | None,
    version: MQTTProtocolVersion,
) -> PahoClient:
    """Returns a client that is not connected yet, has no thread, and forgets everything at its end."""
    client = PahoClient(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=version,
        clean_session=None if version is MQTTProtocolVersion.MQTTv5 else True,
        transport=settings.transport,
        reconnect_on_failure=False,
    )
    client.max_inflight_messages = 0  # no queue inside paho: what is under way is counted by us
    if settings.transport == "websockets":
        client.ws_set_options(settings.path)
    if will is not None:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    if settings.username is not None:
        client.username_pw_set(settings.username, credentials.password)
    if credentials.tls is not None:
        client.tls_set_context(credentials.tls)
    return client


def expiring(after_s: int) -> Properties:
    """Returns what a message carries that the broker is to forget after so many seconds (MQTT 5, 3.3.2.3.3)."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    properties.MessageExpiryInterval = after_s
    return properties
