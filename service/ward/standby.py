"""Whether somebody has a shard now: what whoever was not asked to take it looks at before it claims."""

import contextlib
import threading
import time
from typing import Final

from service.mqtt.errors import ConnectionOverError
from service.ward.broker import connected, read_kept
from service.ward.claim import claim_topic, lease_topic, read_claim, read_lease
from service.ward.fence import RENEW_S
from service.ward.host import FOLDER
from service.ward.place import Place
from service.ward.settings import WardConfig

LISTEN_S: Final = 2.5 * RENEW_S
"""For how long it listens (seconds): who has a shard shows two signs of life in that time."""
LOOK_S: Final = 2.0
"""Between two looks at whether the shard is still another's (seconds)."""
_PUMP_S: Final = 0.1
"""Longest wait in one look (seconds)."""


def somebody_has(ward: WardConfig, node: str) -> bool:
    """Whether another process shows signs of life: it hears the shard, or has claimed it and waits until it may.

    Who only waits has it, too: it hears once a lease is over, and two that claimed from each other while they waited
    would wait for ever.

    It need not listen where the last sign is so old that the broker has forgotten it, where the one before has left,
    or where it is dead for sure, for its place is ours.

    Raises:
        ConnectionOverError: Nobody can tell.
        ConfigError: A password file cannot be used, or the state directory cannot be kept.
    """
    with connected(ward.mqtt) as connection:
        kept = read_kept(connection, [claim_topic(node), lease_topic(node)])
        claim, lease = read_claim(kept.get(claim_topic(node), b"")), read_lease(kept.get(lease_topic(node), b""))
        if claim is None or lease is None or lease.left:
            return False
        place = Place(ward.config(node).state_dir / FOLDER)
        try:
            if claim.place == place.open() and place.lock():
                return False
        finally:
            place.close()
        until = time.monotonic() + LISTEN_S
        while time.monotonic() < until:
            connection.pump(_PUMP_S)
            connection.answers.clear()
            while connection.incoming:
                came = connection.incoming.popleft()
                lease = read_lease(bytes(came.payload)) if came.topic == lease_topic(node) else None
                # One that was kept may be of somebody who is dead by now.
                if not came.retain and lease is not None and not lease.left:
                    return True
    return False


def stand_by(ward: WardConfig, node: str, stop: threading.Event) -> None:
    """Waits until nobody shows a sign of life, or until asked to stop.

    So a shard that was claimed by hand is claimed back when that process is gone, and not before.
    """
    while not stop.wait(LOOK_S):
        with contextlib.suppress(ConnectionOverError):  # nobody can tell
            if not somebody_has(ward, node):
                return
