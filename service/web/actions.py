"""`POST /api/command`: what the family asks on the page, by the same parser and the same queue as over MQTT."""

import json
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.messages import commands
from service.messages.corrections import Correct
from service.messages.message import Node
from service.web.access import CALLER, RefusedError

AHEAD_S: Final = 60.0
"""By how much a phone's clock may be ahead of ours (seconds)."""


class Actions:
    """Takes commands.

    Args:
        node: Whose.
        sources: Ids of the rooms.
        on_command: Gets each command; returns at once.
    """

    def __init__(self, node: Node, sources: Collection[str], on_command: Callable[[commands.Command], None]) -> None:
        self._node, self._sources, self._on_command = node, sources, on_command

    async def command(self, request: web.Request) -> web.Response:
        """Takes `{"room": "nursery", "command": "snooze", "value": "10"}`; `room` null: of the whole house.

        202: it waits for the worker, and what became of it is told as a state. 400: what is wrong, for a person.
        """
        try:
            asked = json.loads(await request.read())
            room, command, value = (asked[key] for key in ("room", "command", "value"))
            topic = "/".join([self._node.root, *([] if room is None else [str(room)]), str(command), "set"])
            told = commands.read(self._node, self._sources, topic, str(value).encode())
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            why = str(error) if isinstance(error, ValueError) else 'give {"room": ..., "command": ..., "value": ...}'
            raise RefusedError(HTTPStatus.BAD_REQUEST, why) from None
        if isinstance(told, Correct) and (told.missed_at or 0.0) > time.time() + AHEAD_S:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "no cry of the future was missed")
        if isinstance(told, commands.Acknowledge):
            told = replace(told, by=request[CALLER].name)
        if told is not None:
            self._on_command(told)
        return web.json_response({}, status=HTTPStatus.ACCEPTED)
