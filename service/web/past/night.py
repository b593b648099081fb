"""`GET /api/night`, and the clips of its episodes."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.web.access import RefusedError
from service.web.past.past import Past

MOST_S: Final = 8 * 86_400.0
"""Longest span of one answer (seconds): a week in which clocks are changed."""


class PastRoutes:
    """The routes of what was. Used by the web thread alone.

    Args:
        names: Of the rooms, by id.
        past: Open.
    """

    def __init__(self, names: Mapping[str, str], past: Past) -> None:
        self._names, self._history, self._clips = names, past.history, past.clips

    async def night(self, request: web.Request) -> web.Response:
        """`GET /api/night?from=&to=[&room=]`, wall times in Unix seconds: episodes, gaps, and what each room cried."""
        try:
            since, until = float(request.query["from"]), float(request.query["to"])
        except (KeyError, ValueError) as error:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "give from and to in Unix seconds") from error
        if not 0 <= until - since <= MOST_S:  # also refuses NaN
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"from and to are at most {MOST_S / 86_400:.0f} days apart")
        room, now = request.query.get("room"), time.time()
        span = await asyncio.to_thread(self._history.between, since, until, room)
        rooms = self._names if room is None else [room]
        cried = {name: span.cried(name, since, until, now) for name in rooms}
        return web.json_response(
            {
                "episodes": [{**asdict(one), "room": one.room, **self._kept(one.id)} for one in span.episodes],
                "gaps": [asdict(one) for one in span.gaps],
                "corrections": [asdict(one) for one in span.corrections],
                "cried": {name: {"episodes": count, "minutes": minutes} for name, (count, minutes) in cried.items()},
                "fault": self._history.fault,
            }
        )

    def _kept(self, episode: str) -> Mapping[str, bool]:
        clips = self._clips
        return {
            "clip": clips is not None and clips.has(episode),
            "picture": clips is not None and clips.picture(episode) is not None,
        }

    async def clip(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/clips/{episode}`: WebM; parts of it where the player asks for them."""
        path = None if self._clips is None else self._clips.path(request.match_info["episode"])
        if path is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such clip")
        return web.FileResponse(path, headers={"Content-Type": "audio/webm"})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        """`GET /api/clips/{episode}/picture`: the clip's spectrogram, PNG."""
        path = None if self._clips is None else self._clips.picture(request.match_info["episode"])
        if path is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such picture")
        return web.FileResponse(path, headers={"Content-Type": "image/png"})

    async def delete_clip(self, request: web.Request) -> web.Response:
        """`DELETE /api/clips/{episode}`."""
        if self._clips is None or not self._clips.delete(request.match_info["episode"]):
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such clip")
        return web.json_response({})
