"""The nurse station's page in a real browser: what nurses read, also where the station knows nothing any more."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto
from tests.support.sound.sounds import noise, write_wav
from tests.support.ward.served_station import ServedStation, served_station
from tests.support.web.chromium import PHONE, chromium

pytestmark = pytest.mark.e2e

SOON_MS = 1000 * PATIENCE_S


@pytest.fixture
def station(tmp_path: Path, broker: Mosquitto) -> Iterator[tuple[ServedStation, Browser]]:
    """With a browser that trusts it."""
    with served_station(tmp_path, broker) as running:
        silent = write_wav(tmp_path / "silent.wav", noise(1.0, rms_dbfs=-80.0))
        with chromium(tmp_path / "home", silent, running.authority) as browser:
            yield running, browser


def paired(running: ServedStation, browser: Browser) -> Page:
    """The page, on a device that has just followed its link."""
    context = browser.new_context(viewport=PHONE, locale="en-GB", bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(running.invite())
    return page


def test_what_a_nurse_reads(station: tuple[ServedStation, Browser]) -> None:
    """What is not heard, what cries; and without the station, or with half an answer of it, that it knows nothing."""
    running, browser = station
    page = paired(running, browser)
    main = page.locator("main")
    expect(main).to_contain_text("NOT HEARD: 3 of 3 rooms", timeout=SOON_MS)
    assert Axe().run(page).response["violations"] == []
    running.heard.set()
    expect(main).to_contain_text("All 3 rooms are heard", timeout=SOON_MS)
    expect(main).to_contain_text("Nobody cries")
    state = {"crying": True, "distress": 0.72, "since": "2026-11-30T02:00:00.000Z", "acknowledged": True}
    running.say("monitord/north_1/bed2/state", state)
    expect(main).to_contain_text("Bed2 · North", timeout=SOON_MS)
    expect(main).to_contain_text("how hard: 72 %")
    expect(main).to_contain_text("somebody is on the way")
    assert Axe().run(page).response["violations"] == []
    page.route("**/api/ward", lambda route: route.fulfill(body='{"ts": "2026-11-30T02:00:01.000Z", "rooms": 3, "not_'))
    expect(main).to_contain_text("THIS PAGE KNOWS NOTHING", timeout=SOON_MS)
    page.unroute("**/api/ward")
    expect(main).to_contain_text("All 3 rooms are heard", timeout=SOON_MS)
    page.route("**/api/ward", lambda _: None)  # a Wi-Fi that freezes: the question is neither answered nor refused
    expect(main).to_contain_text("THIS PAGE KNOWS NOTHING", timeout=SOON_MS)
    expect(main).not_to_contain_text("All 3 rooms are heard")
    page.unroute("**/api/ward")
    expect(main).to_contain_text("All 3 rooms are heard", timeout=SOON_MS)
    page.context.set_offline(True)
    expect(main).to_contain_text("THIS PAGE KNOWS NOTHING", timeout=SOON_MS)
    expect(main).not_to_contain_text("All 3 rooms are heard")
