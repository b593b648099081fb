"""The web server: one thread with a loop of its own, that listens on https, and on plain http for the way there."""

import asyncio
import concurrent.futures
import contextlib
import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from monitord.errors import ConfigError
from service.messages.commands import Command
from service.messages.message import Message, Node
from service.settings.password import read_password
from service.storage.documents import DocumentStore
from service.web import ingress
from service.web.access import Access
from service.web.actions import Actions
from service.web.address.addresses import HTTP_PORT, HTTPS_PORT, PORTS, Addresses
from service.web.address.certificate import server_context
from service.web.board import Board
from service.web.cookies import Cookies
from service.web.family.devices import Devices
from service.web.family.invitations import Invitations
from service.web.family.pairing import Pairing
from service.web.family.rooms import NewRooms
from service.web.ingress import Ingress
from service.web.listening import listen
from service.web.live import Live
from service.web.metrics import Metrics
from service.web.microphone import Microphone
from service.web.pages import TRUST, VIEWS, Pages
from service.web.past.night import PastRoutes
from service.web.past.past import Past
from service.web.roles import SOUND_BODY, Role
from service.web.settings import IngressSettings, WebSettings
from service.web.sound.listen import Listen
from service.web.sound.look import Look
from service.web.sound.room_check import RoomChecks

START_S: Final = 20.0
"""Longest wait for the certificate and the ports (seconds): openssl takes 0.3 on a slow machine."""
SILENT_S: Final = 45.0
"""Seconds without a heartbeat after which the daemon is not well: one and a half times their distance."""
RENEW_S: Final = 3_600.0
"""Seconds between two looks at the names, addresses and dates of the certificate."""

_log = logging.getLogger(__name__)


class WebServer:
    """The family's page. The constructor opens nothing.

    Args:
        settings: From the configuration.
        node: Who speaks.
        names: What people call each room, by id.
        state_dir: Where devices and the certificate are kept.
        past: What the rooms sound like and what was; open.
        on_command: Gets each command; returns at once.
        restart: Called, from the web thread, when a room came into being: the daemon begins anew with it.
    """

    def __init__(
        self,
        settings: WebSettings,
        node: Node,
        names: Mapping[str, str],
        state_dir: Path,
        past: Past,
        *,
        on_command: Callable[[Command], None],
        restart: Callable[[], None],
    ) -> None:
        self._settings, self._node, self._names = settings, node, names
        self._on_command, self._restart = on_command, restart
        self._past, self._store = past, DocumentStore(state_dir)
        self._devices = Devices(self._store)
        self._invitations = Invitations(state_dir)
        self.addresses = Addresses(settings, state_dir)
        self._board = Board(node)
        self._checks = RoomChecks(node, past.taps, past.history, self._store, self._board.tell)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._thread: threading.Thread | None = None

    def tell(self, message: Message) -> None:
        """Takes a message from any thread; returns at once."""
        self._board.tell(message)
        self._past.tell(message)
        self._checks.hear_of(message)

    def start(self) -> None:
        """Starts the thread, named `web`, and returns when it listens.

        Raises:
            ConfigError: A port is taken, or there is no certificate, or not in time.
        """
        listening: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread = threading.Thread(target=self._run, args=(listening,), name="web", daemon=True)
        self._thread.start()
        try:
            listening.result(START_S)
        except TimeoutError:
            raise ConfigError(f"web: nothing is served after {START_S:g} s; is this disk, or openssl, stuck?") from None

    def stop(self, timeout_s: float) -> bool:
        """Ends all streams and connections; returns whether the thread ended in time."""
        if self._thread is None:
            return True
        loop, stopping = self._loop, self._stopping
        if loop is not None and stopping is not None:
            with contextlib.suppress(RuntimeError):  # it is closed: the thread has ended
                loop.call_soon_threadsafe(stopping.set)
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def invitation(self) -> str | None:
        """Returns a link that makes the first owner; None where there is one."""
        if self._devices.owned:
            return None
        try:
            return self.addresses.link(self._invitations.invite(Role.OWNER))
        except OSError as error:
            _log.warning("no link for the first phone: the disk refuses: %s", error.strerror)
            return None

    @property
    def alive(self) -> bool:
        """Whether the thread runs; False between `start` and `stop` means that it died of a bug."""
        return self._thread is not None and self._thread.is_alive()

    # From here on: the thread.

    def _run(self, listening: "concurrent.futures.Future[None]") -> None:
        try:
            asyncio.run(self._serve(listening))
        except Exception as error:  # noqa: BLE001 - handed to who waits; a bug later ends the daemon aloud
            if listening.done():
                _log.exception("the web server has a bug")
            else:
                listening.set_exception(error)

    async def _serve(self, listening: "concurrent.futures.Future[None]") -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        pages, settings, host = Pages(), self._settings, self._settings.host
        async with contextlib.AsyncExitStack() as stack:
            context = self._context()
            ports, http_ports = _ports(settings.port, HTTPS_PORT), _ports(settings.http_port, HTTP_PORT)
            home, framed = self._applications(pages)
            port = await listen(stack, home, "web.port", host=host, ports=ports, context=context)
            http_port = None
            if self.addresses.certificate is not None:
                http_port = await listen(stack, self._plain(pages), "web.http_port", host=host, ports=http_ports)
            if settings.ingress is not None:
                await listen(stack, framed, "web.ingress.port", host=host, ports=[settings.ingress.port])
            self.addresses.listens(port, http_port)
            self._board.open(self._loop)
            stack.callback(self._board.open, None)
            listening.set_result(None)
            while not self._stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), RENEW_S)
                    break
                await self._renew(context)

    def _context(self) -> ssl.SSLContext:
        if (own := self.addresses.certificate) is not None:
            own.renew(self.addresses.hosts)
        return server_context(*self._files())

    def _files(self) -> tuple[Path, Path | None]:
        """Returns certificate and key."""
        if (own := self.addresses.certificate) is not None:
            return own.chain, own.key
        assert self._settings.cert_file is not None
        return self._settings.cert_file, self._settings.key_file

    async def _renew(self, context: ssl.SSLContext) -> None:
        """Lets new connections have a certificate with today's names and dates; a family's own is read anew, too."""
        self.addresses.look_again()
        own = self.addresses.certificate
        try:
            if own is not None and not await asyncio.to_thread(own.renew, self.addresses.hosts):
                return
            chain, key = self._files()
            server_context(chain, key)  # refuses what would break the one in use
            context.load_cert_chain(chain, key)
        except ConfigError as error:
            _log.warning("the certificate of the page stays as it is: %s", error)

    def _applications(self, pages: Pages) -> tuple[web.Application, web.Application]:
        """Returns what is served to devices by https, and to Home Assistant's ingress."""
        devices, token = self._devices, self._settings.metrics_token_file
        metrics = Metrics(self._board, self._names, None if token is None else read_password(token))
        cookies = Cookies(self._node.name, devices, lambda: self.addresses.hosts)
        past, taps = PastRoutes(self._names, self._past), self._past.taps
        live, actions = Live(self._board, Look(taps, self._board)), Actions(self._node, self._names, self._on_command)
        rooms = NewRooms(self._store, self._names, self._past.phones, self._restart)
        pairing = Pairing(cookies, devices, self._invitations, self._board, self._names, self.addresses, rooms)
        both = [
            web.get("/api/me", pairing.me),
            web.get("/api/live", live.stream),
            web.get("/api/listen/{room}", Listen(taps).stream),
            web.get("/api/night", past.night),
            web.get("/api/clips/{episode}", past.clip),
            web.get("/api/clips/{episode}/picture", past.picture),
            web.delete("/api/clips/{episode}", past.delete_clip),
            web.post("/api/command", actions.command),
            web.post("/api/check", self._checks.ask),
            web.get("/api/devices", pairing.list_devices),
            web.post("/api/devices", pairing.invite),
            web.post("/api/devices/{device}", pairing.rename),
            web.delete("/api/devices/{device}", pairing.remove),
        ]
        home = [
            web.get("/healthz", self._health),
            web.get("/metrics", metrics.show),
            web.post("/api/pair", pairing.pair),
            web.post("/api/microphone/{room}", Microphone(self._past.phones).take),
        ]
        asked = self._settings.ingress or IngressSettings()
        users = Ingress(asked.supervisor, asked.owners)
        return (
            _guarded(Access(cookies, self._settings.frame_ancestors), [*pages.routes(VIEWS), *both, *home]),
            _guarded(Access(users, ingress.FRAME_ANCESTORS), [*pages.routes(ingress.VIEWS), *both]),
        )

    def _plain(self, pages: Pages) -> web.Application:
        """What plain http serves: nothing of the family, only how to trust https and where it is."""

        async def authority(request: web.Request) -> web.Response:
            del request
            own = self.addresses.certificate
            assert own is not None
            return web.Response(body=own.ca.read_bytes(), content_type="application/x-x509-ca-cert")

        async def way(request: web.Request) -> web.Response:
            return web.json_response({"https": self.addresses.https(request.host)})

        application = web.Application()
        application.add_routes([*pages.routes(TRUST), web.get("/monitord-ca.crt", authority), web.get("/way", way)])
        return application

    async def _health(self, request: web.Request) -> web.Response:
        """`GET /healthz`: 200 while the worker works, else 503; for whoever watches a container."""
        del request
        beat = self._board.heartbeat_at
        well = beat is not None and time.monotonic() - beat < SILENT_S
        return web.Response(text="ok\n" if well else "the worker does not move\n", status=200 if well else 503)


def _ports(asked: int | None, first: int) -> range:
    """Returns the ports to try."""
    return range(first, first + PORTS) if asked is None else range(asked, asked + 1)


def _guarded(access: Access, routes: Iterable[web.RouteDef]) -> web.Application:
    """Returns an application of these routes, in which `access` decides."""
    application = web.Application(middlewares=[access.let_in], client_max_size=SOUND_BODY)
    application.on_response_prepare.append(access.prepare)
    application.add_routes(routes)
    return application
