"""The family's page, served for a test by the real server, and browsers that ask it by aiohttp's own client."""

import asyncio
import io
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import aiohttp

from service.capture.inbox import Inbox
from service.capture.page import PageSource
from service.messages.commands import Command
from service.messages.message import Node
from service.storage.history import History
from service.web.family.invitations import Invitations
from service.web.past.clip_store import ClipStore
from service.web.past.past import Past
from service.web.past.settings import ClipSettings
from service.web.roles import Role
from service.web.server import WebServer
from service.web.settings import IngressSettings, WebSettings
from tests.support.patience import PATIENCE_S
from tests.support.servers.sockets import free_port

COOKIE = "__Host-monitord_home"
HOME_ASSISTANT = "http://homeassistant.local:8123"
"""Origin of its frontend, and so of a page in its frame."""


@asynccontextmanager
async def browser(
    authority: Path, token: str | None = None, cookie: str = COOKIE
) -> AsyncIterator[aiohttp.ClientSession]:
    """A browser that trusts this CA alone, with the cookie of a paired device."""
    headers = {} if token is None else {"Cookie": f"{cookie}={token}"}
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=str(authority)))
    async with aiohttp.ClientSession(
        connector=connector, headers=headers, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield session
    await asyncio.sleep(0.01)  # the goodbye of TLS, for which closing does not wait


@dataclass
class Answer:
    """What came back."""

    status: int
    values: Any
    """JSON, where it is some; else text. Any: values of JSON."""
    headers: Mapping[str, str]
    cookie: str | None


@dataclass
class ServedPage:
    """A server in this process, on free ports of 127.0.0.1; a with-block starts and stops it."""

    folder: Path
    settings: WebSettings = field(
        default_factory=lambda: WebSettings(
            host="127.0.0.1",
            port=free_port(),
            http_port=free_port(),
            ingress=IngressSettings(port=free_port(), owners=("Anna",), supervisor="127.0.0.1"),
        )
    )
    names: Mapping[str, str] = field(default_factory=lambda: {"nursery": "Nursery", "attic": "Attic"})
    commands: list[Command] = field(default_factory=list)
    restarts: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self.inboxes = {room: Inbox(room) for room in self.names}
        self.phones = {"nursery": PageSource("nursery", self.inboxes["nursery"])}
        self.past = Past(
            {room: inbox.tap for room, inbox in self.inboxes.items()},
            History(self.folder / "history.db", Node("home")).__enter__(),
            self.phones,
            ClipStore(self.folder / "clips", ClipSettings()),
        )
        self.server = WebServer(
            self.settings,
            Node("home"),
            self.names,
            self.folder,
            self.past,
            on_command=self.commands.append,
            restart=self.restarts.set,
        )
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self.server.stop(PATIENCE_S)
        self.past.history.__exit__()

    @property
    def origin(self) -> str:
        """Of its pages."""
        return self.server.addresses.page.rstrip("/")

    def paired(self, role: Role) -> str:
        """Pairs a device as a phone does, a microphone with the nursery; returns the token of its cookie."""
        room = "nursery" if role is Role.MICROPHONE else None
        answer = self.ask("POST", "/api/pair", body={"token": Invitations(self.folder).invite(role, room)})
        assert answer.status == 201
        assert answer.cookie is not None
        return answer.cookie

    def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Asks once, as a page of this server would, unless `headers` say otherwise."""
        with ThreadPoolExecutor(1) as aside:  # Playwright has a loop in this thread
            return aside.submit(asyncio.run, self._ask(method, path, token, body, headers or {})).result()

    async def _ask(self, method: str, path: str, token: str | None, body: object, headers: Mapping[str, str]) -> Answer:
        async with self.browser(token) as browser:
            sent = {} if method == "GET" else {"Origin": self.origin}
            data = {"data": io.BytesIO(body)} if isinstance(body, bytes) else {} if body is None else {"json": body}
            async with browser.request(
                method, self.origin + path, headers={**sent, **headers}, allow_redirects=False, **data
            ) as response:
                is_json = response.content_type == "application/json"
                values = await response.json() if is_json else await response.text()
                cookie = response.cookies.get(COOKIE)
                return Answer(response.status, values, response.headers, None if cookie is None else cookie.value)

    def ask_in_bytes(self, request: bytes) -> bytes:
        """Sends what no client of good manners would; returns what comes until the connection is closed."""
        own = self.server.addresses.certificate
        assert own is not None
        trusted = ssl.create_default_context(cafile=str(own.ca))
        with (
            socket.create_connection(("127.0.0.1", self.settings.port), timeout=PATIENCE_S) as plain,
            trusted.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(request)
            return b"".join(iter(lambda: connection.recv(65_536), b""))

    def ask_by_ingress(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        address: str = "127.0.0.1",
    ) -> Answer:
        """Asks once as the Supervisor does, whose address is 127.0.0.1, for a page in Home Assistant's frame."""
        return asyncio.run(self._ask_by_ingress(method, path, body, headers or {}, address))

    async def _ask_by_ingress(
        self, method: str, path: str, body: object, headers: Mapping[str, str], address: str
    ) -> Answer:
        assert self.settings.ingress is not None
        connector = aiohttp.TCPConnector(local_addr=(address, 0))
        sent = {"Host": "homeassistant.local:8123", **({} if method == "GET" else {"Origin": HOME_ASSISTANT})}
        async with (
            aiohttp.ClientSession(f"http://127.0.0.1:{self.settings.ingress.port}", connector=connector) as session,
            session.request(method, path, headers={**sent, **headers}, json=body) as response,
        ):
            is_json = response.content_type == "application/json"
            values = await response.json() if is_json else await response.text()
            return Answer(response.status, values, response.headers, None)

    @asynccontextmanager
    async def browser(self, token: str | None = None) -> AsyncIterator[aiohttp.ClientSession]:
        """A browser that trusts the CA of this server, with the cookie of a paired device."""
        own = self.server.addresses.certificate
        assert own is not None
        async with browser(own.ca, token) as session:
            yield session
