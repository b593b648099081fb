"""The page of a ward's nurse station: one view for devices that were paired as guests, and metrics.

It shows what it is given and commands nothing. It shares certificate, pairing and looks with the family's page.
"""

import contextlib
import ssl
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from service.settings.password import read_password
from service.storage.documents import DocumentStore
from service.web.access import Access, RefusedError
from service.web.address.addresses import HTTPS_PORT
from service.web.address.https_server import HttpsServer, ports_to_try
from service.web.cookies import Cookies
from service.web.family.devices import Devices
from service.web.family.invitations import Invitations
from service.web.family.pairing import OVER, PairRequest
from service.web.listening import listen
from service.web.metrics import may_read
from service.web.pages import Pages
from service.web.roles import SMALL_BODY, STATION_RIGHTS, Role
from service.web.settings import WebSettings

VIEWS: Final = {"/": "station.html", "/pair": "pair.html"}
NODE: Final = "station"
"""For the name of the cookie: no daemon's node is in its way on the same machine."""


class StationServer(HttpsServer):
    """The constructor opens nothing.

    Args:
        settings: Where it is served.
        state_dir: Where devices and the certificate are kept.
        values: Returns how the ward stands, as values of JSON; called from the web thread.
        metrics: Returns the same in Prometheus's format.
        well: Returns whether that is up to date.
    """

    def __init__(
        self,
        settings: WebSettings,
        state_dir: Path,
        values: Callable[[], Mapping[str, object]],
        metrics: Callable[[], bytes],
        well: Callable[[], bool],
    ) -> None:
        super().__init__(settings, state_dir)
        self._values, self._metrics, self._well = values, metrics, well
        self._devices, self._invitations = Devices(DocumentStore(state_dir)), Invitations(state_dir)

    def invitation(self) -> str:
        """Returns a link that pairs one device as a guest; OSError where the disk refuses."""
        return self.addresses.link(self._invitations.invite(Role.GUEST))

    # From here on: the thread.

    async def _listen(self, stack: contextlib.AsyncExitStack, context: ssl.SSLContext) -> None:
        ports, host = ports_to_try(self._settings.port, HTTPS_PORT), self._settings.host
        port = await listen(stack, self._application(Pages()), "port", host=host, ports=ports, context=context)
        self.addresses.listens(port, None)

    def _application(self, pages: Pages) -> web.Application:
        self._cookies = Cookies(NODE, self._devices, lambda: self.addresses.hosts)
        access = Access(self._cookies, self._settings.frame_ancestors, STATION_RIGHTS)
        token = self._settings.metrics_token_file
        self._token = None if token is None else read_password(token)
        application = web.Application(middlewares=[access.let_in], client_max_size=SMALL_BODY)
        application.on_response_prepare.append(access.prepare)
        application.add_routes(
            [
                *pages.routes(VIEWS),
                web.get("/api/ward", self._show),
                web.post("/api/pair", self._pair),
                web.get("/metrics", self._show_metrics),
                web.get("/healthz", self._health),
            ]
        )
        return application

    async def _show(self, request: web.Request) -> web.Response:
        """`GET /api/ward`: how the ward stands."""
        response = web.json_response(dict(self._values()))
        self._cookies.renew(request, response)
        return response

    async def _pair(self, request: web.Request) -> web.Response:
        """`POST /api/pair`: looks at an invitation, or spends it; whatever it says, the device becomes a guest."""
        try:
            asked = PairRequest.model_validate_json(await request.read())
        except ValidationError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, 'give {"token": ...}') from None
        if self._invitations.look(asked.token) is None:
            raise RefusedError(HTTPStatus.GONE, OVER)
        if asked.look:
            return web.json_response({"role": Role.GUEST, "room": None, "rooms": {}})
        if not self._invitations.spend(asked.token):
            raise RefusedError(HTTPStatus.GONE, OVER)
        _, token = self._devices.pair(Role.GUEST, None, "station")
        response = web.json_response({"role": Role.GUEST, "room": None}, status=HTTPStatus.CREATED)
        self._cookies.give(response, token)
        return response

    async def _show_metrics(self, request: web.Request) -> web.Response:
        """`GET /metrics`: for whoever is on this machine, or shows the token."""
        if not may_read(request, self._token):
            raise RefusedError(HTTPStatus.FORBIDDEN, "ask from this machine, or with metrics_token_file as Bearer")
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _health(self, request: web.Request) -> web.Response:
        """`GET /healthz`: 200 while it knows how the rooms are, else 503."""
        del request
        well = self._well()
        return web.Response(text="ok\n" if well else "no way to the broker\n", status=200 if well else 503)
