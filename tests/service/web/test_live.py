"""`GET /api/live` to real readers: all states, then each message; who does not read is dropped."""

import asyncio
import json
import socket
import ssl
import time
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from service.messages import node_messages
from service.messages.message import Keep, Message, Node
from service.web import listening, live
from service.web.board import VIEWER_BOUND
from service.web.live import VIEWERS_BOUND
from service.web.roles import Role
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for
from tests.support.web.served_page import COOKIE, ServedPage

NODE = Node("home")


async def event(stream: aiohttp.ClientResponse) -> tuple[str, dict[str, object]]:
    """Reads one server-sent event."""
    async with asyncio.timeout(PATIENCE_S):
        kind = (await stream.content.readline()).decode().removeprefix("event: ").strip()
        data = json.loads((await stream.content.readline()).decode().removeprefix("data: "))
        assert await stream.content.readline() == b"\n"
    return kind, data


async def ends(stream: aiohttp.ClientResponse) -> bool:
    """Reads to the end of a stream, which the server cuts off."""
    async with asyncio.timeout(PATIENCE_S):
        try:
            while await stream.content.read(1_000_000):
                pass
        except (aiohttp.ClientError, ConnectionError):
            pass
    return True


def test_states_first_then_the_news(page: ServedPage, tokens: dict[Role | None, str | None]) -> None:
    """The newest of each topic at once; a state that is taken away is not there; other nodes' messages neither."""
    page.server.tell(node_messages.source_status(NODE, "nursery", online=False))
    page.server.tell(node_messages.source_status(NODE, "nursery", online=True))
    page.server.tell(node_messages.source_status(Node("other"), "attic", online=True))
    page.server.tell(Message("monitord/home/nursery/spectrogram", b"\x89PNG", retain=True, qos=1, keep=Keep.LATEST))

    async def look() -> None:
        async with page.browser(tokens[Role.GUEST]) as browser:
            async with browser.get(page.origin + "/api/live") as stream:
                assert stream.content_type == "text/event-stream"
                assert await event(stream) == ("state", {"topics": {"nursery/status": "online"}})
                heard = {"dbfs": -40.0, "floor_dbfs": -60.0, "evidence": 0.5, "on": 2.5}
                page.server.tell(node_messages.level(NODE, "nursery", **heard, quiet_from=0.1))
                level = {"dbfs": -40.0, "floor": -60.0, "evidence": 0.5, "on": 2.5, "quiet_from": 0.1}
                told = {"topic": "nursery/level", "content": level}
                assert await event(stream) == ("message", told)
                page.server.tell(Message("monitord/home/nursery/status", "", retain=True, qos=1, keep=Keep.LATEST))
                assert (await event(stream))[1] == {"topic": "nursery/status", "content": ""}
            async with browser.get(page.origin + "/api/live") as stream:
                assert await event(stream) == ("state", {"topics": {}})

    asyncio.run(look())


def test_who_does_not_read_is_dropped(page: ServedPage, tokens: dict[Role | None, str | None]) -> None:
    """Its connection ends, what waits for it is bounded, and who reads beside it misses nothing."""
    text = "x" * 10_000

    async def look() -> None:
        async with (
            page.browser(tokens[Role.GUEST]) as browser,
            page.browser(tokens[Role.PARENT]) as other,
            browser.get(page.origin + "/api/live", read_bufsize=1) as deaf,
            other.get(page.origin + "/api/live") as reader,
        ):
            await event(reader)
            told = 0
            while page.server._board.viewers > 1 and told < 5_000:
                page.server.tell(
                    Message("monitord/home/note", {"n": told, "text": text}, retain=False, qos=0, keep=Keep.LIVE)
                )
                _, values = await event(reader)
                assert values["content"] == {"n": told, "text": text}
                told += 1
            assert page.server._board.viewers == 1
            assert await ends(deaf)

    asyncio.run(look())


def test_twenty_look_and_one_too_many_is_told(tmp_path: Path) -> None:
    """Each gets every message; where all places are taken the next one is told so."""

    async def look(page: ServedPage, token: str) -> None:
        async with AsyncExitStack() as stack:
            browser = await stack.enter_async_context(page.browser(token))
            streams = [
                await stack.enter_async_context(browser.get(page.origin + "/api/live")) for _ in range(VIEWERS_BOUND)
            ]
            for stream in streams:
                assert (await event(stream))[0] == "state"
            page.server.tell(node_messages.source_status(NODE, "attic", online=True))
            for stream in streams[:20]:
                while (told := await event(stream))[1].get("topic") != "attic/status":
                    pass
                assert told[1]["content"] == "online"
            async with browser.get(page.origin + "/api/live") as refused:
                assert refused.status == 503

    with ServedPage(tmp_path) as page:
        asyncio.run(look(page, page.paired(Role.GUEST)))


def test_who_leaves_gives_its_place_back(
    page: ServedPage, tokens: dict[Role | None, str | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """At once: also where nothing would be told it for longer than a test waits."""
    monkeypatch.setattr(live, "BREATH_S", 10 * PATIENCE_S)

    async def look() -> None:
        async with page.browser(tokens[Role.GUEST]) as browser, browser.get(page.origin + "/api/live") as stream:
            await event(stream)
            assert page.server._board.viewers == 1
        await asyncio.to_thread(wait_for, lambda: page.server._board.viewers == 0, "its place")

    asyncio.run(look())


def test_who_has_left_the_wi_fi_gives_its_place_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody closes such a connection, and what is told meanwhile is not too much for a viewer."""
    monkeypatch.setattr(listening, "GONE_S", 0.5)

    async def look(page: ServedPage, token: str) -> None:
        own = page.server.addresses.certificate
        assert own is not None
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # bytes: soon full of what nobody reads
            sock.connect(("127.0.0.1", page.settings.port))
            context = ssl.create_default_context(cafile=str(own.ca))
            _, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname="127.0.0.1", limit=1)
            host = page.origin.removeprefix("https://")
            writer.write(f"GET /api/live HTTP/1.1\r\nHost: {host}\r\nCookie: {COOKIE}={token}\r\n\r\n".encode())
            await asyncio.to_thread(wait_for, lambda: page.server._board.viewers == 1, "a viewer")
            for number in range(VIEWER_BOUND // 2):
                values = {"n": number, "text": "x" * 10_000}
                page.server.tell(Message("monitord/home/note", values, retain=False, qos=0, keep=Keep.LIVE))
            await asyncio.to_thread(wait_for, lambda: page.server._board.viewers == 0, "its place")
            writer.transport.abort()

    with ServedPage(tmp_path) as page:
        asyncio.run(look(page, page.paired(Role.GUEST)))


def test_who_is_removed_sees_no_more(page: ServedPage, tokens: dict[Role | None, str | None]) -> None:
    """A removed device's stream ends at once, and its cookie opens nothing."""
    token = page.paired(Role.GUEST)
    listed = page.ask("GET", "/api/devices", token=tokens[Role.OWNER]).values["devices"]

    async def look() -> None:
        async with page.browser(token) as browser, browser.get(page.origin + "/api/live") as stream:
            await event(stream)
            removed = await page._ask("DELETE", f"/api/devices/{listed[0]['id']}", tokens[Role.OWNER], None, {})
            assert removed.status == 200
            assert await ends(stream)

    asyncio.run(look())
    assert page.ask("GET", "/api/me", token=token).status == 401


def test_the_server_stops_though_somebody_looks(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Streams end with the server, in its time."""
    with ServedPage(tmp_path_factory.mktemp("page")) as page:
        token = page.paired(Role.GUEST)

        async def look() -> None:
            async with page.browser(token) as browser, browser.get(page.origin + "/api/live") as stream:
                await event(stream)
                began = time.monotonic()
                assert await asyncio.to_thread(page.server.stop, PATIENCE_S)
                assert time.monotonic() - began < PATIENCE_S / 2

        asyncio.run(look())
