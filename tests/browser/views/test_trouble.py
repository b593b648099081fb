"""Time that goes on, a house that hangs or refuses, a device that was removed: the views say it, and come back."""

import re
import time
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from service.messages import cry_messages, node_messages
from service.web.roles import Role
from tests.browser.screenshots import NODE, sounding, tell
from tests.browser.test_parents_page import AHEAD
from tests.browser.views.conftest import Visit, room
from tests.support.web.chromium import wait_on
from tests.support.web.served_page import ServedPage
from tests.support.web.wire import Wire

pytestmark = pytest.mark.browser


def test_a_page_that_stays_open_sees_the_next_evening(visit: Visit) -> None:
    """At six it shows the night that begins, and asks for it; no line of the night before is left on it."""
    today = datetime.now().astimezone().replace(hour=17, minute=59, second=50, microsecond=0)
    visitor = visit(Role.GUEST)
    asked: list[str] = []
    visitor.page.on("request", lambda request: asked.append(request.url) if "/api/night" in request.url else None)
    visitor.page.clock.set_fixed_time(today)
    shown = visitor.goto("/#night")
    expect(shown.locator(".track").first).to_be_visible()
    before = shown.get_by_role("heading", level=2).inner_text()
    visitor.page.clock.set_fixed_time(today + timedelta(minutes=1))
    expect(shown.get_by_role("heading", level=2)).not_to_have_text(before)
    expect(shown.locator(".track").first).to_be_visible()
    begins = today.replace(hour=18, minute=0, second=0).timestamp()
    assert f"from={begins:.0f}&" in asked[-1]


def test_a_room_that_has_just_come_is_in_no_answer_yet(visit: Visit) -> None:
    """A phone became a microphone while the page stood open: its night is empty, and all others are there."""
    cried = {"nursery": {"episodes": 2, "minutes": 7.5}, "room4": {"episodes": 0, "minutes": 0.0}}
    told = {"episodes": [], "gaps": [], "corrections": [], "cried": cried, "fault": ""}
    visitor = visit(Role.GUEST)
    visitor.page.route("**/api/night*", lambda route: route.fulfill(json=told))
    shown = visitor.goto("/#night")
    expect(room(shown, "Attic").locator(".track")).to_be_visible()
    expect(room(shown, "Room 4").locator(".track")).to_be_visible()


def test_a_house_that_never_answers_is_asked_again(visit: Visit) -> None:
    """A connection that is taken and not answered looks like one that is opened: the page says so, and comes back."""
    visitor = visit(Role.GUEST)
    visitor.page.route("**/api/live", lambda _: None)
    shown = visitor.goto("/#now")
    expect(shown.get_by_role("alert").get_by_text("The monitor cannot be reached")).to_be_visible()
    visitor.page.unroute("**/api/live")
    expect(room(shown).get_by_text(re.compile("^Crying"))).to_be_visible()
    expect(shown.get_by_text("The monitor cannot be reached")).to_have_count(0)


def test_a_command_that_is_not_answered_says_so(visit: Visit) -> None:
    """Whoever taps *I'm going* must not believe that the others know."""
    visitor = visit(Role.PARENT)
    shown = visitor.goto("/#now")
    shown.route("**/api/command", lambda _: None)
    room(shown).get_by_role("button", name="I'm going").click()
    expect(room(shown).get_by_text("the monitor does not answer")).to_be_visible()


def test_who_is_removed_sees_nothing_more(visit: Visit, page: ServedPage) -> None:
    """Not even what stood there before."""
    visitor, owner = visit(Role.GUEST), page.paired(Role.OWNER)
    shown = visitor.goto("/#now")
    expect(room(shown)).to_be_visible()
    newest = page.ask("GET", "/api/devices", token=owner).values["devices"]
    guest = next(one for one in newest if one["role"] == Role.GUEST)
    page.ask("DELETE", f"/api/devices/{guest['id']}", token=owner)
    expect(shown.get_by_role("alert").get_by_text("This device is not paired")).to_be_visible()
    expect(room(shown)).to_have_count(0)


def test_a_slider_stays_in_the_hand(visit: Visit, page: ServedPage) -> None:
    """The house goes on telling while somebody moves it; where it is left counts."""
    visitor = visit(Role.PARENT)
    shown = visitor.goto("/#now")
    room(shown).get_by_text("Settings and test").click()
    slider = room(shown).get_by_role("slider")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    shown.mouse.move(box["x"] + 0.6 * box["width"], middle)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 0.9 * box["width"], middle)
    left_at = slider.input_value()
    for _ in range(3):
        page.server.tell(
            node_messages.level(NODE, "nursery", dbfs=-30, floor_dbfs=-60, evidence=0, on=2, quiet_from=None)
        )
        shown.wait_for_timeout(1000)  # the page is drawn anew each second
    assert slider.input_value() == left_at
    shown.mouse.up()
    wait_on(shown, lambda: page.commands, "the command")
    assert [one.threshold for one in page.commands] == [float(left_at)]  # type: ignore[union-attr]


def test_a_list_by_keys_acts_once(visit: Visit, page: ServedPage) -> None:
    """No step on the way to *20 min* puts the alarm off for five."""
    visitor = visit(Role.PARENT)
    shown = visitor.goto("/#now")
    later = room(shown).get_by_label("Put off for")
    later.focus()
    shown.keyboard.press("ArrowDown")
    shown.keyboard.press("Escape")
    later.select_option("20 min")
    wait_on(shown, lambda: page.commands, "the command")
    assert [one.minutes for one in page.commands] == [20]  # type: ignore[union-attr]


def test_a_name_that_is_refused_takes_no_list_away(visit: Visit) -> None:
    """The owner reads why, and goes on; an empty name is none."""
    visitor = visit(Role.OWNER)
    shown = visitor.goto("/devices")
    names = shown.get_by_label("Name")
    count = names.count()
    shown.route("**/api/devices/*", lambda route: route.fulfill(status=507, json={"error": "ENGLISH"}))
    names.first.fill("Anna")
    names.first.blur()
    expect(shown.get_by_role("alert")).to_contain_text("the disk of the monitor takes nothing more")
    expect(shown.get_by_label("Name")).to_have_count(count)
    names.first.fill("")
    names.first.blur()
    expect(shown.get_by_role("alert")).to_have_count(0)
    expect(shown.get_by_label("Name")).to_have_count(count)


def test_a_cry_that_began_while_the_page_was_cut_off_sounds(visit: Visit, page: ServedPage) -> None:
    """Its event is gone; what stands when the page is back is enough."""
    page.server.tell(cry_messages.state(NODE, "nursery", time.time()))
    visitor = visit(Role.GUEST)
    visitor.context.add_init_script(AHEAD)
    with Wire(page.settings.port) as wire:
        shown = visitor.page
        shown.goto(wire.link(f"{page.origin}/#now"))
        shown.get_by_role("button", name="Alarm tone: off").click()
        shown.wait_for_function("() => rung.tones > 0")  # as a proof
        expect(room(shown).get_by_text("Quiet", exact=True)).to_be_visible()
        shown.evaluate("() => { rung.tones = 0; }")
        wire.freeze()
        expect(shown.get_by_role("alert").get_by_text("The monitor cannot be reached")).to_be_visible()
        tell(page)  # the nursery cries
        assert shown.evaluate("() => rung.tones") == 0
        wire.thaw()
        shown.wait_for_function("() => rung.tones > 0")
        shown.close()


def test_listening_begins_when_the_house_is_back(visit: Visit, page: ServedPage) -> None:
    """Tapped in the moment in which the Wi-Fi is gone; and what counts milliseconds is not read aloud."""
    visitor = visit(Role.GUEST)
    shown = visitor.goto("/#now")
    expect(room(shown)).to_be_visible()
    with sounding(page):
        visitor.context.set_offline(True)
        room(shown).get_by_role("button", name="Listen", exact=True).click()
        shown.wait_for_timeout(1500)  # by then it has tried
        visitor.context.set_offline(False)
        expect(room(shown).get_by_role("status")).to_have_text("You hear this room")


def test_a_clip_that_cannot_be_deleted_says_so(visit: Visit) -> None:
    """It is still there, and the parent knows."""
    visitor = visit(Role.PARENT)
    shown = visitor.goto("/#night")
    if not 10 <= datetime.now().astimezone().hour < 18:  # the page shows this night: one back
        shown.get_by_role("button", name="Earlier").click()
    shown.route(
        "**/api/clips/*", lambda route: route.abort() if route.request.method == "DELETE" else route.continue_()
    )
    shown.get_by_role("button", name="Delete the clip").first.click()
    expect(shown.get_by_role("alert").get_by_text("the monitor does not answer")).to_be_visible()


def test_a_phone_is_stopped_by_a_key_that_is_held(visit: Visit) -> None:
    """As by a finger: a key that is touched does nothing."""
    visitor = visit(Role.MICROPHONE)
    shown = visitor.goto("/microphone")
    shown.get_by_role("button", name="Start listening").click()
    stop = shown.get_by_role("button", name="Hold to stop")
    stop.press("Enter")
    shown.wait_for_timeout(2000)
    stop.focus()
    shown.keyboard.down(" ")
    expect(shown.get_by_role("button", name="Start listening")).to_be_visible()
    shown.keyboard.up(" ")
