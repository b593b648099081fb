"""`GET /api/live`: server-sent events; all states at first, then each message as it is told."""

import asyncio
import contextlib
from http import HTTPStatus
from typing import Final

from aiohttp import web

from service.web.access import CALLER, RefusedError
from service.web.board import Board, Viewer
from service.web.sound.look import Look

VIEWERS_BOUND: Final = 50
"""Streams at once: every phone, tablet and forgotten tab of a large family."""
BREATH_S: Final = 2.0
"""Longest silence (seconds): a page that hears nothing for four times as long knows that the connection is dead, and
says so within the 10 s of our promise."""
BREATH: Final = b"event: breath\ndata: {}\n\n"


class Live:
    """Streams to whoever looks.

    Args:
        board: What is told.
        look: Draws what the rooms sound like while anybody looks.
    """

    def __init__(self, board: Board, look: Look) -> None:
        self._board, self._look = board, look

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Returns when the viewer is gone; one that does not read is cut off."""
        if self._board.viewers >= VIEWERS_BOUND:
            raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, f"{VIEWERS_BOUND} pages look already")
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        viewer = Viewer(request[CALLER].id)
        await response.prepare(request)
        self._board.join(viewer)
        telling = asyncio.create_task(_tell(viewer, response), name="live")
        leaving = asyncio.create_task(viewer.gone.wait(), name="live:gone")
        try:
            with self._look.looked_at():
                await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._board.leave(viewer)
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
            if viewer.gone.is_set() and request.transport is not None:
                request.transport.abort()  # what waits in its buffers waits for somebody who does not read
        return response


async def _tell(viewer: Viewer, response: web.StreamResponse) -> None:
    with contextlib.suppress(ConnectionError):  # the page was closed
        while True:
            try:
                event = await asyncio.wait_for(viewer.waiting.get(), BREATH_S)
            except TimeoutError:
                event = BREATH
            await response.write(event)
