"""What may go wrong with the phone itself: its screen, battery, memory, permissions; each by its own word on MQTT."""

import os
import signal
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PageHouse
from tests.browser.test_parents_page import CONTEXTS
from tests.browser.test_phone_microphone import fault_is, lost
from tests.support.web.chromium import phone, wait_on

pytestmark = pytest.mark.browser

BATTERY = """
window.battery = Object.assign(new EventTarget(), { level: 0.6, charging: false });
navigator.getBattery = async () => battery;
"""
"""One whose charge a test decides: no machine of ours has a battery."""
SCREEN_LOCKS = """
const request = navigator.wakeLock.request.bind(navigator.wakeLock);
window.locks = { kept: [], refused: false };
navigator.wakeLock.request = async (kind) => {
  if (locks.refused) throw new DOMException("power is low", "NotAllowedError");
  locks.kept.push(await request(kind));
  return locks.kept.at(-1);
};
"""
"""Lets a test take the lock away that keeps the screen on, as a phone that saves power does."""
SLOW_QUESTION = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
window.questions = { waiting: [], answered: 0, given: [] };
navigator.mediaDevices.getUserMedia = async (asked) => {
  await new Promise((answer) => questions.waiting.push(answer));
  const stream = await open(asked);
  questions.given.push(stream);
  return stream;
};
"""
"""The browser's question for the microphone, which a person answers when they come to it."""
OTHER_RATE = """
window.rate = 16000;
window.AudioContext = class extends AudioContext {
  constructor() {
    super({ sampleRate: rate });
  }
};
"""
"""Lets a test give the phone another microphone, as a headset that is plugged in."""
FULL_DISK = """
Storage.prototype.setItem = () => { throw new DOMException("the disk is full", "QuotaExceededError"); };
"""
"""Of a browser that can store nothing."""


def scripted_phone(house: PageHouse, script: str) -> Page:
    """Pairs a phone with the nursery, changed by a script, and taps."""
    page = phone(house.browser).new_page()
    page.add_init_script(script)
    page.goto(house.link("microphone", "--room", "nursery"))
    page.get_by_role("button", name="Start listening").click()
    house.until(lambda: house.status() == "online", "the nursery is heard")
    return page


def test_a_battery_that_runs_down(house: PageHouse) -> None:
    """At a fifth, without a charger; plugged in it is well."""
    page = scripted_phone(house, BATTERY)
    page.evaluate("() => { battery.level = 0.2; battery.dispatchEvent(new Event('levelchange')); }")
    fault_is(house, "battery_low")
    expect(page.get_by_text("battery")).to_be_visible()
    assert house.status() == "online"  # it is heard all the same
    page.evaluate("() => { battery.charging = true; battery.dispatchEvent(new Event('chargingchange')); }")
    fault_is(house, "ok")


def test_a_screen_that_may_sleep(house: PageHouse) -> None:
    """A lock that is lost is told on the phone, and asked for again until it is there."""
    page = scripted_phone(house, SCREEN_LOCKS)
    warning = page.get_by_text("This phone may switch its screen off")
    expect(warning).to_have_count(0)
    page.evaluate("() => { locks.refused = true; locks.kept.at(-1).release(); }")
    expect(warning).to_be_visible()
    page.evaluate("() => { locks.refused = false; }")
    expect(warning).to_have_count(0)
    assert page.evaluate("() => locks.kept.length") == 2


def test_a_phone_that_puts_the_page_to_sleep(house: PageHouse) -> None:
    """To save memory or power: the page says so by its last word, and goes on by itself."""
    page = house.listening_phone()
    processes = house.browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    renderers = [int(one["id"]) for one in processes if one["type"] == "renderer"]
    page.evaluate("() => { document.dispatchEvent(new Event('freeze')); }")  # no command freezes a page that is seen
    for renderer in renderers:
        os.kill(renderer, signal.SIGSTOP)
    fault_is(house, "page_asleep")
    for renderer in renderers:
        os.kill(renderer, signal.SIGCONT)
    page.evaluate("() => { document.dispatchEvent(new Event('resume')); }")
    fault_is(house, "ok")


def test_a_permission_that_is_taken_away(house: PageHouse) -> None:
    """In the middle of the night; given back, it goes on by itself."""
    page = house.listening_phone()
    page.context.clear_permissions()
    fault_is(house, "not_allowed")
    page.context.grant_permissions(["microphone", "screen-wake-lock"])
    fault_is(house, "ok")


def test_a_question_that_is_answered_late_and_twice(house: PageHouse) -> None:
    """Somebody looked at another app before they allowed it: one microphone is open, and no sound comes twice."""
    page = phone(house.browser).new_page()
    page.add_init_script(SLOW_QUESTION)
    page.goto(house.link("microphone", "--room", "nursery"))
    page.get_by_role("button", name="Start listening").click()
    page.wait_for_timeout(4000)  # it asks again after three seconds without a sample
    page.evaluate("() => { document.dispatchEvent(new Event('visibilitychange')); }")  # back from the other app
    page.wait_for_function("() => questions.waiting.length === 2")
    page.evaluate("() => { questions.waiting.forEach((answer) => answer()); }")
    fault_is(house, "ok")
    page.wait_for_function("() => questions.given.length === 2")
    live = "() => questions.given.filter((stream) => stream.getTracks()[0].readyState === 'live').length"
    page.wait_for_function(f"() => ({live})() === 1")


def test_a_moment_in_which_nothing_was_recorded_is_counted(house: PageHouse) -> None:
    """Too short for the microphone to be asked for again: the system stopped the page's sound, and let it go on."""
    page = house.listening_phone(CONTEXTS)
    assert lost(house) == 0
    page.evaluate("() => contexts.at(-1).suspend()")
    page.wait_for_timeout(2500)
    page.evaluate("() => contexts.at(-1).resume()")
    house.until(lambda: lost(house) > 16_000, "its loss")
    fault_is(house, "ok")
    told = house.health()
    assert told["captured"] == sum(told[kind] for kind in ("lost", "quiet", "segmented", "held"))


def test_another_rate_loses_nothing_that_waits(house: PageHouse) -> None:
    """A headset is plugged in while the phone catches up: what it kept at the old rate is sent first."""
    page = house.listening_phone(OTHER_RATE)
    sent: dict[int, int] = {}  # by rate (hertz): index of the newest post that was answered (samples)

    def answered(request: Request) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        if "start" in asked:
            sent[int(asked["rate"])] = int(asked["start"])

    page.on("requestfinished", answered)
    page.wait_for_timeout(1000)
    page.route("**/api/microphone/*", lambda route: route.abort())
    page.wait_for_timeout(500)
    cut_at = sent[16_000]
    page.wait_for_timeout(10_000)
    page.evaluate("() => { window.rate = 48000; microphone.opened.getTracks().forEach((track) => track.stop()); }")
    page.wait_for_function("() => microphone.opened.getTracks()[0].readyState === 'live'")
    page.wait_for_timeout(2000)
    page.unroute("**/api/microphone/*")
    wait_on(page, lambda: sent.get(48_000, 0) > 0, "the sound at the new rate")
    assert sent[16_000] - cut_at > 5 * 16_000  # a post holds four of the ten seconds


def test_a_browser_that_can_store_nothing(house: PageHouse) -> None:
    """The phone listens and the parents' page is there all the same."""
    scripted_phone(house, FULL_DISK)
    parent = phone(house.browser).new_page()
    parent.add_init_script(FULL_DISK)
    parent.goto(house.link("parent"))
    expect(parent.get_by_role("region", name="Nursery")).to_be_visible()
    parent.get_by_role("combobox", name="Colours").select_option("night red")
    expect(parent.locator("html")).to_have_attribute("data-theme", "red")
