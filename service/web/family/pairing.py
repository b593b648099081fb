"""Pairing: an invitation becomes a device of the family; the owner lists devices, invites and removes them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from service.messages.message import iso_utc
from service.settings.base import Id
from service.web.access import CALLER, RefusedError
from service.web.address.addresses import Addresses
from service.web.cookies import Cookies
from service.web.family.devices import NAME_CHARS as DEVICE_NAME_CHARS
from service.web.family.devices import Devices
from service.web.family.invitations import Invitations
from service.web.family.rooms import NAME_CHARS, NewRooms
from service.web.roles import Role

NO_DEVICE: Final = "there is no such device"
OVER: Final = "this link was used, or its ten minutes are over; make another one"

RESTART_S: Final = 0.3
"""Seconds from the answer to a phone that made a room to the daemon's new start."""

_SYSTEMS: Final = ("iPhone", "iPad", "Android", "Windows", "Macintosh", "CrOS", "Linux")
_BROWSERS: Final = ("Edg", "Firefox", "SamsungBrowser", "Chrome", "Safari")
"""In the order in which they are looked for: many say that they are another one, too."""


class PairRequest(BaseModel):
    """Body of `POST /api/pair`."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=100)]
    look: bool = False
    """Whether it only asks what the token invites to."""
    role: Role | None = None
    """What the device is to be; an owner's link may make any."""
    room: Id | None = None
    """Of a microphone whose link names no room: one that is there; None: a new one."""
    name: Annotated[str, Field(max_length=NAME_CHARS)] = ""
    """What people call a new one."""


class InviteRequest(BaseModel):
    """Body of `POST /api/devices`."""

    model_config = ConfigDict(extra="forbid")

    role: Role


class RenameRequest(BaseModel):
    """Body of `POST /api/devices/{device}`."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, Field(min_length=1, max_length=DEVICE_NAME_CHARS)]
    """What the family calls it."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """The routes of devices. Used by the web thread alone."""

    cookies: Cookies
    devices: Devices
    invitations: Invitations
    end: Callable[[str], None]
    """Ends what a device sees and hears, by its id."""
    names: Mapping[str, str]
    """What people call each room, by id."""
    addresses: Addresses
    """Of the page, for links to it."""
    rooms: NewRooms

    async def me(self, request: web.Request) -> web.Response:
        """`GET /api/me`: who this device is, and the page's own address; a microphone learns of its own room alone.

        And by `begins_anew` that the daemon is about to begin anew with that room.
        """
        caller = request[CALLER]
        rooms = self.names if caller.room is None else {caller.room: self.rooms.name(caller.room)}
        values: dict[str, object] = {
            "role": caller.role,
            "room": caller.room,
            "rooms": dict(rooms),
            "page": self.addresses.page,
        }
        if caller.room is not None:
            values["begins_anew"] = caller.room not in self.names
        response = web.json_response(values)
        self.cookies.renew(request, response)
        return response

    async def pair(self, request: web.Request) -> web.Response:
        """`POST /api/pair`: looks at an invitation, or spends it; 410 where it does not hold any more."""
        try:
            asked = PairRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, 'give {"token": ...}') from None
        invitation = self.invitations.look(asked.token)
        if invitation is None:
            raise RefusedError(HTTPStatus.GONE, OVER)
        if asked.look:
            values = {"role": invitation.role, "room": invitation.room, "rooms": self.rooms.open_to_phones()}
            return web.json_response(values)
        role = asked.role or invitation.role
        if role is not invitation.role and invitation.role is not Role.OWNER:
            raise RefusedError(HTTPStatus.FORBIDDEN, f"this link makes a {invitation.role}")
        room = None
        if role is Role.MICROPHONE:
            try:
                room = self.rooms.room(invitation.room or asked.room, asked.name.strip())
            except OSError as error:
                raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"the disk refuses: {error}") from error
            if room is None:
                raise RefusedError(HTTPStatus.CONFLICT, "this room has another microphone, or there are too many rooms")
        if not self.invitations.spend(asked.token):
            raise RefusedError(HTTPStatus.GONE, OVER)
        _, token = self.devices.pair(role, room, _device_name(request.headers.get("User-Agent", "")))
        response = web.json_response({"role": role, "room": room}, status=HTTPStatus.CREATED)
        self.cookies.give(response, token)
        if room is not None and room not in self.names:  # after the answer is on its way
            asyncio.get_running_loop().call_later(RESTART_S, self.rooms.restart)
        return response

    async def list_devices(self, request: web.Request) -> web.Response:
        """`GET /api/devices`: all, the newest first."""
        mine = request[CALLER].id
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
        """`POST /api/devices`: makes an invitation; returns its link, and a QR code of it as a `data:` address."""
        try:
            asked = InviteRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, f'give {{"role": one of {", ".join(Role)}}}') from None
        try:
            token = await asyncio.to_thread(self.invitations.invite, asked.role)
        except OSError as error:
            raise RefusedError(HTTPStatus.INSUFFICIENT_STORAGE, f"the disk refuses: {error.strerror}") from error
        link = self.addresses.link(token)
        return web.json_response({"link": link, "picture": _qr_code(link)}, status=HTTPStatus.CREATED)

    async def rename(self, request: web.Request) -> web.Response:
        """`POST /api/devices/{device}`: gives it another name, which also says who went."""
        try:
            asked = RenameRequest.model_validate_json(await request.read())
        except ValidationError:
            why = f'give {{"name": ...}}, of at most {DEVICE_NAME_CHARS} letters'
            raise RefusedError(HTTPStatus.BAD_REQUEST, why) from None
        if not self.devices.rename(request.match_info["device"], asked.name):
            raise RefusedError(HTTPStatus.NOT_FOUND, NO_DEVICE)
        return web.json_response({})

    async def remove(self, request: web.Request) -> web.Response:
        """`DELETE /api/devices/{device}`: its cookie is worth nothing from now on, and what it sees and hears ends."""
        device = request.match_info["device"]
        if not self.devices.remove(device):
            raise RefusedError(HTTPStatus.NOT_FOUND, NO_DEVICE)
        self.end(device)
        return web.json_response({})


def _qr_code(link: str) -> str:
    import segno  # noqa: PLC0415 - only where somebody is invited

    return segno.make(link, error="l", micro=False).svg_data_uri(scale=4, light="white", border=4)


def _device_name(agent: str) -> str:
    """`Android, Chrome`: of what a browser says of itself."""
    found = [next((word for word in words if word in agent), "") for words in (_SYSTEMS, _BROWSERS)]
    return ", ".join(filter(None, found)).replace("Edg", "Edge").replace("Macintosh", "Mac") or "?"
