"""The parents' page, in a real browser: from a cry in the nursery to what it was, and the page's bad luck."""

import os
import re
import signal
import time
from dataclasses import asdict

import pytest
from playwright.sync_api import Locator, Page, expect

from monitord.quiet_minutes import RoomSound
from service.messages.message import iso_utc
from service.messages.spectrogram import SIZE
from service.storage.documents import DocumentStore
from tests.browser.conftest import PageHouse
from tests.support.web.chromium import phone

pytestmark = pytest.mark.browser

CRYING = re.compile(r"^Crying( hard)?$")
"""What a room says; the cry of the tests is at the edge of hard."""

LENGTH = """(audio) => new Promise((done) => {
  audio.onloadedmetadata = () => done(audio.duration);
  audio.onerror = () => done(-1);
  audio.preload = "metadata";
  audio.load();
})"""
"""Of a clip (seconds)."""


CONTEXTS = """
window.contexts = [];
window.AudioContext = class extends AudioContext {
  constructor(...asked) {
    super(...asked);
    contexts.push(this);
  }
};
"""
"""Lets a test stop what a page plays."""


AHEAD = """
window.rung = { tones: 0, aheadMs: 0 };
const start = OscillatorNode.prototype.start, now = Date.now;
OscillatorNode.prototype.start = function (at) { rung.tones++; start.call(this, at); };
Date.now = () => now() + rung.aheadMs;
"""
"""Counts tones, and lets a minute pass at once."""


def nursery(page: Page) -> Locator:
    """Its card, or its night."""
    return page.get_by_role("region", name="Nursery")


def test_from_the_cry_to_what_it_was(house: PageHouse) -> None:
    """A parent sees a cry, listens, goes, finds it in the night with its clip, and says what it was."""
    house.listening_phone()
    page = house.page_of("parent")
    page.add_init_script(CONTEXTS)
    page.reload()
    room = nursery(page)
    expect(room.get_by_text(CRYING)).to_be_visible()
    expect(page).to_have_title(re.compile(r"^! Nursery: Crying( hard)?$"))
    level = room.get_by_role("meter", name="Level", exact=True)
    expect(level).to_have_attribute("aria-valuetext", re.compile("dB, the room's own noise"))
    room.get_by_role("button", name="Listen", exact=True).click()
    expect(room.get_by_text("You hear this room")).to_be_visible()
    page.evaluate("() => window.contexts.forEach((context) => context.suspend())")  # as a phone call does
    expect(room.get_by_text("This device has stopped the sound")).to_be_visible()
    room.get_by_role("button", name="Listen", exact=True).click()
    expect(room.get_by_text("You hear this room")).to_be_visible()
    room.get_by_role("button", name="I'm going").click()
    expect(room.get_by_text("On the way: Linux, Chrome")).to_be_visible()
    house.until(lambda: house.state()["acknowledged"] is True, "the same on MQTT")
    room.get_by_text("Settings and test").click()
    room.get_by_role("switch").uncheck()  # its microphone would cry for ever
    expect(room.get_by_text("Switched off", exact=True)).to_be_visible()
    page.get_by_role("button", name="The night").click()
    expect(room.get_by_text(re.compile(r"went after .*: Linux, Chrome"))).to_be_visible()
    clip = room.locator("audio")
    expect(clip).to_have_count(1)
    assert clip.evaluate(LENGTH) > 5.0  # seconds: what was before the cry, and the cry
    expect(room.get_by_role("img", name="Spectrogram of the clip")).to_have_js_property("naturalWidth", SIZE[0])
    choice = room.get_by_label("What was it?")
    choice.select_option("the cat")
    expect(page.get_by_text("Of this home's corrections (1), ")).to_be_visible()
    page.reload()
    expect(choice.locator("option:checked")).to_have_text("the cat")
    room.get_by_role("button", name="Delete the clip").click()
    expect(clip).to_have_count(0)


def test_what_a_parent_decides_is_what_the_house_does(house: PageHouse) -> None:
    """Profile, threshold and the switch are commands, and the page shows what became of them."""
    house.listening_phone()
    page = house.page_of("parent")
    room = nursery(page)
    room.get_by_text("Settings and test").click()
    room.get_by_label("Silent").check()
    room.get_by_role("slider").fill("0.8")
    expect(room.get_by_text("80%")).to_be_visible()
    expect(room.get_by_label("Silent")).to_be_checked()
    room.get_by_role("switch").uncheck()
    expect(room.get_by_text("Switched off", exact=True)).to_be_visible()
    room.get_by_role("button", name="Check the room").click()
    expect(room.get_by_role("progressbar")).to_be_visible()
    room.get_by_role("button", name="Stop checking").click()
    expect(room.get_by_role("progressbar")).to_have_count(0)


def test_what_ten_quiet_minutes_propose_is_done_and_undone_by_a_tap(house: PageHouse) -> None:
    """Why, what it would have done, and one command for it; a test alarm as loud as a cry in this room."""
    found = RoomSound(600, -90.0, 0, None, 0.0, 0, 0.0, 0, 0.6, ("near_alarm", "too_low"), quiet_from=0.7)
    lately = {"days": 7, "episodes": 4, "not_told": [time.time() - 7200], "no_cry": 1, "cry_db": 24}
    check = {"at": iso_utc(time.time()), **asdict(found), "proposal": {"gain_db": 20.0, "threshold": 0.7, **lately}}
    DocumentStore(house.folder / "state").save("room_checks", {"nursery": check})
    house.listening_phone()  # with its room the daemon begins anew
    page = house.page_of("parent")
    room = nursery(page)
    room.get_by_text("Settings and test").click()
    expect(room.get_by_text("Amplify by 20 dB (now 0).")).to_be_visible()
    expect(room.get_by_text("Alarms of the last 7 days: 4. Would have come: 3; would be missing: 1")).to_be_visible()
    expect(room.get_by_text("You said of 1 of these: no cry.")).to_be_visible()
    before = house.settings()
    room.get_by_role("button", name="Do that").click()
    expect(room.get_by_text("may stay as they are")).to_be_visible()
    tuned = {**before, "gain_db": 20.0, "threshold": 0.7, "tuned": True}
    house.until(lambda: house.settings() == tuned, "what was proposed")
    room.get_by_role("button", name="As before").click()
    expect(room.get_by_role("button", name="Do that")).to_be_visible()
    house.until(lambda: house.settings() == before, "all as before")
    room.get_by_role("button", name="Test alarm at 24 dB").click()
    expect(room.get_by_text("A cry 24 dB over the room")).to_be_visible()


def test_an_alarm_that_could_not_sound_says_so(house: PageHouse) -> None:
    """Wanted on an earlier visit, and nobody has touched the page since: it asks for the tap that it needs."""
    page = house.page_of("parent")
    page.evaluate("() => localStorage.setItem('monitord.alarm', 'on')")
    page.reload()
    expect(page.get_by_role("button", name="Alarm tone: on")).to_be_visible()
    expect(page.get_by_role("alert").get_by_text("This page may not sound an alarm yet")).to_be_visible()
    house.listening_phone()  # with its room the daemon begins anew, and then hears the cry
    asked = page.get_by_role("alert").get_by_role("button", name="There was an alarm, and this page could not sound it")
    asked.click()
    expect(asked).to_have_count(0)
    expect(page.get_by_role("button", name="Alarm tone: on")).to_be_visible()


def test_a_room_that_is_not_heard_for_a_minute_sounds_once(house: PageHouse) -> None:
    """Silence is no sign that all is well: whoever wanted the tone is told, and not again each second."""
    microphone = house.listening_phone()
    page = house.page_of("guest")
    page.add_init_script(AHEAD)
    page.reload()
    page.get_by_role("button", name="Alarm tone: off").click()
    page.wait_for_function("() => rung.tones > 0")  # as a proof
    microphone.close()
    expect(nursery(page).get_by_text("NOT HEARD", exact=True)).to_be_visible()
    page.evaluate("() => { rung.tones = 0; }")
    page.wait_for_timeout(3000)  # the page looks each second
    assert page.evaluate("() => rung.tones") == 0
    page.evaluate("() => { rung.aheadMs = 61_000; }")
    page.wait_for_function("() => rung.tones > 0")
    once = page.evaluate("() => rung.tones")
    page.wait_for_timeout(5000)
    assert page.evaluate("() => rung.tones") == once


def test_a_page_that_hears_nothing_says_so(house: PageHouse) -> None:
    """Over everything, in the tab too; and it comes back by itself."""
    house.listening_phone()
    page = house.page_of("guest")
    expect(nursery(page).get_by_text(CRYING)).to_be_visible()
    os.kill(house.daemon.pid, signal.SIGSTOP)  # the connection stays open, and nothing comes
    expect(page.get_by_role("alert").get_by_text("The monitor cannot be reached")).to_be_visible()
    expect(page).to_have_title("✕ The monitor cannot be reached")
    os.kill(house.daemon.pid, signal.SIGCONT)
    expect(page.get_by_text("The monitor cannot be reached")).to_have_count(0)


def test_a_room_that_is_not_heard_says_why(house: PageHouse) -> None:
    """The phone in the nursery is gone: the reason in words, and never quiet."""
    microphone, page = house.listening_phone(), house.page_of("guest")
    room = nursery(page)
    microphone.close()
    expect(room.get_by_text("NOT HEARD", exact=True)).to_be_visible()
    expect(room.get_by_text("Nobody knows whether it is quiet.")).to_be_visible()
    expect(room.get_by_text("Quiet", exact=True)).to_have_count(0)


def test_a_guest_sees_and_hears_and_does_nothing(house: PageHouse) -> None:
    """No button that acts is there."""
    house.listening_phone()
    room = nursery(house.page_of("guest"))
    expect(room.get_by_text(CRYING)).to_be_visible()
    assert room.get_by_role("button").all_inner_texts() == ["Listen"]
    assert room.get_by_role("combobox").count() == 0


def test_who_is_removed_is_told(house: PageHouse) -> None:
    """The page of a removed device shows nothing more, and says how to come back."""
    house.listening_phone()
    guest, owner = house.page_of("guest"), phone(house.browser).new_page()
    owner.goto(house.link("owner"))
    owner.get_by_role("button", name="Mine").click()
    owner.get_by_role("link", name="Devices").click()
    owner.get_by_text("Guest: sees and hears").locator("..").get_by_role("button", name="Remove").click()
    expect(guest.get_by_role("alert").get_by_text("This device is not paired")).to_be_visible()
