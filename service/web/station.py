"""The page of a ward's nurse station: one view for devices that were paired as guests, and metrics.

It shows what it is given and commands nothing. It shares certificate, pairing and looks with the family's page.
"""

import asyncio
import concurrent.futures
import contextlib
import hmac
import logging
import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Final

from aiohttp import web
from pydantic import ValidationError

from monitord.errors import ConfigError
from service.settings.password import read_password
from service.storage.documents import DocumentStore
from service.web.access import Access, RefusedError
from service.web.address.addresses import HTTPS_PORT, PORTS, Addresses
from service.web.address.certificate import server_context
from service.web.cookies import Cookies
from service.web.family.devices import Devices
from service.web.family.invitations import Invitations
from service.web.family.pairing import OVER, PairRequest
from service.web.listening import listen
from service.web.metrics import is_loopback
from service.web.pages import Pages
from service.web.roles import SMALL_BODY, STATION_RIGHTS, Role
from service.web.server import RENEW_S, START_S
from service.web.settings import WebSettings

VIEWS: Final = {"/": "station.html", "/pair": "pair.html"}
NODE: Final = "station"
"""For the name of the cookie: no daemon's node is in its way on the same machine."""

_log = logging.getLogger(__name__)


class StationServer:
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
        self._settings, self._values, self._metrics, self._well = settings, values, metrics, well
        self.addresses = Addresses(settings, state_dir)
        self._devices, self._invitations = Devices(DocumentStore(state_dir)), Invitations(state_dir)
        self._token: str | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts the thread, named `web`, and returns when it listens.

        Raises:
            ConfigError: A port is taken, or there is no certificate, or not in time.
        """
        if self._settings.metrics_token_file is not None:
            self._token = read_password(self._settings.metrics_token_file)
        listening: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="web", daemon=True)
        self._thread.start()
        try:
            listening.result(START_S)
        except TimeoutError:
            raise ConfigError(f"web: nothing is served after {START_S:g} s; is this disk, or openssl, stuck?") from None

    def stop(self, timeout_s: float) -> bool:
        """Ends all connections; returns whether the thread ended in time."""
        if self._thread is None:
            return True
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: the thread has ended
                loop.call_soon_threadsafe(stopping.set)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def invitation(self) -> str:
        """Returns a link that pairs one device as a guest; OSError where the disk refuses."""
        return self.addresses.link(self._invitations.invite(Role.GUEST))

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread is not None and self._thread.is_alive()

    # From here on: the thread.

    def _run(self, listening: "concurrent.futures.Future[None]") -> None:
        try:
            asyncio.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - handed to who waits; a bug later ends the process aloud
            if listening.done():
                _log.exception("the web server has a bug")
            else:
                listening.set_exception(error)

    async def _serve(self, listening: "concurrent.futures.Future[None]") -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        settings, own = self._settings, self.addresses.certificate
        async with contextlib.AsyncExitStack() as stack:
            if own is not None:
                own.renew(self.addresses.hosts)
            chain, key = (own.chain, own.key) if own is not None else (settings.cert_file, settings.key_file)
            assert chain is not None
            context = server_context(chain, key)
            port = await listen(
                stack,
                self._application(Pages()),
                "port",
                host=settings.host,
                ports=_ports(settings.port),
                context=context,
            )
            self.addresses.listens(port, None)
            listening.set_result(None)
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RENEW_S)
                    break
                self.addresses.look_again()
                if own is not None and await asyncio.to_thread(own.renew, self.addresses.hosts):
                    context.load_cert_chain(own.chain, own.key)

    def _application(self, pages: Pages) -> web.Application:
        self._cookies = Cookies(NODE, self._devices, lambda: self.addresses.hosts)
        access = Access(self._cookies, self._settings.frame_ancestors, STATION_RIGHTS)
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
        scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
        if self._token is not None and scheme == "Bearer":
            may = hmac.compare_digest(shown.encode(), self._token.encode())
        else:  # a proxy on this machine asks for others
            may = is_loopback(request.remote or "") and "X-Forwarded-For" not in request.headers
        if not may:
            raise RefusedError(HTTPStatus.FORBIDDEN, "ask from this machine, or with metrics_token_file as Bearer")
        return web.Response(body=self._metrics(), headers={"Content-Type": "text/plain; version=0.0.4"})

    async def _health(self, request: web.Request) -> web.Response:
        """`GET /healthz`: 200 while it knows how the rooms are, else 503."""
        del request
        well = self._well()
        return web.Response(text="ok\n" if well else "no way to the broker\n", status=200 if well else 503)


def _ports(asked: int | None) -> range:
    """Returns the ports to try."""
    return range(HTTPS_PORT, HTTPS_PORT + PORTS) if asked is None else range(asked, asked + 1)
