"""The views of the page before a server that a test tells what to say, without a daemon."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page

from service.web.roles import Role
from tests.browser.screenshots import SIZES, tell
from tests.browser.test_accessibility import cookie
from tests.support.patience import PATIENCE_S
from tests.support.sound.sounds import noise, write_wav
from tests.support.web.chromium import chromium
from tests.support.web.served_page import ServedPage

Served = tuple[ServedPage, Browser]

LONG = "Bedroomofthetwinsunderthewesternroofside"
"""Forty letters, and no place to break."""
NAMES = {"nursery": "Nursery", "bedroom": LONG, "attic": "Attic", **{f"room{n}": f"Room {n}" for n in range(5)}}
"""Eight rooms."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A house of eight rooms, with a browser that trusts it."""
    folder: Path = tmp_path_factory.mktemp("page")
    with ServedPage(folder, names=NAMES) as page:
        own = page.server.addresses.certificate
        assert own is not None
        silent = write_wav(folder / "silent.wav", noise(1.0, rms_dbfs=-80.0))
        with chromium(folder / "home", silent, own.ca) as browser:
            yield page, browser


@pytest.fixture
def page(served: Served) -> ServedPage:
    """As it was told a night."""
    tell(served[0])
    served[0].commands.clear()
    return served[0]


@dataclass
class Visitor:
    """A device that looks at the page."""

    origin: str
    context: BrowserContext
    page: Page
    token: str
    """Of its cookie; empty where it is not paired."""

    def goto(self, view: str) -> Page:
        """Opens a view."""
        self.page.goto(self.origin + view)
        return self.page


class Visit(Protocol):
    """Makes visitors."""

    def __call__(self, role: Role | None, size: str = "phone", **more: object) -> Visitor:
        """Pairs one that is as large as that, and `more` as Playwright says of contexts; None: as a stranger."""


@pytest.fixture
def visit(served: Served, page: ServedPage) -> Iterator[Visit]:
    """In whose pages no error goes unseen, no promise that nobody waits for either."""
    errors: list[str] = []
    contexts: list[BrowserContext] = []

    def visit(role: Role | None, size: str = "phone", **more: Any) -> Visitor:
        width, height = SIZES[size]
        asked = {"viewport": {"width": width, "height": height}, "locale": "en-GB", "permissions": ["microphone"]}
        context = served[1].new_context(**{**asked, **more})
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE_S)
        token = "" if role is None else page.paired(role)
        if role is not None:
            context.add_cookies([cookie(page, token)])
        shown = context.new_page()
        shown.on("pageerror", lambda error: errors.append(str(error)))
        return Visitor(page.origin, context, shown, token)

    yield visit
    for context in contexts:
        context.close()
    assert errors == []


def room(page: Page, name: str = "Nursery") -> Locator:
    """Its card, or its night."""
    return page.get_by_role("region", name=name, exact=True)
