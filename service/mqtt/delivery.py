"""The outbox over one connection: in order, a window at a time, deleted only when the broker said yes.

Only the sender of an event knows how late it is told, and whether that is too late to wake somebody: `as_sent`.
"""

import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.messages.message import Keep, Message
from service.mqtt.suspects import Suspects
from service.mqtt.wire.connection import Connection
from service.mqtt.wire.exchange import Answer
from service.storage.outbox import Outbox

log = logging.getLogger(__name__)

WINDOW = 10
"""Messages under way at once, half of `limits.UNDER_WAY`; the other half is for the states, so that a long backlog does
not hold up `status` and `health`."""

_HOPELESS = {144, 153}
"""Topic name invalid, payload format invalid (MQTT 5, 2.4): the message itself is at fault."""

EVENT_TOPICS: Final = ("/event", "/fault")
"""How the topics of events end."""

LATENCY: Final = "latency_publish_ms"

STALE_S: Final = 60.0
"""Age (seconds) from which an event is history, unless its episode goes on. A broker that restarts is found within
10 s, a worker that fell behind is at most 30 s late: that is still news. A family that is woken a minute later, by a
cry that is over, learns to distrust the alarm."""


class Delivery:
    """At least once: what is under way when the connection ends is sent again on the next one.

    In order of its adding; where more than a window waits, an event does not wait for the cry segments before it.

    A refusal that a person can lift (no right to the topic, quota, size) is not tried again on this connection, until
    the broker takes another message on the same topic: then all that was refused there goes out. It stays in the
    outbox, whose bounds drop and count it if nobody lifts the refusal. A hopeless message is dropped and counted at
    once. What is larger than the broker takes, or was set aside because it breaks the connection, stays, too.

    Args:
        outbox: What waits.
        connection: Connected.
        suspects: Says what is set aside.
        left_out: Told of each message that is larger than the broker takes.
        unanswered: Says which episodes are open and unanswered now: what is told of them late still alerts.
    """

    def __init__(
        self,
        outbox: Outbox,
        connection: Connection,
        suspects: Suspects,
        *,
        left_out: Callable[[Message], None],
        unanswered: Callable[[], Collection[str]],
    ) -> None:
        self._outbox = outbox
        self._unanswered = unanswered
        self._connection = connection
        self._suspects = suspects
        self._left_out = left_out
        self._after = 0  # all up to this seq are under way, refused or done
        self._urgent_after = 0  # the same of events alone, which overtake segments where there is a queue
        self._under_way: dict[int, int] = {}  # number of the PUBLISH -> seq
        self._refused: dict[int, str] = {}  # seq -> topic
        self._aside: set[int] = set()  # seqs of what breaks the connection

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits that could go now."""
        return not self._under_way and self._after >= self._outbox.last_seq

    @property
    def waits(self) -> bool:
        """Whether something waits that was not tried on this connection."""
        return self._after < self._outbox.last_seq and self._outbox.waiting > self._held

    @property
    def _held(self) -> int:
        return len(self._under_way) + len(self._refused) + len(self._aside)

    @property
    def under_way(self) -> int:
        """Messages that the broker has not answered yet."""
        return len(self._under_way)

    def step(self, window: int = WINDOW) -> None:
        """Publishes what waits, until `window` messages are under way."""
        if due := {seq for seq in self._aside if not self._suspects.is_aside(_key(seq))}:
            self._aside -= due
            self._rewind(min(due))
        if self._outbox.waiting > WINDOW:
            self._urgent_after = self._fill(window, self._urgent_after, Keep.EVENT)
        self._after = self._fill(window, self._after, Keep.SEGMENT)

    def _fill(self, window: int, after: int, least: Keep) -> int:
        """Publishes what is of that rank or more and comes after `after`; returns up to where it got."""
        while len(self._under_way) < window and after < (newest := self._outbox.last_seq):
            rows = self._outbox.pending(after=after, limit=WINDOW, least=least)
            busy = set(self._under_way.values())
            unanswered = self._unanswered()
            for row in rows:
                if len(self._under_way) >= window:
                    return after
                after = row.seq
                if row.seq in busy or row.seq in self._refused:
                    continue
                if self._suspects.is_aside(_key(row.seq)):
                    self._aside.add(row.seq)
                    continue
                message = as_sent(row.message, time.time(), unanswered)
                if self._connection.fits(message):
                    self._under_way[self._connection.publish(message, _key(row.seq))] = row.seq
                else:
                    self._left_out(message)
            if not rows:
                return newest  # of before the look: what was added since is still to be found
        return after

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
            self._rewind(min(again))

    def _rewind(self, seq: int) -> None:
        self._after = min(self._after, seq - 1)
        self._urgent_after = min(self._urgent_after, seq - 1)


def _key(seq: int) -> str:
    return f"event {seq}"


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
