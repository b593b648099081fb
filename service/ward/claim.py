"""What shards say to each other through the broker: who may hear a slice of rooms, and for how long. Pure.

A *claim* says whose the shard is: retained, the last one written holds. A *lease* says that its writer was there a
moment ago: retained too, but the broker forgets it by itself (MQTT 5, message expiry), so that its absence is a proof.
"""

import json
from dataclasses import asdict, dataclass
from typing import Annotated, Final, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

ROOT: Final = "monitord_ward"
"""Of all topics here. Not under `monitord/`, which whoever may ask for rooms may write to in part."""

UPTIME: Final = "$SYS/broker/uptime"
"""mosquitto's word on how long it has run: `4711 seconds`, renewed every 10 s, never too long."""

_MOST: Final = 200
"""Characters of a token or a place: ours have 32."""

_Word = Annotated[str, Field(max_length=_MOST)]


@dataclass(frozen=True, slots=True)
class Claim:
    """Whose a shard is."""

    epoch: Annotated[int, Field(ge=1)]
    """Grows with each claim: a broker that says a smaller one than ours has forgotten the newest."""
    token: _Word
    """Of one process; no other ever has the same."""
    place: _Word
    """Of the state directory that the process has locked."""
    machine: _Word = ""
    """For people."""


@dataclass(frozen=True, slots=True)
class Lease:
    """A sign of life of the one with this token."""

    token: _Word
    number: int
    """Counts them, so that one that comes back says when it was sent."""
    hearing: bool
    """Whether it hears, or waits for another to leave."""
    left: bool = False
    """Whether it heard, has left, and will not come back."""


T = TypeVar("T", Claim, Lease)

_CLAIM, _LEASE = TypeAdapter(Claim), TypeAdapter(Lease)


def claim_topic(node: str) -> str:
    """Where a shard's claim is."""
    return f"{ROOT}/{node}/claim"


def lease_topic(node: str) -> str:
    """Where its lease is."""
    return f"{ROOT}/{node}/lease"


def sentinel_topic(node: str, token: str) -> str:
    """Where a process tells itself that it has read all that was retained."""
    return f"{ROOT}/{node}/read/{token}"


def payload(value: Claim | Lease) -> dict[str, object]:
    """Returns its values of JSON."""
    return asdict(value)


def read_claim(text: bytes) -> Claim | None:
    """Returns a claim; None for an empty payload, or one that is none of ours."""
    return _read(_CLAIM, text)


def read_lease(text: bytes) -> Lease | None:
    """Returns a lease; None for an empty payload, or one that is none of ours."""
    return _read(_LEASE, text)


def read_kept_lease(text: bytes) -> Lease | None:
    """Returns what a broker keeps; None only where it keeps nothing: what cannot be read is somebody's all the same."""
    return read_lease(text) or (Lease("", 0, hearing=False) if text else None)


def read_uptime_s(text: bytes) -> float:
    """Returns for how long a broker says that it has run (seconds); 0 where that cannot be read."""
    number = text.decode(errors="replace").partition(" ")[0]
    return float(number) if number.isdecimal() else 0.0


def _read(kind: TypeAdapter[T], text: bytes) -> T | None:
    try:
        return kind.validate_python(json.loads(text))
    except (ValueError, ValidationError, RecursionError):
        return None
