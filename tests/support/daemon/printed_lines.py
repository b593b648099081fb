"""Lines as the daemon prints them."""

from monitord.types import EventType
from service.messages.json_lines import Line


def event_line(event_type: EventType, **more: object) -> Line:
    values: Line = {"kind": "event", "event_type": event_type, "source": "nursery", "t_s": 52.0, "onset_s": 11.2}
    return {**values, "episode": 1, "p_cry": 0.953, "reason": "none", "reason_p": 0.0, **more}


SEGMENT: Line = {"kind": "segment", "source": "bed", "t_s": 1.0, "duration_s": 1.34, "p_cry": 0.98, "reason": "unsure"}
