"""What only the sender of an event knows: how late it is told, and whether that is too late to wake somebody."""

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.messages.message import Message

EVENT_TOPICS: Final = ("/event", "/fault")
"""How the topics of events end."""

STAMP: Final = "latency_publish_ms"

STALE_S: Final = 60.0
"""Age (seconds) from which an event is history, unless its episode goes on. A broker that restarts is found within
10 s, a worker that fell behind is at most 30 s late: that is still news. A family that is woken a minute later, by a
cry that is over, learns to distrust the alarm."""


def unanswered(states: Iterable[Message]) -> set[str]:
    """Returns the episodes that are open and that nobody has answered, from the newest `<source>/state` of each."""
    values = [json.loads(state.payload) for state in states]
    return {each["episode"] for each in values if each["crying"] and not each["acknowledged"]}


def stamped(message: Message, now: float, unanswered: Collection[str] = ()) -> Message:
    """Returns an event as it is sent at `now` (Unix seconds); anything else as it is.

    It gets `latency_publish_ms`, from its `ts` to `now`. One that waited for a broker longer than `STALE_S` is marked
    `stale` and alerts nobody, unless its episode goes on and nobody has answered it.

    Args:
        message: As it was written when it happened.
        now: Wall time of the sending.
        unanswered: Ids of the episodes of which that is true.
    """
    if not message.topic.endswith(EVENT_TOPICS):
        return message
    try:
        values = json.loads(message.payload)
        late_s = now - datetime.fromisoformat(values["ts"]).timestamp()
        values[STAMP] = max(0, round(late_s * 1000))
        if late_s > STALE_S and values.get("episode") not in unanswered:
            values |= {"stale": True, "alert": False}
        payload = json.dumps(values, separators=(",", ":"))
    except (ValueError, TypeError, KeyError):  # no event of ours: told as it is rather than not at all
        return message
    return replace(message, payload=payload)
