"""The devices of the family: who they are by the token in their cookie. On disk lie hashes alone."""

import hashlib
import logging
import secrets
import time
from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import BaseModel, Field

from service.settings.base import Id
from service.storage.documents import DocumentStore
from service.storage.schemas import Instant
from service.web.roles import Role

DOCUMENT: Final = "devices"
"""Name in the store."""
DEVICES_BOUND: Final = 100
"""Devices at most: more than a family has; then the one seen longest ago goes."""
TOKEN_BYTES: Final = 32
"""Of randomness: nobody finds one by trying, so a plain hash protects it."""
SEEN_S: Final = 600.0
"""Seconds between two notes on disk of when a device was seen last: nobody asks for the minute."""
NAME_CHARS: Final = 64
"""Longest name of a device."""

_log = logging.getLogger(__name__)


class Device(BaseModel):
    """One paired device."""

    role: Role
    room: Id | None = None
    """Of a microphone: the id of its one room."""
    name: Annotated[str, Field(max_length=NAME_CHARS)] = ""
    """For a person: `Android, Chrome`."""
    token: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """SHA-256 of the token in its cookie."""
    paired: Instant
    """Wall time (Unix seconds)."""
    seen: Instant
    """Wall time (Unix seconds) of its last request, to some minutes."""


def hash_of(token: str) -> str:
    """Returns what is kept of a token; what is no text in a header (surrogates) is no token of ours either."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()


class Devices:
    """All of them, by id. Used by the web thread alone.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: DocumentStore) -> None:
        self._store = store
        self._devices = store.entries(DOCUMENT, lambda _, device: Device.model_validate(device))
        self._noted = {one: device.seen for one, device in self._devices.items()}

    def __iter__(self) -> Iterator[tuple[str, Device]]:
        return iter(list(self._devices.items()))

    @property
    def owned(self) -> bool:
        """Whether there is an owner."""
        return any(device.role is Role.OWNER for device in self._devices.values())

    def pair(self, role: Role, room: str | None, name: str) -> tuple[str, str]:
        """Takes a device into the family; returns its id and the token of its cookie, which is kept nowhere else."""
        now, token, device = time.time(), secrets.token_urlsafe(TOKEN_BYTES), secrets.token_hex(4)
        while len(self._devices) >= DEVICES_BOUND:
            oldest = min(self._devices, key=lambda one: self._devices[one].seen)
            _log.warning("%d devices are paired, so %s is forgotten", DEVICES_BOUND, self._devices.pop(oldest).name)
        self._devices[device] = Device(
            role=role, room=room, name=name[:NAME_CHARS], token=hash_of(token), paired=now, seen=now
        )
        self._save()
        return device, token

    def rename(self, device: str, name: str) -> bool:
        """Gives a device another name, of at most `NAME_CHARS`; returns whether there is one."""
        if device not in self._devices:
            return False
        self._devices[device].name = name
        self._save()
        return True

    def remove(self, device: str) -> bool:
        """Forgets a device: its cookie is worth nothing from now on; returns whether there was one."""
        if self._devices.pop(device, None) is None:
            return False
        self._save()
        return True

    def of_token(self, token: str) -> tuple[str, Device] | None:
        """Returns the device that shows this token, where it is one of the family, and notes that it was seen."""
        hashed, now = hash_of(token), time.time()
        for one, device in self._devices.items():
            if secrets.compare_digest(device.token, hashed):
                device.seen = now
                if now - self._noted.get(one, 0.0) > SEEN_S:
                    self._save()
                return one, device
        return None

    def _save(self) -> None:
        self._noted = {one: device.seen for one, device in self._devices.items()}
        self._store.save(DOCUMENT, {one: device.model_dump(mode="json") for one, device in self._devices.items()})
