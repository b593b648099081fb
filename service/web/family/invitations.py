"""Invitations: links that pair one device, once, within ten minutes. Files, so that a command can make them.

Each is a file of the state directory that is named by the hash of its token; who can remove it has spent it.
"""

import contextlib
import json
import os
import secrets
import time
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from service.settings.base import Id
from service.storage.schemas import Instant
from service.web.family.devices import TOKEN_BYTES, hash_of
from service.web.roles import Role

VALID_S: Final = 600.0
"""Seconds for which an invitation holds: the time to fetch the phone."""
FOLDER: Final = "invitations"
"""In the state directory."""


class Invitation(BaseModel):
    """What a device will be."""

    role: Role
    room: Id | None = None
    """Of a microphone: its room; None: whoever holds the device says it."""
    ends: Instant
    """Wall time (Unix seconds) from which it does not hold any more."""


class Invitations:
    """Any process that may write into the state directory makes them; any may spend them.

    Args:
        state_dir: The daemon's.
    """

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / FOLDER

    def invite(self, role: Role, room: str | None = None) -> str:
        """Returns the token of a new invitation; OSError where the disk refuses."""
        self._forget_old()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        token = secrets.token_urlsafe(TOKEN_BYTES)
        invitation = Invitation(role=role, room=room, ends=time.time() + VALID_S)
        path = self._path(token)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(invitation.model_dump(mode="json"), file)
        if os.geteuid() == 0:  # typed with sudo, for a service with a user of its own
            owner = self._folder.parent.stat()
            for made in (self._folder, fresh):
                os.chown(made, owner.st_uid, owner.st_gid)
        fresh.replace(path)
        return token

    def look(self, token: str) -> Invitation | None:
        """Returns what the token invites to, while it holds."""
        try:
            invitation = Invitation.model_validate_json(self._path(token).read_bytes())
        except (OSError, ValidationError):
            return None
        return invitation if 0 < invitation.ends - time.time() <= VALID_S else None  # a clock may be put back

    def spend(self, token: str) -> bool:
        """Uses the invitation up; True for one caller alone."""
        try:
            self._path(token).unlink()
        except OSError:
            return False
        return True

    def _path(self, token: str) -> Path:
        return self._folder / f"{hash_of(token)}.json"

    def _forget_old(self) -> None:
        with contextlib.suppress(OSError):  # no folder yet; or somebody else tidies up, too
            for path in self._folder.iterdir():
                if abs(time.time() - path.stat().st_mtime) > VALID_S:
                    path.unlink(missing_ok=True)
