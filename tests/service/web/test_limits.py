"""How much one may ask of the page at once: connections, and requests of one device."""

import asyncio
import contextlib
import socket
import ssl
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from service.web import access, listening
from service.web.roles import Role
from tests.support.servers.sockets import free_port
from tests.support.web.served_page import ServedPage


def test_connections_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One too many is closed at once; when another ends there is room again."""
    monkeypatch.setattr(listening, "CONNECTIONS_BOUND", 3)
    with ServedPage(tmp_path) as page:
        certificate, port = page.server.addresses.certificate, page.settings.port
        assert certificate is not None
        trusted = ssl.create_default_context(cafile=certificate.ca)

        async def crowd() -> None:
            opened = [await asyncio.open_connection("127.0.0.1", port, ssl=trusted) for _ in range(3)]
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=trusted)
            with contextlib.suppress(ConnectionError):  # cut off, which may be seen as an end
                writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                assert await reader.read() == b""
            writer.close()
            for _, writer in opened:
                writer.close()
                await writer.wait_closed()

        asyncio.run(crowd())
        assert page.ask("GET", "/").status == 200


def test_one_device_cannot_keep_the_house_busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told to wait, and others are not."""
    monkeypatch.setattr(access, "REQUESTS_BOUND", 5)
    with ServedPage(tmp_path) as page:
        busy, calm = page.paired(Role.GUEST), page.paired(Role.GUEST)
        assert [page.ask("GET", "/api/me", token=busy).status for _ in range(6)] == [200] * 5 + [429]
        assert page.ask("GET", "/api/me", token=calm).status == 200


def test_what_is_refused_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device that asks for what it may not is slowed down like every other, also where nobody need be paired."""
    monkeypatch.setattr(access, "REQUESTS_BOUND", 2)
    with ServedPage(tmp_path) as page:
        refused, pairs = page.paired(Role.GUEST), page.paired(Role.GUEST)
        assert [page.ask("GET", "/api/devices", token=refused).status for _ in range(3)] == [403, 403, 429]
        body = {"token": "none"}
        assert [page.ask("POST", "/api/pair", token=pairs, body=body).status for _ in range(3)] == [410, 410, 429]


def test_who_asks_nothing_gives_its_connection_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first request, after one, and in the middle of one: its place is for others."""
    monkeypatch.setattr(listening, "IDLE_S", 0.2)
    monkeypatch.setattr(listening, "LINGER_S", 0.2)
    monkeypatch.setattr(access, "BODY_S", 0.2)
    with ServedPage(tmp_path) as page:
        host = f"Host: {page.origin.removeprefix('https://')}"
        assert page.ask_in_bytes(b"") == b""
        assert page.ask_in_bytes(f"GET / HTTP/1.1\r\n{host}\r\n\r\n".encode()).startswith(b"HTTP/1.1 200 ")
        half = f"POST /api/pair HTTP/1.1\r\n{host}\r\nOrigin: {page.origin}\r\nContent-Length: 9\r\n"
        half += "Connection: close\r\n\r\n{"
        assert page.ask_in_bytes(half.encode()).startswith(b"HTTP/1.1 408 ")


def test_who_has_gone_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where nothing is sent to it: its system is asked for a sign of life, which no test can withhold."""
    monkeypatch.setattr(listening, "GONE_S", 8.0)

    async def kept_alive(request: web.Request) -> web.Response:
        connection = request.get_extra_info("socket")
        options = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_USER_TIMEOUT)
        found = [connection.getsockopt(socket.IPPROTO_TCP, option) for option in options]
        return web.json_response([connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *found])

    async def ask() -> object:
        application = web.Application()
        application.add_routes([web.get("/", kept_alive)])
        async with contextlib.AsyncExitStack() as stack:
            port = await listening.listen(stack, application, "port", host="127.0.0.1", ports=[free_port()])
            client = await stack.enter_async_context(aiohttp.ClientSession())
            async with client.get(f"http://127.0.0.1:{port}/") as answer:
                return await answer.json()

    assert asyncio.run(ask()) == [1, 4, 4, 8_000]
