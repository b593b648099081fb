"""What may go wrong between phones and house: a Wi-Fi that freezes, a daemon that begins anew, a foreign name."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import PageHouse, page_house
from tests.browser.test_certificate import CLICK_THROUGH, WARNING
from tests.browser.test_phone_microphone import lost
from tests.support.daemon.daemon import Daemon, quiet_room
from tests.support.web.chromium import phone
from tests.support.web.wire import Wire

pytestmark = pytest.mark.browser

VIEWERS = 20
"""Pages that look at once."""


def port_of(house: PageHouse) -> int:
    """Where its page is."""
    found = re.search(r"https://127\.0\.0\.1:(\d+)/", house.daemon.words)
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("seconds", [10.0, 90.0])
def test_a_connection_that_freezes(house: PageHouse, seconds: float) -> None:
    """Nothing is refused and nothing gets through: for 10 s no sample is lost, for 90 s what a minute does not hold."""
    with Wire(port_of(house)) as wire:
        page, parent = phone(house.browser).new_page(), phone(house.browser).new_page()
        page.goto(wire.link(house.link("microphone", "--room", "nursery")))
        page.get_by_role("button", name="Start listening").click()
        house.until(lambda: house.status() == "online", "the nursery is heard")
        parent.goto(wire.link(house.link("guest")))
        expect(parent.get_by_role("region", name="Nursery")).to_be_visible()
        before = house.health()["captured"]
        wire.freeze()
        page.wait_for_timeout(1000 * seconds)
        expect(page.get_by_text("sound is being lost" if seconds > 60 else "No connection")).to_be_visible()
        expect(parent.get_by_text("The monitor cannot be reached")).to_be_visible()
        wire.thaw()
        due = before + int((seconds - 2.0) * 16_000)
        house.until(lambda: house.health()["captured"] > due and house.status() == "online", "what it kept")
        expect(parent.get_by_text("The monitor cannot be reached")).to_have_count(0)
        house.until(lambda: house.health()["held"] < 2 * 16_000, "it is heard")
        if seconds > 60:
            assert 25 * 16_000 < lost(house) < 60 * 16_000
        else:
            assert lost(house) == 0
        told = house.health()
        assert told["captured"] == sum(told[kind] for kind in ("lost", "quiet", "segmented", "held"))


def test_the_daemon_begins_anew_with_everybody_there(house: PageHouse) -> None:
    """A phone and twenty pages, of which one listens: stopped and started again, all of them are back by themselves."""
    house.listening_phone()
    first = house.page_of("guest")
    kept = first.context.storage_state()
    others = [house.browser.new_context(storage_state=kept).new_page() for _ in range(VIEWERS - 1)]
    for page in others:
        page.goto(first.url)
        expect(page.get_by_role("region", name="Nursery").get_by_text(re.compile("^Crying"))).to_be_visible()
    first.get_by_role("button", name="Listen", exact=True).click()
    expect(first.get_by_text("You hear this room")).to_be_visible()
    assert house.daemon.stop()[0] == 0
    for page in [first, *others]:
        expect(page.get_by_text("The monitor cannot be reached")).to_be_visible()
    with Daemon(house.folder, "--config", house.config) as again:
        for page in [first, *others]:
            expect(page.get_by_text("The monitor cannot be reached")).to_have_count(0)
            expect(page.get_by_role("region", name="Nursery").get_by_text(re.compile("^Crying"))).to_be_visible()
        expect(first.get_by_text("You hear this room")).to_be_visible()
        assert again.stop()[0] == 0


def test_a_name_that_is_not_ours_opens_nothing(tmp_path: Path) -> None:
    """Who owns a name can let it lead here: the certificate stops the browser, and whoever goes on is refused."""
    with page_house(tmp_path, quiet_room(tmp_path / "quiet.wav"), trusted=False) as house:
        page = phone(house.browser).new_page()
        with pytest.raises(Error, match="ERR_CERT_"):
            page.goto(f"https://evil.localhost:{port_of(house)}/")
        page.wait_for_url(WARNING)
        page.keyboard.type(CLICK_THROUGH, delay=50)
        expect(page.get_by_text("this is no name of this machine")).to_be_visible()
