"""Home Assistant as a browser sees it by ingress: a frame, and behind a path what its Supervisor passes on.

As homeassistant/components/hassio/ingress.py and supervisor/api/ingress.py do: the prefix is taken off, headers are
added, what the browser says of its user is taken out, bodies are read whole, and answers are passed on as they come.
"""

import asyncio
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

from tests.support.patience import PATIENCE_S
from tests.support.servers.sockets import free_port

PREFIX: Final = "/api/hassio_ingress/3lZkq0T-token"
FRAME: Final = (
    '<!doctype html><title>Home Assistant</title><link rel="icon" href="data:,">'
    f'<iframe title="monitord" src="{PREFIX}/"></iframe>'
)
"""What Home Assistant shows; it allows no microphone in it."""
HOP: Final = {"content-length", "content-encoding", "transfer-encoding"}
"""Headers that are not passed on."""


@dataclass
class IngressProxy:
    """A with-block starts and ends it, in a thread of its own."""

    port: int
    """Of `web.ingress`."""
    user: str = "bernd"
    """Who is logged in, by user name."""
    prefix: str = PREFIX
    """Under which it passes on."""
    own_port: int = field(default_factory=free_port)

    @property
    def address(self) -> str:
        """Of Home Assistant."""
        return f"http://127.0.0.1:{self.own_port}/"

    def __enter__(self) -> Self:
        self._ready, self._loop = threading.Event(), asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="ingress proxy")
        self._thread.start()
        assert self._ready.wait(PATIENCE_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._stop = asyncio.Event()
        application = web.Application()
        application.add_routes([web.get("/", _frame), web.route("*", self.prefix + "/{path:.*}", self._pass_on)])
        served = web.AppRunner(application, shutdown_timeout=0.1)
        await served.setup()
        await web.TCPSite(served, "127.0.0.1", self.own_port).start()
        async with aiohttp.ClientSession(auto_decompress=True) as self._session:
            self._ready.set()
            await self._stop.wait()
        await served.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        sent = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in HOP and not name.lower().startswith("x-remote-user")
        }
        sent |= {
            "X-Ingress-Path": PREFIX,
            "X-Forwarded-For": "192.168.1.50, 127.0.0.1",
            "X-Forwarded-Host": request.host,
            "X-Forwarded-Proto": "http",
            "X-Remote-User-Id": "8d2f",
            "X-Remote-User-Name": self.user,
        }
        url = f"http://127.0.0.1:{self.port}/{request.match_info['path']}"
        body = await request.read()
        async with self._session.request(
            request.method,
            url,
            headers=sent,
            params=request.query,
            data=body,
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=None),
            skip_auto_headers={"Content-Type"},
        ) as answer:
            headers = {name: value for name, value in answer.headers.items() if name.lower() not in HOP}
            if "Content-Length" in answer.headers or answer.status == HTTPStatus.NOT_MODIFIED:
                return web.Response(status=answer.status, headers=headers, body=await answer.read())
            response = web.StreamResponse(status=answer.status, headers=headers)
            await response.prepare(request)
            try:
                async for chunk, _ in answer.content.iter_chunks():
                    await response.write(chunk)
            except (aiohttp.ClientError, ConnectionError):  # one of the two is gone
                pass
            return response


async def _frame(request: web.Request) -> web.Response:
    del request
    return web.Response(text=FRAME, content_type="text/html")
