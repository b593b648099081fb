"""The page in Home Assistant's frame, in a real browser: under a path and by a proxy, Now, the night, the way out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import FrameLocator, Page, Response, expect

from tests.browser.conftest import PageHouse, page_house
from tests.browser.test_parents_page import CRYING
from tests.support.daemon.daemon import crying_room
from tests.support.servers.sockets import free_port
from tests.support.web.chromium import phone
from tests.support.web.ingress_proxy import IngressProxy

pytestmark = pytest.mark.browser


@pytest.fixture
def house(tmp_path: Path) -> Iterator[tuple[PageHouse, int]]:
    """One whose microphone plays a cry, with the port of its ingress."""
    port = free_port()
    ingress = {"port": port, "supervisor": "127.0.0.1", "owners": ["anna"]}
    with page_house(tmp_path, crying_room(tmp_path / "cry.wav", 2.0, 2.0), clips={}, ingress=ingress) as running:
        yield running, port


def opened(house: PageHouse, proxy: IngressProxy) -> tuple[Page, FrameLocator, list[str]]:
    """Opens Home Assistant; returns its page, the frame, and what was not answered well, as it comes."""
    page = phone(house.browser, color="light").new_page()
    bad: list[str] = []

    def look(response: Response) -> None:
        if response.status >= 400:
            bad.append(f"{response.status} {response.url}")

    page.on("response", look)
    page.on("console", lambda said: bad.append(said.text) if said.type == "error" else None)
    page.goto(proxy.address)
    return page, page.frame_locator("iframe"), bad


def test_a_parent_sees_acts_and_hears(house: tuple[PageHouse, int]) -> None:
    """Now as it is told, sound, a command that arrives on MQTT, the night with its clip; every address is found."""
    running, port = house
    running.listening_phone()
    with IngressProxy(port) as proxy:
        page, frame, bad = opened(running, proxy)
        room = frame.get_by_role("region", name="Nursery")
        expect(room.get_by_text(CRYING)).to_be_visible()
        room.get_by_role("button", name="Listen", exact=True).click()
        expect(room.get_by_text("You hear this room")).to_be_visible()
        room.get_by_role("button", name="I'm going").click()
        running.until(lambda: running.state()["acknowledged"] is True, "the acknowledgement on MQTT")
        room.get_by_text("Settings and test").click()
        room.get_by_role("switch").uncheck()  # its microphone would cry for ever
        expect(room.get_by_text("Switched off", exact=True)).to_be_visible()
        frame.get_by_role("button", name="The night").click()
        expect(room.get_by_text(re.compile("went after .*: bernd", re.IGNORECASE))).to_be_visible()
        expect(room.locator("audio")).to_have_count(1)
        expect(frame.get_by_role("link", name="Devices")).to_have_count(0)
        out = frame.get_by_role("link", name="This page by itself, for phones")
        expect(out).to_have_attribute("href", running.link("guest").partition("pair#")[0])
        expect(out).to_have_attribute("target", "_blank")
        assert bad == []
        page.close()


def test_an_owner_reaches_the_devices_and_comes_back(house: tuple[PageHouse, int]) -> None:
    """Both pages of the frame find their files and each other, and a link for a phone leads out of it."""
    running, port = house
    with IngressProxy(port, user="anna") as proxy:
        page, frame, bad = opened(running, proxy)
        frame.get_by_role("link", name="Devices").click()
        frame.get_by_role("button", name="Guest").click()
        expect(frame.get_by_text(re.compile("^https://127.0.0.1:.*pair#"))).to_be_visible()
        frame.get_by_role("link", name="Now").click()
        expect(frame.get_by_text("No room yet")).to_be_visible()
        assert bad == []
        page.close()
