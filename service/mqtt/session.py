"""The life of one connection: subscriptions, greeting, news as they come, goodbye. `sender` says what goes out when."""

import contextlib
import logging
import math
import random
import socket
import threading
import time
from collections.abc import Callable
from typing import Final

import paho.mqtt.client as paho

from service.messages import commands, node_messages
from service.messages.message import Keep, Message
from service.mqtt.sender import DISCOVERY_PAUSE_S, Sender, Speaker
from service.mqtt.wire.connection import Connection
from service.mqtt.wire.exchange import subscription

log = logging.getLogger(__name__)

BIRTH_FIRST_S, BIRTH_LAST_S = 1.0, 10.0
"""From Home Assistant's birth message to a new discovery (seconds), at random, so that not all nodes tell it in the
same moment, while it starts."""

TICK_S = 1.0
"""Longest sleep (seconds): paho looks after the keepalive at each waking."""

FILTERS: Final = 8
"""Subscriptions in one packet: with our longest topics that is under `limits.LEAST_PACKET`."""


class Session:
    """Any method may raise `ConnectionOverError`: the connection is over. Used by one thread.

    Args:
        speaker: Who speaks.
        connection: Connected.
        wake: Becomes readable when there is something new to send; without waiting (timeout 0).
        stopping: Set when the goodbye is due.
        changed: Called with `shortages` whenever that changes.
    """

    def __init__(
        self,
        speaker: Speaker,
        connection: Connection,
        *,
        wake: socket.socket,
        stopping: threading.Event,
        changed: Callable[[str], None],
    ) -> None:
        self._speaker = speaker
        self._connection = connection
        self._wake = wake
        self._stopping = stopping
        self._changed = changed
        self._sender = Sender(speaker, connection, stopping)
        self._told = ""  # `shortages`, as told last
        self._discover_at = math.inf  # monotonic seconds; after a birth message

    @property
    def shortages(self) -> str:
        """What the broker does not take, for a person; empty when it takes everything."""
        return self._sender.shortages.words

    def greet(self) -> None:
        """Returns when `status = online` is told, or the goodbye is due."""
        self._subscribe()
        sender, devices = self._sender, self._speaker.discovery
        sender.announce(devices)
        if not sender.understood:
            self._until(lambda: not sender.announcing)
            if devices or self._speaker.gone:
                pause_ends = time.monotonic() + DISCOVERY_PAUSE_S
                self._until(lambda: sender.understood or time.monotonic() >= pause_ends)
        sender.tell_states()
        self._until(lambda: sender.greeted)

    def serve(self) -> None:
        """Tells the news as they come, until it is time for the goodbye."""
        while not self._stopping.is_set():
            self._greet_again()
            self._sender.step()
            self._tell_shortages()
            self._pump(min(time.monotonic() + TICK_S, self._discover_at, self._sender.retell_at))

    def say_goodbye(self, until: float) -> None:
        """Half of the time up to `until` (monotonic seconds) for what waits, the rest to tell all offline.

        What waits is safe on disk, so it may not take the time of the offline messages.
        """
        now = time.monotonic()
        half = now + (until - now) / 2
        self._sender.step()
        while self._sender.greeted and self._sender.busy and time.monotonic() < half:
            self._pump(half)
            self._sender.step()
        node = self._speaker.node
        for message in (
            *(node_messages.source_status(node, source, online=False) for source in self._speaker.sources),
            node_messages.node_status(node, online=False),
        ):
            while self._connection.unanswered >= self._sender.window and time.monotonic() < until:
                self._pump(until)
            self._sender.publish(message)
        while self._connection.unanswered and time.monotonic() < until:
            self._pump(until)
        if self._connection.unanswered:
            log.warning("mqtt: left with %d messages unanswered", self._connection.unanswered)

    def _subscribe(self) -> None:
        speaker, connection = self._speaker, self._connection
        wild = connection.limits.wildcards
        ours = commands.subscriptions(speaker.node) if wild else commands.topics(speaker.node, speaker.sources)
        wanted = [
            topic
            for topic in (*ours, *speaker.births, *speaker.gone)
            if not speaker.suspects.is_aside(subscription(topic))
        ]
        careful = speaker.suspects.careful
        step = 1 if careful else FILTERS
        for first in range(0, len(wanted), step):
            connection.subscribe(wanted[first : first + step])
            while careful and connection.unanswered:
                self._pump(time.monotonic() + TICK_S)

    def _greet_again(self) -> None:
        """Discovery and all states for a Home Assistant that started, each in its time; the news go on meanwhile."""
        now, sender = time.monotonic(), self._sender
        if now >= self._discover_at:
            self._discover_at = math.inf
            sender.announce(self._speaker.discovery)
            sender.retell_at = now + DISCOVERY_PAUSE_S
        if now >= sender.retell_at:
            sender.retell_at = math.inf
            sender.tell_states()
            self._speaker.on_command(commands.TellAgain())

    def _until(self, done: Callable[[], bool]) -> None:
        self._sender.step()
        while not done() and not self._stopping.is_set():
            self._pump(time.monotonic() + TICK_S / 10)
            self._sender.step()

    def _pump(self, until: float) -> None:
        self._connection.pump(min(max(until - time.monotonic(), 0.0), TICK_S), self._wake)
        with contextlib.suppress(BlockingIOError):  # nobody woke us
            self._wake.recv(4096)
        answers = list(self._connection.answers)
        self._connection.answers.clear()
        self._sender.take(answers)
        self._tell_shortages()
        while self._connection.incoming:
            self._obey(self._connection.incoming.popleft())

    def _tell_shortages(self) -> None:
        if self._sender.greeted and self.shortages != self._told:
            self._told = self.shortages
            self._changed(self._told)

    def _obey(self, incoming: paho.MQTTMessage) -> None:
        if incoming.topic in self._speaker.births:
            if incoming.payload == self._speaker.birth.encode() and not incoming.retain:
                self._discover_at = time.monotonic() + random.uniform(BIRTH_FIRST_S, BIRTH_LAST_S)  # noqa: S311 - no secret
            return
        if incoming.topic in self._speaker.gone:
            if incoming.payload and incoming.retain:
                self._sender.announce([Message(incoming.topic, "", retain=True, qos=1, keep=Keep.LATEST)])
            return
        if incoming.retain:
            topic = incoming.topic if incoming.topic.isprintable() else ascii(incoming.topic)
            log.info("command on %s ignored: it is retained, so nobody gave it now", topic)
            return
        command = commands.parse(self._speaker.node, self._speaker.sources, incoming.topic, bytes(incoming.payload))
        if command is not None:
            self._speaker.on_command(command)
