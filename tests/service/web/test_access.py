"""Who may come in: role by route, Host, Origin, Sec-Fetch-Site, size; and what each response forbids."""

import gzip
import re
from urllib.request import urlopen

import pytest

from service.web.access import REFUSALS_BOUND
from service.web.pages import Pages
from service.web.roles import PUBLIC, RIGHTS, SMALL_BODY, Role
from tests.support.web.served_page import COOKIE, ServedPage

Tokens = dict[Role | None, str | None]

MAY = {
    ("GET", "/api/me"): "microphone guest parent owner",
    ("POST", "/api/microphone/{room}"): "microphone",
    ("GET", "/api/live"): "guest parent owner",
    ("GET", "/api/listen/{room}"): "guest parent owner",
    ("GET", "/api/night"): "guest parent owner",
    ("GET", "/api/clips/{episode}"): "guest parent owner",
    ("GET", "/api/clips/{episode}/picture"): "guest parent owner",
    ("DELETE", "/api/clips/{episode}"): "parent owner",
    ("POST", "/api/command"): "parent owner",
    ("POST", "/api/check"): "parent owner",
    ("GET", "/api/devices"): "owner",
    ("POST", "/api/devices"): "owner",
    ("POST", "/api/devices/{device}"): "owner",
    ("DELETE", "/api/devices/{device}"): "owner",
}
"""The table once more, as a family would write it."""


def test_every_route_is_in_the_table(page: ServedPage) -> None:
    """A route that is served has its row, and each row its test."""
    assert set(MAY) == set(RIGHTS)
    application = page.server._applications(Pages())[0]
    served = {
        (route.method, route.resource.canonical)
        for route in application.router.routes()
        if route.resource is not None and route.resource.canonical.startswith("/api/") and route.method != "HEAD"
    }
    assert served == set(RIGHTS) | set(PUBLIC)


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize("route", MAY)
def test_role_by_route(page: ServedPage, tokens: Tokens, route: tuple[str, str], role: Role | None) -> None:
    """401 without a device, 403 where the table says no, and else whatever the route itself answers."""
    method, path = route
    if path == "/api/live" and role is not None and str(role) in MAY[route].split():
        return  # its answer does not end: test_live.py
    answer = page.ask(
        method,
        re.sub(r"\{.*\}", "00000000", path.replace("{room}", "nursery") if "microphone" in path else path),
        token=tokens[role],
        body={} if method == "POST" else None,
    )
    if role is None:
        assert answer.status == 401
    elif str(role) in MAY[route].split():
        assert answer.status in {200, 400, 404}
    else:
        assert answer.status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "203.0.114.9", "", "[", "localhost.evil"])
def test_a_foreign_host_is_refused(page: ServedPage, tokens: Tokens, host: str) -> None:
    """A name that somebody else lets point to this machine opens nothing, not even a page."""
    for path in ("/", "/api/me"):
        assert page.ask("GET", path, token=tokens[Role.OWNER], headers={"Host": host}).status in {400, 421}


@pytest.mark.parametrize("origin", ["https://evil.example", "https://127.0.0.1:9", "http://127.0.0.1", "null", ""])
def test_a_foreign_origin_changes_nothing(page: ServedPage, tokens: Tokens, origin: str) -> None:
    """Another port of this machine is another page, though a browser sends our cookie along."""
    body = {"room": "nursery", "command": "ack", "value": "PRESS"}
    before = len(page.commands)
    answer = page.ask("POST", "/api/command", token=tokens[Role.OWNER], body=body, headers={"Origin": origin})
    assert (answer.status, len(page.commands)) == (403, before)


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_reads_nothing(page: ServedPage, tokens: Tokens, site: str) -> None:
    """Streams and answers are for our own pages."""
    for path in ("/api/me", "/api/live"):
        assert page.ask("GET", path, token=tokens[Role.OWNER], headers={"Sec-Fetch-Site": site}).status == 403


def test_every_response_says_what_the_page_may_load(page: ServedPage) -> None:
    """Pages, answers and refusals alike: nothing inline, nothing from elsewhere, no frame."""
    for path in ("/", "/static/parents/app.js", "/api/me", "/nothing"):
        headers = page.ask("GET", path).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Server"] == "monitord"


@pytest.mark.parametrize(
    "path", ["/static/", "/static", "/static/../server.py", "/static/%2e%2e%2fserver.py", "/pages/"]
)
def test_no_directory_is_served(page: ServedPage, path: str) -> None:
    """Files are served by their name alone."""
    assert page.ask("GET", path).status == 404


def test_a_body_that_is_too_long_is_refused(page: ServedPage, tokens: Tokens) -> None:
    """Before it is read."""
    answer = page.ask("POST", "/api/command", token=tokens[Role.OWNER], body=b"x" * (SMALL_BODY + 1))
    assert answer.status == 413


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br"])
def test_a_body_is_what_was_sent(page: ServedPage, encoding: str, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is unpacked: a small body stays small, and one that is broken is no bug of the server."""
    for body in (b"{}", gzip.compress(b'{"token": "none"}')):
        answer = page.ask("POST", "/api/pair", body=body, headers={"Content-Encoding": encoding})
        assert answer.status == 400
    assert "Error handling" not in caplog.text


def test_strangers_are_slowed_down(tmp_path_factory: pytest.TempPathFactory) -> None:
    """After so many requests in a minute one address is told to wait; a paired device behind it is not."""
    with ServedPage(tmp_path_factory.mktemp("page")) as page:
        token = page.paired(Role.GUEST)
        answers = [page.ask("GET", "/api/me").status for _ in range(REFUSALS_BOUND)]
        assert answers == [401] * (REFUSALS_BOUND - 1) + [429]  # pairing was the first
        assert page.ask("GET", "/api/me", token=token).status == 200


def test_a_cookie_that_is_no_text_is_a_strangers(page: ServedPage) -> None:
    """Bytes that no browser sends are no bug of the server, and open nothing."""
    head = f"GET /api/me HTTP/1.1\r\nHost: {page.origin.removeprefix('https://')}\r\nConnection: close\r\n"
    answer = page.ask_in_bytes(head.encode() + f"Cookie: {COOKIE}=".encode() + b"\xff\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 401 ")


def test_plain_http_says_what_its_page_may_load(page: ServedPage) -> None:
    """The way to https is a page like the others; who serves it is nobody's business."""
    policy = page.ask("GET", "/").headers["Content-Security-Policy"]
    for path in ("/", "/way", "/monitord-ca.crt"):
        with urlopen(f"http://127.0.0.1:{page.settings.http_port}{path}") as answer:
            assert answer.headers["Content-Security-Policy"] == policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Server"] == "monitord"


def test_the_cookie_is_for_this_host_alone(page: ServedPage, tokens: Tokens) -> None:
    """Its prefix binds it to https, this host and all paths; no script sees it, no other site sends it."""
    cookie = page.ask("GET", "/api/me", token=tokens[Role.GUEST]).headers["Set-Cookie"]
    assert cookie.startswith(f"__Host-monitord_home={tokens[Role.GUEST]};")
    for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert word in cookie
    assert "Domain" not in cookie
