"""The MQTT client: one thread that keeps a connection to the broker and tells it everything, in order.

Each attempt is a new `Connection` with a `Session` on it. What outlives a connection is in `RetainedMessages` (the
newest states) and on disk (the outbox); live messages do not outlive it.
"""

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from service.backoff import BackOff
from service.messages import node_messages
from service.messages.message import Keep, Message
from service.mqtt.errors import ConnectionOverError
from service.mqtt.lessons import STABLE_S, Lessons
from service.mqtt.sender import Speaker
from service.mqtt.session import TICK_S, Session
from service.mqtt.settings import Credentials, MqttSettings, read_credentials
from service.mqtt.wire.connection import KEEPALIVE_S, Connection
from service.mqtt.wire.limits import LEAST_PACKET, Limits

log = logging.getLogger(__name__)

BACKOFF_CAP_S = 8.0
"""Longest pause (seconds): a broker that is back is found within the 10 s of our promise."""

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
        admitted: Whether it may connect now, asked before each connection.
    """

    def __init__(
        self,
        settings: MqttSettings,
        speaker: Speaker,
        *,
        keepalive_s: int = KEEPALIVE_S,
        admitted: Callable[[], bool] = lambda: True,
    ) -> None:
        self._settings, self._speaker, self._admitted = settings, speaker, admitted
        self._keepalive_s = keepalive_s
        self._credentials = Credentials()
        will = node_messages.node_status(speaker.node, online=False)
        self._lessons = Lessons(speaker.node.name, will, speaker.suspects)
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

    @property
    def fault(self) -> str:
        """What the broker does not take of what we tell it, for a person; empty when nothing, or while it is away."""
        status = self.status()
        return status.detail if status.connected else ""

    def _wake(self) -> None:
        with self._wake_lock, contextlib.suppress(BlockingIOError):  # full of wake-ups is awake
            if self._wake_pair is not None:
                self._wake_pair[1].send(b"!")

    def _set_status(self, status: MqttStatus) -> None:
        if status == self._status:
            return
        self._status = status
        if self._stopping.is_set():  # an end that was asked for is no news
            return
        where, said = self._settings.where, "connected" if status.connected else "not connected"
        if status.connected and status.detail:
            log.warning("connected: %s: %s", where, status.detail)
        else:
            log.log(logging.INFO if status.connected else logging.WARNING, "%s: %s", said, status.detail or where)

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
        while not self._stopping.is_set():
            began = time.monotonic()
            if not self._admitted():
                self._stopping.wait(TICK_S)
                continue
            try:
                self._connection(wake)
            except ConnectionOverError as error:
                at_once = self._lessons.learn(error, time.monotonic() - began)
                detail = self._lessons.words(error)
                if at_once:
                    log.info("%s: tried again without that", detail)
                    continue
                self._set_status(MqttStatus(connected=False, detail=detail, refused=error.kind == "refused"))
            if time.monotonic() - began > STABLE_S:
                back_off.reset()
            self._stopping.wait(back_off.next_s())

    def _connection(self, wake: socket.socket) -> None:
        """One connection from will to goodbye; ConnectionOverError where it ends otherwise."""
        node, suspects = self._speaker.node, self._speaker.suspects
        connection = Connection(
            self._settings,
            self._credentials,
            client_id=f"monitord-{node.name}",
            will=self._lessons.will,
            version=self._lessons.version,
            keepalive_s=self._keepalive_s,
        )
        with connection, contextlib.ExitStack() as after:
            connection.connect(self._stopping.is_set)
            self._check(connection.limits)
            after.callback(self._speaker.retained.end)
            suspects.reached()
            session = Session(
                self._speaker,
                connection,
                wake=wake,
                stopping=self._stopping,
                changed=lambda told: self._set_status(MqttStatus(connected=True, detail=told)),
            )
            try:
                session.greet()
                self._set_status(MqttStatus(connected=True, detail=session.shortages))
                session.serve()
                session.say_goodbye(self._stop_at)
            except ConnectionOverError as error:
                if error.kind == "lost":
                    suspects.broke(connection.suspects)
                raise

    def _check(self, limits: Limits) -> None:
        if limits.packet_bytes < LEAST_PACKET:
            raise ConnectionOverError(
                "refused",
                f"{self._settings.where}: the broker takes messages of at most {limits.packet_bytes:,} bytes, and an"
                f" alarm has up to {LEAST_PACKET:,}; waiting will not help: raise its limit (mosquitto:"
                " max_packet_size), or set mqtt.host to another broker",
            )
