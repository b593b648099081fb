"""How much one may ask of the page at once: connections, and requests of one device."""

import asyncio
import contextlib
import ssl
from pathlib import Path

import pytest

from service.web import access, listening
from service.web.roles import Role
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
