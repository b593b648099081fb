"""`monitord ward drain`: tells what a shard that was heard here once left on this disk, each with its own id."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError
from service.messages.message import Message
from service.mqtt.delivery import Delivery
from service.mqtt.suspects import Suspects
from service.mqtt.wire.connection import Connection
from service.storage.outbox import Outbox
from service.storage.state_lock import only_one
from service.ward.broker import connected, publish_all
from service.ward.host import FOLDER, OUTBOX, delivered
from service.ward.place import Place
from service.ward.settings import WardConfig

PATIENCE_S: Final = 10.0
"""Seconds without an answer of the broker after which it is given up."""

_PUMP_S: Final = 0.1
"""Longest wait in one look (seconds)."""


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of one shard's outbox."""

    node: str
    told: int
    """Messages that the broker has now."""
    waiting: int
    """Messages that it does not take."""
    busy: bool = False
    """Whether the shard is heard here now, and tells them itself."""


def drain(ward: WardConfig, nodes: list[str]) -> list[Drained]:
    """Tells what waits on this disk of these shards, or of all.

    Raises:
        ConfigError: There is no such shard, its directory is not ours, or a password file cannot be used.
        ConnectionOverError: No broker answers, or it is gone; what it has taken is told.
    """
    shards = ward.shards
    if strange := [node for node in nodes if node not in shards]:
        raise ConfigError(f"there is no shard {strange[0]!r}; there are {', '.join(shards)}")
    folders = {node: ward.config(node).state_dir for node in nodes or shards}
    return [_drained(ward, node, folder) for node, folder in folders.items() if _was_heard(folder)]


def _was_heard(folder: Path) -> bool:
    """Whether the shard was ever heard here; ConfigError where this user cannot know, or tell what is left."""
    outbox = folder / OUTBOX
    try:
        outbox.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(f"{outbox}: cannot be read ({error.strerror}); run it as the shards' user") from error
    if not os.access(outbox, os.R_OK | os.W_OK):
        raise ConfigError(f"{outbox}: belongs to another user; run it as the shards' user")
    return True


def _drained(ward: WardConfig, node: str, folder: Path) -> Drained:
    place = Place(folder / FOLDER)
    place_id = place.open()
    try:
        if not place.lock():
            return Drained(node, 0, 0, busy=True)
        with only_one(folder), Outbox(folder / OUTBOX) as outbox, connected(ward.mqtt) as connection:
            before = outbox.waiting
            _tell(outbox, connection)
            if not outbox.waiting:
                publish_all(connection, [delivered(node, place_id)])
            return Drained(node, before - outbox.waiting, outbox.waiting)
    finally:
        place.close()


def _tell(outbox: Outbox, connection: Connection) -> None:
    """Tells all that the broker takes, in order, as late as it is."""
    left_out: list[Message] = []
    delivery = Delivery(outbox, connection, Suspects(), left_out=left_out.append, unanswered=tuple)
    until = time.monotonic() + PATIENCE_S
    while not delivery.idle and time.monotonic() < until:
        delivery.step()
        connection.pump(_PUMP_S)
        if connection.answers:
            until = time.monotonic() + PATIENCE_S
            delivery.take(list(connection.answers))
            connection.answers.clear()
