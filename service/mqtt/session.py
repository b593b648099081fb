"""What is said on one connection, in the order of the contract: greeting, news as they come, goodbye."""

import contextlib
import logging
import math
import random
import socket
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

import paho.mqtt.client as paho

from service.messages import commands, node_messages
from service.messages.commands import Command
from service.messages.message import Keep, Message, Node
from service.mqtt.connection import Answer, Connection
from service.mqtt.delivery import Delivery
from service.mqtt.retained import RetainedMessages
from service.storage.outbox import Outbox

log = logging.getLogger(__name__)

DISCOVERY_PAUSE_S = 1.0
"""Between discovery and the first state (seconds): Home Assistant subscribes an entity only after it has read its
discovery; of two quick messages the second was lost for 15 of 16 components."""

BIRTH_FIRST_S, BIRTH_LAST_S = 1.0, 10.0
"""From Home Assistant's birth message to a new discovery (seconds), at random, so that not all nodes tell it in the
same moment, while it starts."""

BIRTH = b"online"
"""Home Assistant's default birth message."""

TICK_S = 1.0
"""Longest sleep (seconds): paho looks after the keepalive at each waking."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks, from what, and who is asked and told meanwhile, in the client's thread: all must return at once."""

    node: Node
    sources: Sequence[str]
    """Ids."""
    outbox: Outbox
    """Open; it stays open until after the client's `stop`."""
    on_command: Callable[[Command], None] = lambda _: None
    """Gets each command."""
    discovery: Sequence[Message] = ()
    """Told on every connection before all states."""
    unanswered: Callable[[], Collection[str]] = tuple
    """Ids of the episodes that are open and that nobody has answered: what is told of them late still alerts."""
    births: Sequence[str] = ()
    """Topics on which Home Assistant says that it started: then discovery and all states are told again."""
    gone: Sequence[str] = ()
    """Topics on which nothing retained may stay; what is found there is removed, on every connection before any
    state."""
    retained: RetainedMessages = field(default_factory=RetainedMessages)


class Session:
    """Any method may raise `ConnectionOverError`: the connection is over. Used by one thread.

    Args:
        speaker: Who speaks.
        connection: Connected.
        wake: Becomes readable when there is something new to send; without waiting (timeout 0).
        stopping: Set when the goodbye is due.
        refusals: Called with `refusals` whenever that changes.
    """

    def __init__(
        self,
        speaker: Speaker,
        connection: Connection,
        *,
        wake: socket.socket,
        stopping: threading.Event,
        refusals: Callable[[str], None],
    ) -> None:
        self._speaker = speaker
        self._connection = connection
        self._wake = wake
        self._stopping = stopping
        self._refusals_changed = refusals
        self._refused: dict[str, str] = {}  # by topic
        self._delivery = Delivery(speaker.outbox, connection, unanswered=speaker.unanswered)
        self._discover_at = math.inf  # monotonic seconds; after a birth message
        self._states_at = math.inf  # monotonic seconds; the pause after that discovery

    @property
    def refusals(self) -> str:
        """Which topics the broker refuses, for a person; empty when none."""
        told = ", ".join(f"{topic} ({refusal})" for topic, refusal in sorted(self._refused.items()))
        return told and f"the broker refuses {told}; check the rights of this user there"

    def greet(self) -> None:
        """Subscribes, then discovery, a pause, retained states, and `status = online` last."""
        speaker = self._speaker
        self._connection.subscribe((*commands.subscriptions(speaker.node), *speaker.births, *speaker.gone))
        self._discover()
        if speaker.discovery or speaker.gone:
            until = time.monotonic() + DISCOVERY_PAUSE_S
            while time.monotonic() < until and not self._stopping.is_set():
                self._pump(until)
        self._tell_all()

    def serve(self) -> None:
        """Tells the news as they come, until it is time for the goodbye."""
        while not self._stopping.is_set():
            self._send()
            self._delivery.step()
            self._greet_again()
            self._pump(min(time.monotonic() + TICK_S, self._discover_at, self._states_at))

    def say_goodbye(self, until: float) -> None:
        """Half of the time up to `until` (monotonic seconds) for what waits, the rest to tell all offline.

        What waits is safe on disk, so it may not take the time of the offline messages.
        """
        now = time.monotonic()
        half = now + (until - now) / 2
        self._send()
        while not self._delivery.idle and time.monotonic() < half:
            self._delivery.step()
            self._pump(half)
        for source in self._speaker.sources:
            self._connection.publish(node_messages.source_status(self._speaker.node, source, online=False))
        self._connection.publish(node_messages.node_status(self._speaker.node, online=False))
        while self._connection.unanswered and time.monotonic() < until:
            self._pump(until)
        if self._connection.unanswered:
            log.warning("mqtt: left with %d messages unanswered", self._connection.unanswered)

    def _discover(self) -> None:
        for message in self._speaker.discovery:
            self._connection.publish(message)

    def _tell_all(self) -> None:
        """Tells all states, and `status = online` last."""
        self._speaker.retained.begin()
        self._send()
        self._connection.publish(node_messages.node_status(self._speaker.node, online=True))

    def _greet_again(self) -> None:
        """Discovery and all states for a Home Assistant that started, each in its time; the news go on meanwhile."""
        now = time.monotonic()
        if now >= self._discover_at:
            self._discover_at = math.inf
            self._discover()
            self._states_at = now + DISCOVERY_PAUSE_S
        if now >= self._states_at:
            self._states_at = math.inf
            self._tell_all()
            self._speaker.on_command(commands.TellAgain())

    def _send(self) -> None:
        for message in self._speaker.retained.take():
            self._connection.publish(message)

    def _pump(self, until: float) -> None:
        self._connection.pump(min(max(until - time.monotonic(), 0.0), TICK_S), self._wake)
        with contextlib.suppress(BlockingIOError):  # nobody woke us
            self._wake.recv(4096)
        answers = list(self._connection.answers)
        self._connection.answers.clear()
        self._delivery.take(answers)
        self._judge(answers)
        while self._connection.incoming:
            self._obey(self._connection.incoming.popleft())

    def _judge(self, answers: list[Answer]) -> None:
        before = dict(self._refused)
        for answer in answers:
            if answer.refusal:
                self._refused[answer.topic] = answer.refusal
            else:
                self._refused.pop(answer.topic, None)
        if self._refused != before:
            self._refusals_changed(self.refusals)

    def _obey(self, incoming: paho.MQTTMessage) -> None:
        if incoming.topic in self._speaker.births:
            if incoming.payload == BIRTH and not incoming.retain:
                self._discover_at = time.monotonic() + random.uniform(BIRTH_FIRST_S, BIRTH_LAST_S)  # noqa: S311 - no secret
            return
        if incoming.topic in self._speaker.gone:
            if incoming.payload and incoming.retain:
                self._connection.publish(Message(incoming.topic, "", retain=True, qos=1, keep=Keep.LATEST))
            return
        if incoming.retain:
            topic = incoming.topic if incoming.topic.isprintable() else ascii(incoming.topic)
            log.info("command on %s ignored: it is retained, so nobody gave it now", topic)
            return
        command = commands.parse(self._speaker.node, self._speaker.sources, incoming.topic, bytes(incoming.payload))
        if command is not None:
            self._speaker.on_command(command)
