"""An MQTT client for tests, the events it tells, and a proxy that can be cut."""

import json
import socket
import threading
import time

from service.messages.message import Keep, Message, Node
from service.mqtt.client import MqttClient, MqttStatus
from service.mqtt.sender import Speaker
from service.mqtt.settings import MqttSettings
from service.mqtt.wire.connection import KEEPALIVE_S
from service.storage.outbox import Outbox
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.sockets import cut

NODE = Node("home")
EVENT = "monitord/home/room/event"


def at(broker: Mosquitto) -> MqttSettings:
    """Where the broker is."""
    return MqttSettings(host="127.0.0.1", port=broker.port)


def client(settings: MqttSettings, outbox: Outbox, *, keepalive_s: int = KEEPALIVE_S, **more: object) -> MqttClient:
    """A client of two rooms, not started yet."""
    speaker = Speaker(NODE, ["room", "room2"], outbox, **more)  # type: ignore[arg-type]
    return MqttClient(settings, speaker, keepalive_s=keepalive_s)


def wait_connected(mqtt: MqttClient, timeout_s: float = PATIENCE_S) -> MqttStatus:
    """Waits until the node is online or the broker refuses us, at most so long; returns how it stands."""
    deadline = time.monotonic() + timeout_s
    while not (mqtt.status().connected or mqtt.status().refused) and time.monotonic() < deadline:
        time.sleep(0.01)
    return mqtt.status()


def event(number: int, event_type: str = "started") -> Message:
    """An event of 1970."""
    values = {"event_type": event_type, "id": str(number), "episode": "e", "ts": "1970-01-01T00:00:00.000Z"}
    keep = Keep.ALARM if event_type == "started" else Keep.EVENT
    return Message(EVENT, json.dumps(values), retain=False, qos=1, keep=keep)


def ids(subscriber: Subscriber) -> list[str]:
    """Numbers of the events that came, in order."""
    return [one["id"] for one in subscriber.values(EVENT)]


class Proxy:
    """Passes bytes to a real broker; refuses MQTT 5 where asked to, as brokers before it do."""

    def __init__(self, port: int, refuse_v5: bytes | None = None) -> None:
        self._target = port
        self._refuse_v5 = refuse_v5
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cuts every connection and takes no new one."""
        cut([self._server, *self._open])

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            connect = client.recv(4096)
            if self._refuse_v5 is not None and connect[8] == 5:  # the level, after the name MQTT
                client.sendall(self._refuse_v5)
                client.close()
                continue
            target = socket.create_connection(("127.0.0.1", self._target))
            target.sendall(connect)
            self._open += [client, target]
            for one, other in ((client, target), (target, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(4096):
                other.sendall(data)
        except OSError:
            pass
        for sock in (one, other):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
