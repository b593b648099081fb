"""The MQTT client: one thread that keeps a connection to the broker and tells it everything, in order.

Each attempt is a new `Connection` with a `Session` on it. What outlives a connection is in `RetainedMessages` (the
newest states) and on disk (the outbox); live messages do not outlive it.
"""

import contextlib
import logging
import socket
import threading
import time
from dataclasses import dataclass
from typing import Self

from paho.mqtt.enums import MQTTProtocolVersion

from service.backoff import BackOff
from service.messages import node_messages
from service.messages.message import Keep, Message
from service.mqtt.connection import KEEPALIVE_S, Connection
from service.mqtt.errors import ConnectionOverError
from service.mqtt.session import TICK_S, Session, Speaker
from service.mqtt.settings import Credentials, MqttSettings, read_credentials

log = logging.getLogger(__name__)

BACKOFF_CAP_S = 8.0
"""Longest pause (seconds): a broker that is back is found within the 10 s of our promise."""

STABLE_S = 10.0
"""A connection that lasted as long begins the pauses anew (seconds); two daemons that throw each other out do not."""

SHORT_LIVES = 3
"""So many connections in a row that did not last are no accident: mosquitto 2.0 gives two clients of the same id no
other sign than a connection that is closed."""

STOP_S = 2.0
"""For the goodbye (seconds): Ctrl-C must end the daemon within 3 s."""


@dataclass(frozen=True, slots=True)
class MqttStatus:
    """A moment of the connection's life."""

    connected: bool
    detail: str = ""
    """For a person: what is wrong and what helps; never with a password in it."""
    refused: bool = False
    """The broker, or our check of its certificate, said no: only a person can change that, retrying cannot."""


class MqttClient:
    """Tells messages to the broker. The constructor opens nothing.

    Args:
        settings: Where the broker is.
        speaker: Who speaks.
        keepalive_s: Longest silence on the connection (seconds).
    """

    def __init__(self, settings: MqttSettings, speaker: Speaker, *, keepalive_s: int = KEEPALIVE_S) -> None:
        self._settings, self._speaker = settings, speaker
        self._keepalive_s = keepalive_s
        self._credentials = Credentials()
        self._only_v311 = False
        self._status = MqttStatus(connected=False, detail=f"{settings.where}: not connected yet")  # set by one thread
        self._stopping = threading.Event()
        self._stop_at = 0.0  # monotonic seconds, set before _stopping
        self._thread: threading.Thread | None = None
        self._wake_lock = threading.Lock()  # guards _wake_pair, which any thread uses
        self._wake_pair: tuple[socket.socket, socket.socket] | None = None  # (reader, writer)

    def start(self) -> None:
        """Starts the thread, named `mqtt`. A broker that is away is no error: see `status`.

        Raises:
            ConfigError: A password or certificate file cannot be used.
        """
        self._credentials = read_credentials(self._settings)
        reader, writer = self._wake_pair = socket.socketpair()
        reader.settimeout(0)
        writer.settimeout(0)
        self._thread = threading.Thread(target=self._run, args=(reader,), name="mqtt", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = STOP_S) -> bool:
        """Empties the outbox as far as time allows, tells every source and then the node offline, and disconnects.

        Returns:
            Whether the thread ended in time. It may hang in a connection that does not come about; then the broker
            tells the last will.
        """
        if self._thread is None:
            return True
        self._stop_at = time.monotonic() + timeout_s
        self._stopping.set()
        self._wake()
        self._thread.join(timeout_s + TICK_S / 2)
        if self._thread.is_alive():
            log.warning("%s: left behind in a connection that does not come about", self._settings.where)
            return False
        with self._wake_lock:
            for end in self._wake_pair or ():
                end.close()
            self._wake_pair = None
        self._thread = None
        return True

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def tell(self, message: Message) -> bool:
        """Takes a message from any thread; returns at once, or for what goes on disk, when it is there.

        Returns:
            False where an event could not be made durable, it is sent all the same (see `Outbox.add`); and where a
            live message was dropped, because there is no connection.
        """
        on_disk = message.keep >= Keep.SEGMENT
        kept = self._speaker.outbox.add(message) if on_disk else self._speaker.retained.put(message)
        self._wake()
        return kept

    def status(self) -> MqttStatus:
        """How the connection stands, at any time, without waiting."""
        return self._status

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread is not None and self._thread.is_alive()

    def _wake(self) -> None:
        with self._wake_lock, contextlib.suppress(BlockingIOError):  # full of wake-ups is awake
            if self._wake_pair is not None:
                self._wake_pair[1].send(b"!")

    def _set_status(self, status: MqttStatus) -> None:
        if status == self._status:
            return
        self._status = status
        expected = self._stopping.is_set() or (status.connected and not status.detail)
        said = "connected" if status.connected else "not connected"
        log.log(logging.INFO if expected else logging.WARNING, "%s: %s", said, status.detail or self._settings.where)

    # From here on: the thread.

    def _run(self, wake: socket.socket) -> None:
        try:
            self._keep_connected(wake)
        except BaseException as error:
            self._set_status(MqttStatus(connected=False, detail=f"the mqtt thread died of a bug: {error!r}"))
            raise
        self._set_status(MqttStatus(connected=False, detail=f"{self._settings.where}: stopped"))

    def _keep_connected(self, wake: socket.socket) -> None:
        back_off = BackOff(cap_s=BACKOFF_CAP_S)
        short_lives = 0
        version = MQTTProtocolVersion.MQTTv5
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._connection(version, wake)
            except ConnectionOverError as error:
                short_lives = short_lives + 1 if error.kind == "lost" and time.monotonic() - began < STABLE_S else 0
                twin = f"; again and again: does a second monitord have the node name {self._speaker.node.name!r}?"
                detail = f"{error}{twin if short_lives >= SHORT_LIVES else ''}"
                self._set_status(MqttStatus(connected=False, detail=detail, refused=error.kind == "refused"))
                version, tried = self._next_version(version, error), version
                if error.kind == "wrong_version" and version is not tried:
                    continue
            if time.monotonic() - began > STABLE_S:
                back_off.reset()
            self._stopping.wait(back_off.next_s())

    def _next_version(self, tried: MQTTProtocolVersion, error: ConnectionOverError) -> MQTTProtocolVersion:
        """MQTT 5 unless the broker said no to it; once 3.1.1 after it hung up on 5 without a word."""
        if error.kind == "wrong_version":
            self._only_v311 = True
        hung_up_on_v5 = error.kind == "unanswered" and tried is MQTTProtocolVersion.MQTTv5
        return MQTTProtocolVersion.MQTTv311 if self._only_v311 or hung_up_on_v5 else MQTTProtocolVersion.MQTTv5

    def _connection(self, version: MQTTProtocolVersion, wake: socket.socket) -> None:
        """One connection from will to goodbye; ConnectionOverError where it ends otherwise."""
        node = self._speaker.node
        connection = Connection(
            self._settings,
            self._credentials,
            client_id=f"monitord-{node.name}",
            will=node_messages.node_status(node, online=False),
            version=version,
            keepalive_s=self._keepalive_s,
        )
        with connection, contextlib.ExitStack() as after:
            connection.connect()
            after.callback(self._speaker.retained.end)
            session = Session(
                self._speaker,
                connection,
                wake=wake,
                stopping=self._stopping,
                refusals=lambda told: self._set_status(MqttStatus(connected=True, detail=told)),
            )
            session.greet()
            self._set_status(MqttStatus(connected=True, detail=session.refusals))
            session.serve()
            session.say_goodbye(self._stop_at)
