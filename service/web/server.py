"""The web server: one thread with a loop of its own, that listens on https, and on plain http for the way there."""

import contextlib
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from aiohttp import web

from service.messages.commands import Command
from service.messages.message import Message, Node
from service.settings.password import read_password
from service.storage.documents import DocumentStore
from service.web import ingress
from service.web.access import Access, put_headers
from service.web.actions import Actions
from service.web.address.addresses import HTTP_PORT, HTTPS_PORT
from service.web.address.https_server import HttpsServer, ports_to_try
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

SILENT_S: Final = 45.0
"""Seconds without a heartbeat after which the daemon is not well: one and a half times their distance."""

_log = logging.getLogger(__name__)


class WebServer(HttpsServer):
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
        super().__init__(settings, state_dir)
        self._node, self._names = node, names
        self._on_command, self._restart = on_command, restart
        self.store = DocumentStore(state_dir)
        """Devices, rooms that phones made, and what checks found."""
        self._past = past
        self._devices = Devices(self.store)
        self._invitations = Invitations(state_dir)
        self._board = Board(node)
        self._checks = RoomChecks(node, past.taps, past.history, self.store, self._board.tell)

    def tell(self, message: Message) -> None:
        """Takes a message from any thread; returns at once."""
        self._board.tell(message)
        self._past.tell(message)
        self._checks.hear_of(message)

    def invitation(self) -> str | None:
        """Returns a link that makes the first owner; None where there is one."""
        if self._devices.owned:
            return None
        try:
            return self.addresses.link(self._invitations.invite(Role.OWNER))
        except OSError as error:
            _log.warning("no link for the first phone: the disk refuses: %s", error.strerror)
            return None

    # From here on: the thread.

    async def _listen(self, stack: contextlib.AsyncExitStack, context: ssl.SSLContext) -> None:
        pages, settings, host = Pages(), self._settings, self._settings.host
        given = {settings.http_port, settings.ingress and settings.ingress.port}
        ports = [one for one in ports_to_try(settings.port, HTTPS_PORT, self.addresses.port_before) if one not in given]
        http_ports = ports_to_try(settings.http_port, HTTP_PORT)
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

    def _applications(self, pages: Pages) -> tuple[web.Application, web.Application]:
        """Returns what is served to devices by https, and to Home Assistant's ingress."""
        devices, token = self._devices, self._settings.metrics_token_file
        metrics = Metrics(self._board, self._names, None if token is None else read_password(token))
        cookies = Cookies(self._node.name, devices, lambda: self.addresses.hosts)
        past, taps = PastRoutes(self._names, self._past), self._past.taps
        live, actions = Live(self._board, Look(taps, self._board)), Actions(self._node, self._names, self._on_command)
        rooms = NewRooms(self.store, self._names, self._past.phones, self._restart)
        listening = Listen(taps)

        def end(device: str) -> None:
            self._board.remove(device)
            listening.remove(device)

        pairing = Pairing(cookies, devices, self._invitations, end, self._names, self.addresses, rooms)
        both = [
            web.get("/api/me", pairing.me),
            web.get("/api/live", live.stream),
            web.get("/api/listen/{room}", listening.stream),
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

        async def prepare(request: web.Request, response: web.StreamResponse) -> None:
            del request
            put_headers(response)

        application = web.Application()
        application.on_response_prepare.append(prepare)
        application.add_routes([*pages.routes(TRUST), web.get("/monitord-ca.crt", authority), web.get("/way", way)])
        return application

    async def _health(self, request: web.Request) -> web.Response:
        """`GET /healthz`: 200 while the worker works, else 503; for whoever watches a container."""
        del request
        beat = self._board.heartbeat_at
        well = beat is not None and time.monotonic() - beat < SILENT_S
        return web.Response(text="ok\n" if well else "the worker does not move\n", status=200 if well else 503)


def _guarded(access: Access, routes: Iterable[web.RouteDef]) -> web.Application:
    """Returns an application of these routes, in which `access` decides."""
    application = web.Application(middlewares=[access.let_in], client_max_size=SOUND_BODY)
    application.on_response_prepare.append(access.prepare)
    application.add_routes(routes)
    return application
