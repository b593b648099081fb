"""A house of a real daemon, a real broker and a real browser."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.daemon.daemon import Daemon, configure, crying_room, monitord
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, free_port
from tests.support.web.chromium import chromium, phone

expect.set_options(1000 * PATIENCE_S)

MICROPHONE = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.microphone = { opened: null, refused: false };
navigator.mediaDevices.getUserMedia = async (asked) => {
  if (microphone.refused) throw new DOMException("taken", "NotReadableError");
  return microphone.opened = await open(asked);
};
"""
"""Lets a test take the microphone away, as a call does."""


@dataclass
class WebHouse:
    """A daemon with a page, and what it tells a broker."""

    folder: Path
    config: Path
    subscriber: Subscriber
    daemon: Daemon

    @property
    def authority(self) -> Path:
        """The CA of its page."""
        return self.folder / "state" / "web" / "ca.crt"

    def link(self, role: str, *more: str) -> str:
        """Makes a link as a person does."""
        made = monitord("pair", "--config", self.config, "--role", role, *more)
        assert made.returncode == 0, made.stderr
        return made.stdout.splitlines()[-1]

    def state(self) -> dict[str, object]:
        """Of the nursery, on MQTT, as told last."""
        return self.subscriber.latest("monitord/home/nursery/state")

    def settings(self) -> dict[str, Any]:
        """Of the nursery, on MQTT, as told last. Any: values of JSON."""
        return self.subscriber.latest("monitord/home/nursery/settings")

    def status(self) -> str | None:
        """Of the nursery, on MQTT."""
        return self.subscriber.last("monitord/home/nursery/status")

    def health(self) -> dict[str, Any]:
        """Of the nursery, on MQTT, as told last. Any: values of JSON."""
        return self.subscriber.latest("monitord/home/nursery/health")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Waits, while the browser goes on."""
        self.daemon.wait_for(condition, what)


@dataclass
class PageHouse(WebHouse):
    """And a Chromium."""

    browser: Browser

    def listening_phone(self, *scripts: str) -> Page:
        """Pairs a phone with the nursery, changed by scripts, and taps."""
        page = phone(self.browser).new_page()
        for script in (MICROPHONE, *scripts):
            page.add_init_script(script)
        page.goto(self.link("microphone", "--room", "nursery"))
        page.get_by_role("button").first.click()
        self.until(lambda: self.status() == "online", "the nursery is heard")
        return page

    def page_of(self, role: str, view: str = "now") -> Page:
        """Pairs a device that looks, in colours of the day."""
        page = phone(self.browser, color="light").new_page()
        page.goto(self.link(role))
        page.get_by_role("button", name="Now").wait_for()
        page.evaluate("(view) => { location.hash = view; location.reload(); }", view)
        page.get_by_role("button", name="Now").wait_for()
        return page


@contextmanager
def web_house(folder: Path, **web: object) -> Iterator[WebHouse]:
    """No room yet; `web` adds to the page's settings."""
    with Mosquitto(folder / "broker") as broker, Subscriber(broker) as subscriber:
        web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port(), **web}
        config = configure(folder, broker, {}, web=web)
        with Daemon(folder, "--config", config) as daemon:
            daemon.wait_for(lambda: "on any phone" in daemon.words, "the page")
            yield WebHouse(folder, config, subscriber, daemon)
            daemon.stop()


@contextmanager
def page_house(folder: Path, sound: Path, *, trusted: bool = True, **web: object) -> Iterator[PageHouse]:
    """The same with a browser whose microphone plays the sound over and over."""
    with (
        web_house(folder, **web) as house,
        chromium(folder / "home", sound, house.authority if trusted else None) as browser,
    ):
        yield PageHouse(house.folder, house.config, house.subscriber, house.daemon, browser)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[PageHouse]:
    """One whose microphone plays a cry."""
    with page_house(tmp_path, crying_room(tmp_path / "cry.wav", 2.0, 2.0), clips={}) as running:
        yield running
