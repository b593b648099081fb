"""Home Assistant's own ingress view and nothing else of it; run by the Python of the kit, which has Home Assistant.

Arguments: host and port of the Supervisor, and the port to listen on.
"""

import asyncio
import sys

import aiohttp
from aiohttp import web
from homeassistant.components.hassio.ingress import HassIOIngress

FRAME = '<!doctype html><link rel="icon" href="data:,"><iframe title="monitord" src="/api/hassio_ingress/{}/"></iframe>'


async def serve(supervisor: str, port: int, token: str) -> None:
    """Serves until it is killed."""
    async with aiohttp.ClientSession() as session:
        view = HassIOIngress(supervisor, session)

        async def ingress(request: web.Request) -> web.StreamResponse:
            return await view._handle(request, request.match_info["token"], request.match_info["path"])

        async def frame(request: web.Request) -> web.Response:
            del request
            return web.Response(text=FRAME.format(token), content_type="text/html")

        application = web.Application()
        application.add_routes([web.get("/", frame), web.route("*", view.url, ingress)])
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print("listening", flush=True)  # noqa: T201 - for who started it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
