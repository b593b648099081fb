"""The last figure of an event's latency, which only its sender knows: from the last sample to the PUBLISH."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.messages import Message

EVENT_TOPIC: Final = "/event"
"""How the topics of events end."""

STAMP: Final = "latency_publish_ms"


def stamped(message: Message, now: float) -> Message:
    """Returns an event with `latency_publish_ms`, from its `ts` to `now` (Unix seconds); anything else as it is.

    An event that waited on disk for a broker says how late it is told.
    """
    if not message.topic.endswith(EVENT_TOPIC):
        return message
    try:
        values = json.loads(message.payload)
        late_ms = round((now - datetime.fromisoformat(values["ts"]).timestamp()) * 1000)
        payload = json.dumps({**values, STAMP: max(0, late_ms)}, separators=(",", ":"))
    except (ValueError, TypeError, KeyError):  # no event of ours: told as it is rather than not at all
        return message
    return replace(message, payload=payload)
