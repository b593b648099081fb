"""`GET /api/listen/{room}`: what a room sounds like now, as bare int16 samples, little-endian, at 16 kHz, without end.

Of the ways to carry sound to a page this is the one that is not late: an audio element on a stream holds back seconds.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.capture.inbox import Tap
from service.web.access import CALLER, RefusedError
from service.web.sound.ear import Ear

LISTENERS_BOUND: Final = 20
"""Streams at once: 32 kB a second each."""
STUCK_S: Final = 5.0
"""Seconds after which a listener that takes nothing is cut off; it comes back by itself."""


class Listen:
    """Streams to whoever listens. Used by the web thread alone.

    Args:
        taps: By room.
    """

    def __init__(self, taps: Mapping[str, Tap]) -> None:
        self._taps = taps
        self._ears: dict[Ear, str] = {}  # those that hear, with the device that they belong to

    def remove(self, device: str) -> None:
        """Ends what a device listens to: it was removed."""
        for ear, one in self._ears.items():
            if one == device:
                ear.end()

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Returns when the listener is gone; one that does not take its sound is cut off."""
        tap = self._taps.get(request.match_info["room"])
        if tap is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such room")
        if len(self._ears) >= LISTENERS_BOUND:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"{LISTENERS_BOUND} pages listen already")
        ear = Ear(tap)
        self._ears[ear] = request[CALLER].id
        response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
        try:
            await response.prepare(request)
            with ear, contextlib.suppress(ConnectionError, TimeoutError):
                while await ear.wait():
                    if len(samples := ear.take()):
                        await asyncio.wait_for(response.write(samples.astype("<i2").tobytes()), STUCK_S)
        finally:
            del self._ears[ear]
        if request.transport is not None:
            request.transport.abort()  # what waits in its buffers waits for somebody who does not read
        return response
