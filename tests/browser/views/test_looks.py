"""What everybody reads and sees: every width, German, the colours that were chosen, a browser that keeps nothing."""

import re
import time
from typing import Any

import pytest
from playwright.sync_api import expect

from service.messages import cry_messages
from service.messages.corrections import adaptation
from service.messages.message import Keep, json_message
from service.web.family.invitations import Invitations
from service.web.roles import Role
from tests.browser.screenshots import NODE, SIZES
from tests.browser.views.conftest import LONG, Visit, room
from tests.support.web.served_page import ServedPage

pytestmark = pytest.mark.browser

NO_STORE = """
for (const name of ["localStorage", "sessionStorage"])
  Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
"""
"""Of a browser that lets no page keep anything: the name alone throws."""

TOO_WIDE = """
() => [...document.querySelectorAll("body *")]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".track, .meter, .level, h1"))
  .map((one) => `${one.tagName} ${one.className} ${one.innerText}`)
"""
"""What stands out of the page on its right."""

SQUEEZED = """
() => [...document.querySelectorAll(".icon")].filter((one) => one.offsetWidth !== one.offsetHeight).length
"""
"""Circles that a long name has made narrow."""


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["/#now", "/#night", "/devices", "/pair", "/microphone"])
def test_nothing_is_wider_than_the_page(visit: Visit, page: ServedPage, view: str, size: str) -> None:
    """Eight rooms, one of which has a name of forty letters without a place to break."""
    role = {"/pair": None, "/devices": Role.OWNER, "/microphone": Role.MICROPHONE}.get(view, Role.PARENT)
    if view == "/pair":
        page.phones["bedroom"] = page.phones["nursery"]
    visitor = visit(role, size)
    shown = visitor.goto(view + (f"#{Invitations(page.folder).invite(Role.OWNER)}" if view == "/pair" else ""))
    if view == "/pair":
        shown.get_by_role("button", name="The microphone in a room").click()
        shown.get_by_role("button", name=LONG).wait_for()
        del page.phones["bedroom"]
    elif view == "/devices":
        device = next(
            one for one in page.ask("GET", "/api/devices", token=visitor.token).values["devices"] if one["this"]
        )
        page.ask("POST", f"/api/devices/{device['id']}", token=visitor.token, body={"name": LONG})
        shown.reload()
        shown.get_by_role("heading", name=f"{LONG} (this device)").wait_for()
    elif view == "/microphone":
        shown.get_by_role("button", name="Start listening").wait_for()
        shown.evaluate("(name) => { document.querySelector('h1').textContent = name; }", LONG)
    else:
        room(shown, LONG).wait_for()
        for fold in shown.locator("details").all():
            fold.evaluate("(fold) => { fold.open = true; }")
    assert shown.evaluate(TOO_WIDE) == []
    assert shown.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    assert shown.evaluate(SQUEEZED) == 0


def test_all_that_is_told_is_german(visit: Visit, page: ServedPage) -> None:
    """Also what the daemon says in English beside its words for programs, and what is refused."""
    server = page.server
    learnt = adaptation(
        in_force=False, corrections=1, at=time.time(), detail="ENGLISH", outcome="no_sound", source="nursery"
    )
    info = {"fault": "ENGLISH", "problems": ["disk_full", "network"], "adaptation": learnt}
    server.tell(json_message(NODE, f"{NODE.root}/info", info, Keep.LATEST))
    proof: dict[str, Any] = {"state": "failed", "proven": None, "heard_ms": None, "published_ms": None}
    proof |= {"receivers": {}, "not_told": {}, "detail": "ENGLISH", "why": "not_heard"}
    server.tell(cry_messages.proof(NODE, "nursery", proof))
    visitor = visit(Role.PARENT, locale="de-DE")
    shown = visitor.goto("/#now")
    expect(shown.get_by_role("alert").get_by_text("Der Speicher des Babyfons ist voll")).to_be_visible()
    nursery = room(shown)
    nursery.get_by_text("Einstellungen und Test").click()
    expect(nursery.get_by_text("Gescheitert: das Weinen war")).to_be_visible()
    shown.route("**/api/command", lambda route: route.fulfill(status=429, json={"error": "ENGLISH"}))
    nursery.get_by_role("button", name="Probealarm", exact=True).click()
    expect(nursery.get_by_text("zu viel auf einmal")).to_be_visible()
    shown.unroute("**/api/command")
    shown.route("**/api/command", lambda route: route.abort())
    nursery.get_by_role("button", name="Probealarm", exact=True).click()
    expect(nursery.get_by_text("das Babyfon antwortet nicht")).to_be_visible()
    assert "ENGLISH" not in shown.locator("body").inner_text()
    shown.get_by_role("button", name="Die Nacht").click()
    expect(shown.get_by_text("Nursery: Aus dem nicht gemeldeten Weinen wurde nichts gelernt")).to_be_visible()
    assert "ENGLISH" not in shown.locator("body").inner_text()


def test_what_is_chosen_holds_on_every_page(visit: Visit) -> None:
    """Language and colours: nobody who chose night red is blinded by the list of devices."""
    visitor = visit(Role.OWNER)
    shown = visitor.goto("/#now")
    shown.get_by_label("Colours").select_option("night red")
    shown.get_by_label("Language").select_option("Deutsch")
    shown.get_by_role("link", name="Geräte").click()
    expect(shown.get_by_role("heading", name="Geräte")).to_be_visible()
    assert shown.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"


def test_a_browser_that_keeps_nothing(visit: Visit) -> None:
    """It shows what every other shows."""
    for role, view, name in ((Role.PARENT, "/#now", "The night"), (Role.MICROPHONE, "/microphone", "Start listening")):
        visitor = visit(role)
        visitor.context.add_init_script(NO_STORE)
        shown = visitor.goto(view)
        shown.get_by_role("button", name=name).click()
        expect(shown.get_by_role("heading").first).to_be_attached()


def test_the_way_back_leads_back(visit: Visit) -> None:
    """The browser's own button, from the night to now."""
    visitor = visit(Role.GUEST)
    shown = visitor.goto("/#now")
    shown.get_by_role("button", name="The night").click()
    expect(shown.locator(".track").first).to_be_visible()
    shown.go_back()
    expect(room(shown).get_by_role("meter", name="Level", exact=True)).to_be_visible()


def test_times_are_told_alike(visit: Visit, page: ServedPage) -> None:
    """The list of devices has the clock of the parents' page, and the room's name, not its id."""
    page.paired(Role.MICROPHONE)
    visitor = visit(Role.OWNER)
    shown = visitor.goto("/devices")
    expect(shown.get_by_text("Microphone: Nursery", exact=True).first).to_be_visible()
    assert re.search(r"\d\d:\d\d$", shown.get_by_text(re.compile("^seen ")).first.inner_text())
