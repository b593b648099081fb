"""The outbox over one connection: in order, a window at a time, deleted only when the broker said yes.

Only the sender of an event knows how late it is told, and whether that is too late to wake somebody: `as_sent`.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.messages.message import Message
from service.mqtt.connection import Answer, Connection
from service.storage.outbox import Outbox

log = logging.getLogger(__name__)

WINDOW = 10
"""Messages under way at once. Brokers and paho allow 20 (mosquitto's `max_inflight_messages`); the other half is for
the states, so that a long backlog does not hold up `status` and `health`."""

_HOPELESS = {144, 149, 153}
"""Topic name invalid, packet too large, payload format invalid (MQTT 5, 2.4): the message itself is at fault."""

EVENT_TOPICS: Final = ("/event", "/fault")
"""How the topics of events end."""

LATENCY: Final = "latency_publish_ms"

STALE_S: Final = 60.0
"""Age (seconds) from which an event is history, unless its episode goes on. A broker that restarts is found within
10 s, a worker that fell behind is at most 30 s late: that is still news. A family that is woken a minute later, by a
cry that is over, learns to distrust the alarm."""


class Delivery:
    """At least once: what is under way when the connection ends is sent again on the next one.

    A refusal that a person can lift (no right to the topic, quota) is not tried again on this connection, until the
    broker takes another message on the same topic: then all that was refused there goes out. It stays in the outbox,
    whose bounds drop and count it if nobody lifts the refusal. A hopeless message is dropped and counted at once.

    Args:
        outbox: What waits.
        connection: Connected.
        unanswered: Says which episodes are open and unanswered now: what is told of them late still alerts.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        *,
        unanswered: Callable[[], Collection[str]],
    ) -> None:
        self._outbox = outbox
        self._unanswered = unanswered
        self._connection = connection
        self._after = 0  # all up to this seq are under way, refused or done
        self._under_way: dict[int, int] = {}  # number of the PUBLISH -> seq
        self._refused: dict[int, str] = {}  # seq -> topic

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits that could go now."""
        return not self._under_way and self._after >= self._outbox.last_seq

    def step(self) -> None:
        """Publishes what waits, as far as the window allows."""
        while len(self._under_way) < WINDOW and self._after < self._outbox.last_seq:
            rows = self._outbox.pending(after=self._after, limit=WINDOW)
            busy = set(self._under_way.values())
            unanswered = self._unanswered()
            for row in rows:
                if len(self._under_way) == WINDOW:
                    return
                self._after = row.seq
                if row.seq not in busy and row.seq not in self._refused:
                    message = as_sent(row.message, time.time(), unanswered)
                    self._under_way[self._connection.publish(message)] = row.seq
            if not rows:
                self._after = self._outbox.last_seq

    def take(self, answers: list[Answer]) -> None:
        """Learns what the broker said; answers to other messages pass."""
        done, hopeless = [], []
        for answer in answers:
            seq = self._under_way.pop(answer.number, None)
            if seq is None:
                continue
            if not answer.refusal:
                done.append(seq)
                self._lift(answer.topic)
            elif answer.code in _HOPELESS:
                hopeless.append(seq)
            else:
                self._refused[seq] = answer.topic
        self._outbox.delete(done, hopeless)

    def _lift(self, topic: str) -> None:
        again = [seq for seq, refused in self._refused.items() if refused == topic]
        for seq in again:
            del self._refused[seq]
        if again:
            self._after = min(self._after, min(again) - 1)


def as_sent(message: Message, now: float, unanswered: Collection[str] = ()) -> Message:
    """Returns an event as it is sent at `now` (Unix seconds); anything else as it is.

    It gets `latency_publish_ms`, from its `ts` to `now`. One that waited for a broker longer than `STALE_S` is marked
    `stale` and alerts nobody, unless its episode goes on and nobody has answered it.

    Args:
        message: As it was made when it happened.
        now: Wall time of the sending.
        unanswered: Ids of the episodes of which that is true.
    """
    values = message.content
    if not (message.topic.endswith(EVENT_TOPICS) and isinstance(values, Mapping)):
        return message
    try:
        late_s = now - datetime.fromisoformat(str(values["ts"])).timestamp()
    except (KeyError, ValueError):  # no event of ours: told as it is rather than not at all
        return message
    sent = {**values, LATENCY: max(0, round(late_s * 1000))}
    if late_s > STALE_S and values.get("episode") not in unanswered:
        sent |= {"stale": True, "alert": False}
    return replace(message, content=sent)
