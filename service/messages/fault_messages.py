"""`<source>/fault`: that a room was not heard, and is again, as events that wait for a broker that is away.

`health` and `status` say how a room stands now, and only that: a fault that came and went while the broker was away
would leave no trace there. It has a topic of its own, because whoever listens to `event` expects a cry.
"""

from monitord.faults import Fault
from service.messages.message import Keep, Message, Node, iso_utc, json_message


def fault_event(
    node: Node, source: str, fault: Fault, *, message_id: str, ts: float, since: float, detail: str = ""
) -> Message:
    """`<source>/fault`, with `event_type` `fault` or `recovered`.

    Args:
        node: Who speaks.
        source: Id of the source.
        fault: What is wrong now; `ok` tells the recovery.
        message_id: Unique for ever: receivers drop doubles by it.
        ts: Wall time at which it was noticed (Unix seconds).
        since: Wall time at which the state before this one began (Unix seconds): of a recovery, when the fault came.
        detail: What the source knows more, for a person; without passwords.
    """
    values = {
        "event_type": "recovered" if fault == "ok" else "fault",
        "id": message_id,
        "ts": iso_utc(ts),
        "node": node.name,
        "source": source,
        "fault": fault,
        "since": iso_utc(since),
        "severity": "info" if fault == "ok" else "fault",
        "detail": detail,
    }
    return json_message(node, f"{node.root}/{source}/fault", values, Keep.EVENT)
