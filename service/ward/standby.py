"""Whether somebody has a shard now: what whoever was not asked to take it looks at before it claims."""

import contextlib
import math
import threading
import time
from typing import Final

from service.mqtt.errors import ConnectionOverError
from service.ward.broker import connected, read_kept
from service.ward.claim import UPTIME, claim_topic, lease_topic, read_kept_lease
from service.ward.fence import Read, listen_s, nobody_has
from service.ward.host import FOLDER
from service.ward.place import Place
from service.ward.settings import WardConfig

LOOK_S: Final = 2.0
"""Between two looks at whether the shard is still another's (seconds)."""
_PUMP_S: Final = 0.1
"""Longest wait in one look (seconds)."""


def somebody_has(ward: WardConfig, node: str, stop: threading.Event) -> bool:
    """Whether another process shows signs of life: it hears the shard, or has claimed it and waits until it may.

    Who only waits has it, too: it hears once a lease is over, and two that claimed from each other while they waited
    would wait for ever. It is listened to for as long as whoever hears may say nothing, or until the broker forgets its
    last sign: a busy machine, or one whose connection has just broken, is no dead one.

    It need not listen where the last sign is so old that the broker has forgotten it, where the one before has left,
    or where it is dead for sure, for its place is ours. Asked to stop it says that somebody has it.

    Raises:
        ConnectionOverError: Nobody can tell.
        ConfigError: A password file cannot be used, or the state directory cannot be kept.
    """
    claims, leases = claim_topic(node), lease_topic(node)
    with connected(ward.mqtt) as connection:
        forgets_s: dict[str, float] = {}
        kept = read_kept(connection, [claims, leases, UPTIME], forgets_s)
        seen = Read.of(node, kept, forgets_s.get(leases, math.inf))
        place = Place(ward.config(node).state_dir / FOLDER)
        try:
            dead = seen.claim is not None and seen.claim.place == place.open() and place.lock()
        finally:
            place.close()
        if nobody_has(seen, ward.terms, dead=dead):
            return False
        until = time.monotonic() + listen_s(seen, ward.terms)
        while time.monotonic() < until and not stop.is_set():
            connection.pump(_PUMP_S)
            connection.answers.clear()
            while connection.incoming:
                came = connection.incoming.popleft()
                lease = read_kept_lease(bytes(came.payload)) if came.topic == leases else None
                # One that was kept may be of somebody who is dead by now.
                if not came.retain and lease is not None and not lease.left:
                    return True
    return stop.is_set()


def stand_by(ward: WardConfig, node: str, stop: threading.Event) -> None:
    """Waits until nobody shows a sign of life, or until asked to stop.

    So a shard that was claimed by hand is claimed back when that process is gone, and not before.
    """
    while not stop.wait(LOOK_S):
        with contextlib.suppress(ConnectionOverError):  # nobody can tell
            if not somebody_has(ward, node, stop):
                return
