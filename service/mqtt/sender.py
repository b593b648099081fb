"""What goes out on one connection next.

The order of the contract: discovery, a pause, states, `status = online`; then events as they come. Where events wait
for a broker that is back, Home Assistant knows our devices already: then they go right after what makes them
understood, each room's `status` and `state` and the node's `online`; discovery and all other states go beside them.
Pictures go last, one at a time, while nothing else waits.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from service.messages import node_messages
from service.messages.commands import Command
from service.messages.message import Message, Node
from service.mqtt.delivery import WINDOW, Delivery
from service.mqtt.retained import RetainedMessages
from service.mqtt.shortages import Shortages
from service.mqtt.suspects import Suspects
from service.mqtt.wire.connection import Connection
from service.mqtt.wire.exchange import Answer
from service.storage.outbox import Outbox

DISCOVERY_PAUSE_S = 1.0
"""Between discovery and the first state (seconds): Home Assistant subscribes an entity only after it has read its
discovery; of two quick messages the second was lost for 15 of 16 components."""

BIRTH = "online"
"""Home Assistant's default birth message."""


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
    birth: str = BIRTH
    """What it says there."""
    gone: Sequence[str] = ()
    """Topics on which nothing retained may stay; what is found there is removed, on every connection before any
    state."""
    retained: RetainedMessages = field(default_factory=RetainedMessages)
    suspects: Suspects = field(default_factory=Suspects)


class Sender:
    """Fills the window of one connection, as the order says and as the broker's limits allow.

    Args:
        speaker: Who speaks.
        connection: Connected.
        stopping: Set when the goodbye is due: no picture is worth its time.
    """

    def __init__(self, speaker: Speaker, connection: Connection, stopping: threading.Event) -> None:
        self.shortages = Shortages(connection, speaker.suspects)
        self.greeted = False
        """Whether `status = online` was told on this connection, so that events are understood."""
        self.retell_at = math.inf
        """When all states are due again (monotonic seconds): the pause after discovery, where nobody keeps them."""
        self._speaker = speaker
        self._connection = connection
        self._stopping = stopping
        self._delivery = Delivery(
            speaker.outbox,
            connection,
            speaker.suspects,
            left_out=self.shortages.leave_out,
            unanswered=speaker.unanswered,
        )
        self._devices: deque[Message] = deque()
        self._online_due = True
        self._states_turn = False  # where one message goes at a time

    @property
    def busy(self) -> bool:
        """Whether events wait, or anything is unanswered."""
        return not self._delivery.idle or self._connection.unanswered > 0

    @property
    def understood(self) -> bool:
        """Whether events wait, and Home Assistant knows our devices from an earlier connection."""
        return self._speaker.retained.announced and self._delivery.waits

    @property
    def window(self) -> int:
        """How many messages may be unanswered at once."""
        return 1 if self._speaker.suspects.careful else self._connection.limits.under_way

    @property
    def announcing(self) -> bool:
        """Whether discovery is not told yet."""
        return bool(self._devices)

    def announce(self, devices: Iterable[Message]) -> None:
        """Tells discovery, or what removes it."""
        self._devices.extend(devices)

    def tell_states(self) -> None:
        """Tells every state, and behind them `status = online`."""
        self._speaker.retained.begin()
        self._online_due = True

    def take(self, answers: list[Answer]) -> None:
        """Learns what the broker said."""
        self._delivery.take(answers)
        for answer in answers:
            self._speaker.suspects.passed(answer.key)
            self.shortages.take(answer)

    def step(self) -> None:
        """Sends what may go now. Events and states each have half of the window; where it is one, they take turns."""
        window, connection = self.window, self._connection
        events = min(WINDOW, max(1, window // 2))
        states = max(1, window - events)
        if window > 1 or not self._states_turn:
            self._send_events(events)
        while connection.unanswered < window and connection.unanswered - self._delivery.under_way < states:
            message = self._next()
            if message is None:
                break
            self.publish(message)
            self._states_turn = False
            if window > 1:  # with `status = online` events became sendable
                self._send_events(events)
        if window == 1 and not connection.unanswered:  # no state used the turn
            self._send_events(events)
            if self.greeted and not self.busy:
                self._speaker.suspects.clear()

    def publish(self, message: Message) -> None:
        """Sends this one, unless the broker does not take it."""
        suspects = self._speaker.suspects
        if suspects.is_aside(message.topic):
            return
        if not self._connection.fits(message):
            self.shortages.leave_out(message)
            return
        # While one is sought that breaks the connection, each needs an answer that says that it was not this one.
        self._connection.publish(replace(message, qos=1) if suspects.careful else message)

    def _send_events(self, events: int) -> None:
        if self.greeted and self._connection.unanswered < self.window:
            self._delivery.step(events)
            self._states_turn = True

    def _next(self) -> Message | None:
        """What is to be told beside the events."""
        retained = self._speaker.retained
        if not retained.listening:
            return self._device()
        urgent = not self.greeted and self._delivery.waits
        return (
            retained.take("least")
            or (self._online() if urgent else None)
            or (retained.take_live() if self.greeted else None)
            or self._device()
            or retained.take("state")
            or self._online()
            or (None if self.busy or self._stopping.is_set() else retained.take("picture"))
        )

    def _device(self) -> Message | None:
        """The next of discovery, where some is due."""
        if not self._devices:
            return None
        if len(self._devices) == 1 and self.greeted and not self._connection.limits.retains:
            self.retell_at = time.monotonic() + DISCOVERY_PAUSE_S
        return self._devices.popleft()

    def _online(self) -> Message | None:
        """`status = online`, where it is due."""
        if not self._online_due:
            return None
        self._online_due, self.greeted = False, True
        self._speaker.retained.announced = True
        return node_messages.node_status(self._speaker.node, online=True)
