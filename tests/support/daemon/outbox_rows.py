"""Messages for an outbox, and what waits in one."""

from service.messages.message import Keep, Message
from service.storage.outbox import Outbox


def message(payload: str, keep: Keep = Keep.EVENT) -> Message:
    return Message("monitord/home/room/event", payload, retain=False, qos=1, keep=keep)


def payloads(outbox: Outbox) -> list[str]:
    return [row.message.payload for row in outbox.pending(after=0, limit=100_000)]
