"""Pairing: an invitation becomes a device of the family; the owner lists devices, invites and removes them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.messages.message import iso_utc
from service.web.access import DEVICE, Access, RefusedError
from service.web.board import Board
from service.web.family.devices import Devices
from service.web.family.invitations import Invitations
from service.web.roles import Role

OVER: Final = "this link was used, or its ten minutes are over; make another one"

_SYSTEMS: Final = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")
_BROWSERS: Final = ("Edg", "Firefox", "SamsungBrowser", "Chrome", "Safari")
"""In the order in which they are looked for: many say that they are another one, too."""


class PairRequest(BaseModel):
    """Body of `POST /api/pair`."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=100)]
    role: Role | None = None
    """What the device is to be; an owner's link may make any."""


class InviteRequest(BaseModel):
    """Body of `POST /api/devices`."""

    model_config = ConfigDict(extra="forbid")

    role: Role


@dataclass(frozen=True, slots=True)
class Pairing:
    """The routes of devices. Used by the web thread alone."""

    access: Access
    devices: Devices
    invitations: Invitations
    board: Board
    names: Mapping[str, str]
    """What people call each room, by id."""
    link: Callable[[str], str]
    """Makes the address of a token."""

    async def me(self, request: web.Request) -> web.Response:
        """`GET /api/me`: who this device is; a microphone learns of its own room alone."""
        _, device = request[DEVICE]
        rooms = self.names if device.room is None else {device.room: self.names.get(device.room, device.room)}
        response = web.json_response({"role": device.role, "room": device.room, "rooms": dict(rooms)})
        self.access.renew_cookie(request, response)
        return response

    async def pair(self, request: web.Request) -> web.Response:
        """`POST /api/pair`: spends an invitation; 410 where it does not hold any more."""
        try:
            asked = PairRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, 'give {"token": ...}') from None
        invitation = self.invitations.look(asked.token)
        if invitation is None:
            raise RefusedError(HTTPStatus.GONE, OVER)
        role = asked.role or invitation.role
        if role is not invitation.role and invitation.role is not Role.OWNER:
            raise RefusedError(HTTPStatus.FORBIDDEN, f"this link makes a {invitation.role}")
        if not self.invitations.spend(asked.token):
            raise RefusedError(HTTPStatus.GONE, OVER)
        _, token = self.devices.pair(role, None, _device_name(request.headers.get("User-Agent", "")))
        response = web.json_response({"role": role, "room": None}, status=HTTPStatus.CREATED)
        self.access.give_cookie(response, token)
        return response

    async def list_devices(self, request: web.Request) -> web.Response:
        """`GET /api/devices`: all, the newest first."""
        mine, _ = request[DEVICE]
        listed = [
            {
                "id": one,
                "role": device.role,
                "room": device.room,
                "name": device.name,
                "paired": iso_utc(device.paired),
                "seen": iso_utc(device.seen),
                "this": one == mine,
            }
            for one, device in sorted(self.devices, key=lambda pair: -pair[1].paired)
        ]
        return web.json_response({"devices": listed})

    async def invite(self, request: web.Request) -> web.Response:
        """`POST /api/devices`: makes an invitation; returns its link."""
        try:
            asked = InviteRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f'give {{"role": one of {", ".join(Role)}}}') from None
        try:
            token = await asyncio.to_thread(self.invitations.invite, asked.role)
        except OSError as error:
            raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"the disk refuses: {error.strerror}") from error
        return web.json_response({"link": self.link(token)}, status=HTTPStatus.CREATED)

    async def remove(self, request: web.Request) -> web.Response:
        """`DELETE /api/devices/{device}`: its cookie is worth nothing from now on, and what it looks at ends."""
        device = request.match_info["device"]
        if not self.devices.remove(device):
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such device")
        self.board.remove(device)
        return web.json_response({})


def _device_name(agent: str) -> str:
    """`Android, Chrome`: of what a browser says of itself."""
    found = [next((word for word in words if word in agent), "") for words in (_SYSTEMS, _BROWSERS)]
    return ", ".join(filter(None, found)).replace("Edg", "Edge").replace("Macintosh", "Mac") or "?"
