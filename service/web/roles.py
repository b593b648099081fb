"""Who a device of the family may be, and which routes each role may use: the one table of rights."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a paired device may."""

    MICROPHONE = "microphone"
    """Sends the sound of its one room; sees and hears nothing."""
    GUEST = "guest"
    """Sees and hears."""
    PARENT = "parent"
    """Also acts."""
    OWNER = "owner"
    """Also pairs devices, names them and removes them."""


_EVERYBODY: Final = frozenset(Role)
_WHO_SEES: Final = frozenset({Role.GUEST, Role.PARENT, Role.OWNER})
_WHO_ACTS: Final = frozenset({Role.PARENT, Role.OWNER})
_OWNER: Final = frozenset({Role.OWNER})

SMALL_BODY: Final = 16 * 1024
"""Bytes: more than any request has that is no sound."""
SOUND_BODY: Final = 4 * 2 * 192_000
"""Bytes: 4 s of sound at 192 kHz, the most that a page sends at once, at the highest rate of a browser."""


@dataclass(frozen=True, slots=True)
class Right:
    """Who may use a route, and how much they may send to it."""

    roles: frozenset[Role]
    body: int = SMALL_BODY
    """Bytes at most."""


RIGHTS: Final[Mapping[tuple[str, str], Right]] = {
    ("GET", "/api/me"): Right(_EVERYBODY),
    ("POST", "/api/microphone/{room}"): Right(frozenset({Role.MICROPHONE}), SOUND_BODY),
    ("GET", "/api/live"): Right(_WHO_SEES),
    ("GET", "/api/listen/{room}"): Right(_WHO_SEES),
    ("GET", "/api/night"): Right(_WHO_SEES),
    ("GET", "/api/clips/{episode}"): Right(_WHO_SEES),
    ("GET", "/api/clips/{episode}/picture"): Right(_WHO_SEES),
    ("DELETE", "/api/clips/{episode}"): Right(_WHO_ACTS),
    ("POST", "/api/command"): Right(_WHO_ACTS),
    ("POST", "/api/check"): Right(_WHO_ACTS),
    ("GET", "/api/devices"): Right(_OWNER),
    ("POST", "/api/devices"): Right(_OWNER),
    ("POST", "/api/devices/{device}"): Right(_OWNER),
    ("DELETE", "/api/devices/{device}"): Right(_OWNER),
}
"""By method and path, as the router writes it: every route of `/api/` that needs a paired device has its row; one
without a row is refused to all."""

STATION_RIGHTS: Final[Mapping[tuple[str, str], Right]] = {("GET", "/api/ward"): Right(_WHO_SEES)}
"""The same of a ward's nurse station."""

PUBLIC: Final[Mapping[tuple[str, str], Right]] = {("POST", "/api/pair"): Right(_EVERYBODY)}
"""Routes for whoever has no device yet: pairing needs its token instead."""
