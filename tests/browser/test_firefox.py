"""The essentials in a real Firefox, with a microphone of a sound server: heard, seen by its parents, listened to."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import WebHouse, web_house
from tests.support.daemon.daemon import crying_room, quiet_room
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.web.firefox import Bidi, FirefoxPage, firefox

pytestmark = pytest.mark.browser

SPEAKER = (
    ("load-module", "module-null-sink", "sink_name=speaker"),
    ("set-default-sink", "speaker"),
)
"""What Firefox plays goes here, and not into its microphone."""

QUIET_S = 600.0
"""Of the room's own noise (seconds): longer than a test; exact silence would be a fault."""


@pytest.fixture
def microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    """A sound server with a microphone and a speaker: Firefox runs no sound graph without one."""
    (tmp_path / "sound").mkdir()
    server = VirtualMicrophone(tmp_path / "sound", monkeypatch)
    server.start()
    for words in SPEAKER:
        subprocess.run(["pactl", *words], check=True, stdout=subprocess.DEVNULL)
    server.play(quiet_room(tmp_path / "quiet.wav", QUIET_S))
    yield server
    server.kill()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[WebHouse]:
    """One whose rooms come from the page."""
    with web_house(tmp_path) as running:
        yield running


@pytest.fixture
def browser(house: WebHouse, microphone: VirtualMicrophone, tmp_path: Path) -> Iterator[Bidi]:
    """A Firefox that trusts the house."""
    del microphone  # runs while the browser does
    with firefox(tmp_path / "firefox", house.authority) as running:
        yield running


def listening_phone(house: WebHouse, browser: Bidi) -> FirefoxPage:
    """Pairs a phone with the nursery, and taps."""
    page = browser.page()
    page.goto(house.link("microphone", "--room", "nursery"))
    page.click("Start listening")
    house.until(lambda: house.status() == "online", "the nursery is heard")
    return page


def test_it_hears_a_cry_and_parents_listen(
    house: WebHouse, browser: Bidi, microphone: VirtualMicrophone, tmp_path: Path
) -> None:
    """Scan, tap, and a cry before its microphone is told; the parents' page shows it, and plays the room."""
    phone = listening_phone(house, browser)
    phone.until(lambda: "Nursery is listening" in phone.words(), "the line on the phone")
    parent = browser.page()
    parent.goto(house.link("guest"))
    parent.until(lambda: "Quiet" in parent.words(), "a room that is heard")
    microphone.play(crying_room(tmp_path / "cry.wav"))
    house.until(lambda: bool(house.daemon.events("started", "nursery")), "the cry")
    parent.until(lambda: "Crying" in parent.words(), "the cry on the page")
    parent.click("Listen")
    parent.until(lambda: "You hear this room" in parent.words(), "its sound")
    told = house.health()
    assert (told["fault"], told["lost"]) == ("ok", 0)


def test_a_page_behind_another_says_so(house: WebHouse, browser: Bidi, microphone: VirtualMicrophone) -> None:
    """While its sound comes it is heard; where the system takes the sound away, too, its own word says why."""
    phone = listening_phone(house, browser)
    browser.page()  # a tab in front of it
    house.until(lambda: "its phone says: screen_off" in house.daemon.words, "what the page knows")
    assert house.status() == "online"
    microphone.hang()
    house.until(lambda: house.health()["fault"] == "screen_off", "the word")
    microphone.resume()
    phone.show()
    house.until(lambda: house.health()["fault"] == "ok", "it is in front again")


def test_a_reload_goes_on_without_a_tap(house: WebHouse, browser: Bidi) -> None:
    """The session is another one, and the room is heard."""
    phone = listening_phone(house, browser)
    phone.evaluate("location.reload()")
    house.until(lambda: house.health()["reconnects"] >= 1 and house.health()["fault"] == "ok", "it is heard again")
    phone.until(lambda: "Nursery is listening" in phone.words(), "the line on the phone")
