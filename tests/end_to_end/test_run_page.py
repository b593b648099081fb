"""`monitord run` with the family's page, and the command that pairs a phone with it."""

import asyncio
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon.daemon import Daemon, configure, crying_house, looped, monitord, quiet_room
from tests.support.servers.mosquitto import Mosquitto
from tests.support.servers.sockets import free_port
from tests.support.web.served_page import COOKIE, browser

pytestmark = pytest.mark.e2e


def pair(config: Path, role: str) -> str:
    """Makes a link as a person does; returns it."""
    made = monitord("pair", "--config", config, "--role", role)
    assert made.returncode == 0, made.stderr
    (link,) = made.stdout.splitlines()  # the words are for a person, on standard error
    assert "\x1b" not in made.stderr  # and its QR code for a terminal
    return link


def test_a_house_without_rooms(tmp_path: Path) -> None:
    """It starts, waits for rooms, is well, and leaves when it is told to; without a page it would be a mistake."""
    with Mosquitto(tmp_path / "broker") as broker:
        config = configure(
            tmp_path, broker, {}, web={"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
        )
        with Daemon(tmp_path, "--config", config) as daemon:
            daemon.wait_for(lambda: "Open this on a phone" in daemon.words, "the link")
            page, _, _ = pair(config, "owner").partition("pair#")

            async def well() -> int:
                async with browser(tmp_path / "state" / "web" / "ca.crt") as phone, phone.get(page + "healthz") as got:
                    return got.status

            daemon.wait_for(lambda: asyncio.run(well()) == 200, "its health")
            assert daemon.stop()[0] == 0


def test_a_parent_answers_on_the_page(tmp_path: Path) -> None:
    """From the link in a terminal to `acknowledged`: told of the cry as MQTT is, obeyed; known after a restart, too."""
    with Mosquitto(tmp_path / "broker") as broker:
        web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
        config = configure(tmp_path, broker, crying_house(tmp_path), web=web)
        with Daemon(tmp_path, "--config", config) as daemon:
            daemon.wait_for(lambda: "on any phone" in daemon.words, "the page")
            page, _, token = pair(config, "parent").partition("pair#")

            async def answer() -> str:
                headers = {"Origin": page.rstrip("/")}
                async with (
                    browser(tmp_path / "state" / "web" / "ca.crt") as phone,
                    phone.post(page + "api/pair", json={"token": token}, headers=headers) as paired,
                ):
                    cookie = paired.cookies[COOKIE].value
                async with browser(tmp_path / "state" / "web" / "ca.crt", cookie) as phone:
                    async with phone.get(page + "api/live") as live:
                        async for line in live.content:
                            if b'"crying":true' in line:
                                break
                    body = {"room": "nursery", "command": "ack", "value": "PRESS"}
                    async with phone.post(page + "api/command", json=body, headers=headers) as told:
                        assert told.status == 202
                return cookie

            cookie = asyncio.run(answer())
            daemon.wait_for(lambda: bool(daemon.events("acknowledged", "nursery")), "the answer")
            assert daemon.stop(signal.SIGTERM)[0] == 0
        with Daemon(tmp_path, "--config", config) as again:
            again.wait_for(lambda: again.words.count("on any phone") == 2, "the page")

            async def me() -> int:
                authority = tmp_path / "state" / "web" / "ca.crt"
                async with browser(authority, cookie) as phone, phone.get(page + "api/me") as got:
                    return got.status

            assert asyncio.run(me()) == 200


def test_the_night_outlives_a_kill(tmp_path: Path) -> None:
    """A cry that was open when the daemon was killed has ended then, and what nobody heard since is told of."""
    with Mosquitto(tmp_path / "broker") as broker:
        web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
        config = configure(tmp_path, broker, crying_house(tmp_path), web=web)
        with Daemon(tmp_path, "--config", config) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started", "nursery")), "a cry")
            page, _, token = pair(config, "guest").partition("pair#")
            daemon.kill()
            killed_at = time.time()
        configure(tmp_path, broker, {"nursery": looped(quiet_room(tmp_path / "quiet.wav"))}, web=web)
        with Daemon(tmp_path, "--config", config) as again:
            again.wait_for(lambda: again.words.count("on any phone") == 2, "the page")

            async def night() -> dict[str, list[dict[str, Any]]]:
                authority, headers = tmp_path / "state" / "web" / "ca.crt", {"Origin": page.rstrip("/")}
                async with (
                    browser(authority) as phone,
                    phone.post(page + "api/pair", json={"token": token}, headers=headers) as paired,
                ):
                    cookie = paired.cookies[COOKIE].value
                asked = f"{page}api/night?from={killed_at - 600}&to={killed_at + 600}"
                async with browser(authority, cookie) as phone, phone.get(asked) as got:
                    return dict(await got.json())

            told = asyncio.run(night())
            assert again.stop()[0] == 0
    (cry,) = told["episodes"]
    assert cry["rooms"] == ["nursery"]
    assert cry["since"] <= cry["until"] <= killed_at
    (gap,) = [gap for gap in told["gaps"] if gap["why"] == "down"]
    assert gap["since"] <= killed_at < gap["until"]


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    """Where the configuration names it: with the key, and exit status 78."""
    with Mosquitto(tmp_path / "broker") as broker:
        config = configure(tmp_path, broker, {}, web={"host": "127.0.0.1", "port": broker.port})
        ended = monitord("run", "--config", config)
    assert ended.returncode == 78
    assert f"web.port: cannot listen on 127.0.0.1, port {broker.port}" in ended.stderr


def test_pairing_needs_a_page(tmp_path: Path) -> None:
    """A configuration without one is told which key to add."""
    config = configure(tmp_path, None, crying_house(tmp_path))
    refused = monitord("pair", "--config", config)
    assert refused.returncode == 78
    assert "add `web: {}`" in refused.stderr
