"""What only the sender of an event knows: how late it is told, and whether that is too late to wake somebody."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.messages.message import Message

EVENT_TOPICS: Final = ("/event", "/fault")
"""How the topics of events end."""

LATENCY: Final = "latency_publish_ms"

STALE_S: Final = 60.0
"""Age (seconds) from which an event is history, unless its episode goes on. A broker that restarts is found within
10 s, a worker that fell behind is at most 30 s late: that is still news. A family that is woken a minute later, by a
cry that is over, learns to distrust the alarm."""


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
