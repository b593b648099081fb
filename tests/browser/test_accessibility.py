"""Each view of the page, asked by axe-core: for whoever sees or hears little, or has only a keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page

from service.web.roles import Role
from tests.browser.screenshots import tell
from tests.support.sound.sounds import noise, write_wav
from tests.support.web.chromium import PHONE, chromium
from tests.support.web.served_page import COOKIE, ServedPage

pytestmark = pytest.mark.e2e

VIEWS = {
    "/#now": Role.PARENT,
    "/#night": Role.PARENT,
    "/devices": Role.OWNER,
    "/pair": None,
    "/microphone": Role.MICROPHONE,
}
"""And who looks at them."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServedPage, Browser, dict[Role, str]]]:
    """A nursery that cries, a bedroom that is quiet, an attic that is not heard."""
    folder: Path = tmp_path_factory.mktemp("page")
    names = {"nursery": "Nursery", "bedroom": "Bedroom", "attic": "Attic"}
    with ServedPage(folder, names=names) as page:
        tell(page)
        tokens = {role: page.paired(role) for role in (Role.PARENT, Role.OWNER, Role.MICROPHONE)}
        own = page.server.addresses.certificate
        assert own is not None
        silent = write_wav(folder / "silent.wav", noise(1.0, rms_dbfs=-80.0))
        with chromium(folder / "home", silent, own.ca) as browser:
            yield page, browser, tokens


def asked_context(browser: Browser) -> BrowserContext:
    """A phone whose pages axe-core may look at: it is no script of ours, and their policy would keep it out."""
    phone: Any = PHONE
    return browser.new_context(viewport=phone, locale="en-GB", bypass_csp=True, permissions=["microphone"])


def cookie(page: ServedPage, token: str) -> Any:
    """Of a paired device, as Playwright takes it."""
    return {"name": COOKIE, "value": token, "url": page.origin, "secure": True}


@pytest.mark.parametrize("theme", ["light", "dark", "red"])
@pytest.mark.parametrize("view", VIEWS)
def test_nobody_is_left_out(house: tuple[ServedPage, Browser, dict[Role, str]], view: str, theme: str) -> None:
    """Names, roles, contrasts and order, with every fold open."""
    page, browser, tokens = house
    context = asked_context(browser)
    context.add_init_script(f"localStorage.setItem('monitord.theme', '{theme}')")
    if (role := VIEWS[view]) is not None:
        context.add_cookies([cookie(page, tokens[role])])
    shown: Page = context.new_page()
    shown.goto(page.origin + view)
    shown.wait_for_load_state("networkidle") if "#" not in view else shown.get_by_text("Bedroom").first.wait_for()
    for fold in shown.locator("details").all():
        fold.evaluate("(fold) => { fold.open = true; }")
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_the_way_to_the_page_leaves_nobody_out(house: tuple[ServedPage, Browser, dict[Role, str]]) -> None:
    """The plain page that says how a phone trusts this machine."""
    page, browser, _ = house
    context = asked_context(browser)
    shown = context.new_page()
    shown.goto(f"http://127.0.0.1:{page.settings.http_port}/")
    shown.get_by_role("link", name="Go on to the page").wait_for()
    found = Axe().run(shown)
    assert found.violations_count == 0, found.generate_report()
    context.close()


def test_a_phone_that_listens_leaves_nobody_out(house: tuple[ServedPage, Browser, dict[Role, str]]) -> None:
    """Nearly black, on purpose: all but its contrasts."""
    page, browser, tokens = house
    context = asked_context(browser)
    context.add_cookies([cookie(page, tokens[Role.MICROPHONE])])
    shown = context.new_page()
    shown.goto(page.origin + "/microphone")
    shown.get_by_role("button", name="Start listening").click()
    shown.get_by_text("Nursery is listening").wait_for()
    found = Axe().run(shown, options={"rules": {"color-contrast": {"enabled": False}}})
    assert found.violations_count == 0, found.generate_report()
    context.close()
