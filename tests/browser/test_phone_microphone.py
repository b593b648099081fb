"""A phone in the nursery, in a real browser: from the link to the cry, and its bad luck."""

import pytest

from tests.browser.conftest import PageHouse
from tests.support.web.chromium import phone, words

pytestmark = pytest.mark.browser


def fault_is(house: PageHouse, word: str) -> None:
    """Waits for a fault of the nursery."""
    house.until(lambda: house.health().get("fault") == word, word)


def lost(house: PageHouse) -> int:
    """Samples at 16 kHz that are counted as lost now."""
    return int(str(house.health()["lost"]))


def test_scan_tap_and_it_listens(house: PageHouse) -> None:
    """The room comes into being, the cry is on MQTT and on a parent's page; a reload goes on by itself."""
    page = house.listening_phone()
    house.until(lambda: bool(house.daemon.events("started", "nursery")), "the cry")
    assert "Nursery is listening" in words(page)
    assert page.get_by_role("meter").get_attribute("aria-valuenow") is not None
    parent = phone(house.browser).new_page()
    parent.goto(house.link("parent"))
    parent.get_by_text("Crying").first.wait_for()
    page.reload()
    page.get_by_text("Nursery is listening").wait_for()
    house.until(lambda: int(str(house.health()["reconnects"])) >= 1, "the reload")
    house.until(lambda: house.health()["fault"] == "ok", "the reload is over")


@pytest.mark.parametrize("seconds", [10.0, 50.0])
def test_without_network_nothing_is_lost(house: PageHouse, seconds: float) -> None:
    """What is recorded meanwhile waits on the phone, in words, and is heard later."""
    page = house.listening_phone()
    before = int(str(house.health()["captured"]))
    page.context.set_offline(True)
    page.wait_for_timeout(1000 * seconds)
    assert "No connection" in words(page)
    page.context.set_offline(False)
    due = before + int((seconds - 2.0) * 16_000)
    house.until(lambda: int(str(house.health()["captured"])) > due and house.status() == "online", "the backlog")
    assert lost(house) == 0


def test_what_a_phone_cannot_keep_is_counted(house: PageHouse) -> None:
    """Ninety seconds without network are thirty more than it keeps: as much is lost, and no sample is unaccounted."""
    page = house.listening_phone()
    page.context.set_offline(True)
    page.wait_for_timeout(90_000)
    assert "sound is being lost" in words(page)
    page.context.set_offline(False)
    house.until(lambda: house.status() == "online" and lost(house) > 0, "the backlog")
    house.until(lambda: house.health()["held"] < 2 * 16_000, "it is heard")
    assert 25 * 16_000 < lost(house) < 60 * 16_000
    told = house.health()
    assert told["captured"] == sum(told[kind] for kind in ("lost", "quiet", "segmented", "held"))


def test_a_restart_of_the_daemon_loses_nothing(house: PageHouse) -> None:
    """The phone keeps what nobody takes, and finds the next daemon by itself."""
    page = house.listening_phone()
    house.subscriber.say("monitord/home/restart/set", "PRESS")
    house.until(lambda: house.daemon.words.count("on any phone") == 3, "the restart")  # one made the room
    house.until(lambda: house.status() == "online", "it is heard again")
    assert lost(house) == 0
    assert "Nursery is listening" in words(page)


def test_the_newer_page_takes_over(house: PageHouse) -> None:
    """The older one says so, and stops."""
    page = house.listening_phone()
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_role("button").first.click()
    page.get_by_text("Another page listens").wait_for()
    house.until(lambda: house.health()["fault"] == "ok", "it is heard")
    assert "is listening" in words(other)


def test_a_page_that_is_closed_says_so(house: PageHouse) -> None:
    """By its last word."""
    house.listening_phone().close()
    fault_is(house, "page_closed")


def test_without_permission_it_says_so(house: PageHouse) -> None:
    """On the phone and on MQTT; once it is given the room is heard by itself."""
    context = phone(house.browser, microphone=False)
    page = context.new_page()
    page.goto(house.link("microphone", "--room", "nursery"))
    page.get_by_role("button").first.click()
    fault_is(house, "not_allowed")
    page.get_by_text("does not allow the microphone").wait_for()
    context.grant_permissions(["microphone"])
    house.until(lambda: house.status() == "online", "it is heard")


def test_a_button_that_nobody_tapped(house: PageHouse) -> None:
    """The room is not heard, and says why."""
    page = phone(house.browser).new_page()
    page.goto(house.link("microphone", "--room", "nursery"))
    page.get_by_role("button", name="Start listening").wait_for()
    fault_is(house, "needs_tap")


def test_it_stops_by_holding_alone(house: PageHouse) -> None:
    """A touch by accident does nothing."""
    page = house.listening_phone()
    stop = page.get_by_role("button", name="Hold to stop")
    stop.click()
    page.wait_for_timeout(2_000)
    assert "is listening" in words(page)
    stop.hover()
    page.mouse.down()
    page.get_by_role("button", name="Start listening").wait_for()
    page.mouse.up()
    fault_is(house, "needs_tap")


def test_a_microphone_that_another_app_has(house: PageHouse) -> None:
    """A track that ends is asked for again until it is there; nothing is lost but what was not recorded."""
    page = house.listening_phone()
    page.evaluate(
        "() => { microphone.refused = true; microphone.opened.getTracks().forEach((track) => track.stop()); }"
    )
    fault_is(house, "mic_taken")
    page.evaluate("() => { microphone.refused = false; }")
    house.until(lambda: house.health()["fault"] == "ok", "it is heard again")
    house.until(lambda: lost(house) > 16_000, "its loss")  # more than a second was not recorded
