"""The certificate in a real browser: trusted, clicked through, none; and pages of other ports and names."""

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Error

from tests.browser.conftest import PageHouse, page_house
from tests.support.daemon.daemon import crying_room, quiet_room
from tests.support.web.chromium import phone

pytestmark = pytest.mark.e2e

ATTACK = """
async ([page, where]) => {
  const tried = [];
  for (const [path, asked] of [
    ["/api/command", { method: "POST", body: '{"room":"nursery","command":"enabled","value":"OFF"}' }],
    ["/api/night", {}],
    ["/api/me", {}],
  ]) {
    try {
      const answer = await fetch(page + path, { ...asked, mode: "no-cors", credentials: "include" });
      tried.push(answer.type === "opaque" ? "sent" : String(answer.status));
    } catch (error) {
      tried.push("refused");
    }
  }
  return tried;
}
"""
"""What another page tries with the cookie that a browser sends along."""

WARNING = "chrome-error://chromewebdata/"
"""Where the browser is while it warns."""
CLICK_THROUGH = "thisisunsafe"
"""What Chromium's warning takes for its *Advanced*, *Proceed*."""
FRAME = "(page) => document.body.append(Object.assign(document.createElement('iframe'), { src: page }))"
"""Shows a page in a frame of another."""


@pytest.fixture
def sibling() -> Iterator[str]:
    """Another program's page on another port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<title>other</title>")

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_unknown_certificate_is_warned_of_and_plain_http_shows_the_way(tmp_path: Path) -> None:
    """Without trust the browser stops; the plain page leads to the certificate, and on to https."""
    with page_house(tmp_path, quiet_room(tmp_path / "quiet.wav"), trusted=False) as house:
        page = phone(house.browser).new_page()
        link = house.link("parent")
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(link)
        found = re.search(r"(http://\S+/) says", house.daemon.words)
        assert found is not None
        page.wait_for_url(WARNING)
        page.goto(found[1])
        with page.expect_download() as download:
            page.get_by_role("link", name="Download the certificate").click()
        assert Path(download.value.path()).read_bytes() == house.authority.read_bytes()
        way_on = page.get_by_role("link", name="Go on to the page")
        assert way_on.get_attribute("href") == link.partition("pair#")[0]


def test_who_clicks_through_the_warning_has_all_of_it(tmp_path: Path) -> None:
    """A phone that trusts nothing and goes on all the same is heard: cookie, microphone and worklet work."""
    with page_house(tmp_path, crying_room(tmp_path / "cry.wav", 2.0, 2.0), trusted=False) as house:
        page = phone(house.browser).new_page()
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(house.link("microphone", "--room", "nursery"))
        page.wait_for_url(WARNING)
        page.keyboard.type(CLICK_THROUGH, delay=50)
        page.wait_for_url("**/microphone")
        page.get_by_role("button").first.click()
        house.until(lambda: house.status() == "online", "it is heard")


def test_another_port_of_this_machine_can_do_nothing(house: PageHouse, sibling: str) -> None:
    """It is the same site, so the parent's cookie goes along; all the same nothing is switched off or read."""
    house.listening_phone()
    context = phone(house.browser)
    page = context.new_page()
    page.goto(house.link("parent"))
    page.get_by_text("Nursery").first.wait_for()
    origin = page.url.partition("/#")[0].rstrip("/")
    other = context.new_page()
    other.goto(sibling)
    other.evaluate(ATTACK, [origin, sibling])
    other.wait_for_timeout(3_000)
    settings = house.subscriber.last("monitord/home/nursery/settings")
    assert settings is not None
    assert '"enabled":true' in settings
    framed = context.new_page()
    framed.goto(sibling)
    framed.evaluate(FRAME, origin + "/")
    framed.wait_for_timeout(2_000)
    assert all("Nursery" not in frame.locator("body").inner_text() for frame in framed.frames[1:])
