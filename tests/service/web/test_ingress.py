"""The page in Home Assistant's frame: who may come in by the Supervisor, what they may, and what is not there."""

import re
import socket

import pytest

from service.messages.commands import Acknowledge
from service.web.ingress import DISPLAY_NAME, USER_ID, USER_NAME
from service.web.roles import PUBLIC, RIGHTS, SMALL_BODY, Role
from tests.service.web.test_access import MAY
from tests.support.patience import PATIENCE_S
from tests.support.web.served_page import ServedPage

USERS = {
    "a parent": {USER_ID: "8d2f", USER_NAME: "bernd"},
    "an owner": {USER_ID: "17aa", USER_NAME: "anna"},
    "an owner, as Home Assistant writes it": {USER_ID: "17aa", USER_NAME: "Anna"},
    "a user without a name": {USER_ID: "99c0"},
    "a Home Assistant that says nothing of its user": {},
}
"""What the Supervisor says of each; `web.ingress.owners` is anna."""
ROLES = {user: Role.OWNER if user.startswith("an owner") else Role.PARENT for user in USERS}
NOT_THERE = {("POST", "/api/microphone/{room}"), ("POST", "/api/pair")}
"""No frame gets a microphone, and a cookie would be Home Assistant's."""


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("route", [*RIGHTS, *PUBLIC])
def test_user_by_route(page: ServedPage, route: tuple[str, str], user: str) -> None:
    """404 where a route is not for frames, 403 where the table says no, and else whatever the route itself answers."""
    method, path = route
    if path == "/api/live":
        return  # its answer does not end: tests/browser/test_ingress.py
    path = re.sub(r"\{.*\}", "00000000", path)
    status = page.ask_by_ingress(method, path, body={} if method == "POST" else None, headers=USERS[user]).status
    if route in NOT_THERE:
        assert status == 404
    elif str(ROLES[user]) in MAY[route].split():
        assert status in {200, 400, 404}
    else:
        assert status == 403


@pytest.mark.parametrize("path", ["/", "/devices", "/static/parents/app.js", "/api/me", "/api/devices", "/nothing"])
@pytest.mark.parametrize("user", USERS)
def test_another_address_gets_nothing_whatever_it_says(page: ServedPage, path: str, user: str) -> None:
    """Who is not the Supervisor is refused before anything that they say of themselves is read."""
    answer = page.ask_by_ingress("GET", path, headers=USERS[user], address="127.0.0.2")
    assert (answer.status, answer.values) == (
        403,
        {"error": "only the Supervisor of Home Assistant may ask on this port"},
    )


def test_forwarded_for_is_nobodys_address(page: ServedPage) -> None:
    """A header does not make somebody the Supervisor."""
    headers = {**USERS["an owner"], "X-Forwarded-For": "127.0.0.1", "Forwarded": "for=127.0.0.1"}
    assert page.ask_by_ingress("GET", "/api/me", headers=headers, address="127.0.0.2").status == 403


@pytest.mark.parametrize("path", ["/pair", "/microphone", "/healthz", "/metrics"])
def test_what_is_not_for_a_frame_is_not_there(page: ServedPage, path: str) -> None:
    """Pairing, a phone's microphone and what machines ask are on the page itself alone."""
    assert page.ask_by_ingress("GET", path).status == 404


def test_the_headers_of_the_supervisor_are_worth_nothing_by_https(page: ServedPage) -> None:
    """Whoever sends them to the page itself is a stranger there."""
    assert page.ask("GET", "/api/me", headers=USERS["an owner"]).status == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 202),
        ({"Sec-Fetch-Site": "same-origin"}, 202),
        ({"Origin": "https://ha.example.org", "X-Forwarded-Host": "ha.example.org"}, 202),
        ({"Origin": "https://ha.example.org", "Sec-Fetch-Site": "same-origin"}, 202),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://homeassistant.local:8124"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
    ],
)
def test_only_our_own_page_in_home_assistant_acts(page: ServedPage, headers: dict[str, str], status: int) -> None:
    """By Sec-Fetch-Site where the browser says it, else by Origin, also behind a proxy in front of Home Assistant."""
    body = {"room": "nursery", "command": "ack", "value": "PRESS"}
    before = len(page.commands)
    assert page.ask_by_ingress("POST", "/api/command", body=body, headers=headers).status == status
    assert len(page.commands) - before == (status == 202)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({}, "Home Assistant"),
        ({USER_NAME: "bernd"}, "bernd"),
        ({USER_NAME: "bernd", DISPLAY_NAME: "Bernd B."}, "Bernd B."),
        ({USER_NAME: "bernd", DISPLAY_NAME: "B" * 100}, "B" * 64),
    ],
)
def test_an_answer_says_who_gave_it(page: ServedPage, headers: dict[str, str], name: str) -> None:
    """By what Home Assistant calls its user."""
    body = {"room": "nursery", "command": "ack", "value": "PRESS"}
    assert page.ask_by_ingress("POST", "/api/command", body=body, headers=headers).status == 202
    assert page.commands[-1] == Acknowledge("nursery", None, by=name)


def test_a_name_that_is_no_text_becomes_some(page: ServedPage) -> None:
    """It goes into the history and to MQTT, where half a letter would be the end of the daemon."""
    assert page.settings.ingress is not None
    body = b'{"room": "nursery", "command": "ack", "value": "PRESS"}'
    lines = [b"POST /api/command HTTP/1.1", b"Host: ha", b"Sec-Fetch-Site: same-origin", b"Connection: close"]
    lines += [f"{DISPLAY_NAME}: Zo".encode() + b"\xeb", b"Content-Length: %d" % len(body), b"", body]
    with socket.create_connection(("127.0.0.1", page.settings.ingress.port), timeout=PATIENCE_S) as connection:
        connection.sendall(b"\r\n".join(lines))
        assert connection.recv(65_536).startswith(b"HTTP/1.1 202 ")
    assert page.commands[-1] == Acknowledge("nursery", None, by="Zo?")


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_page_reads_nothing(page: ServedPage, site: str) -> None:
    """Streams and answers are for our own pages."""
    assert page.ask_by_ingress("GET", "/api/me", headers={"Sec-Fetch-Site": site}).status == 403


def test_only_home_assistant_may_show_it_in_a_frame(page: ServedPage) -> None:
    """Under its own origin; the rest of the policy is that of the page itself."""
    by_ingress, by_https = page.ask_by_ingress("GET", "/").headers, page.ask("GET", "/").headers
    policy, ours = by_ingress["Content-Security-Policy"], by_https["Content-Security-Policy"]
    assert policy.endswith("frame-ancestors 'self'")
    assert policy.partition("frame-ancestors")[0] == ours.partition("frame-ancestors")[0]
    assert "Set-Cookie" not in by_ingress


def test_who_is_told_where_the_page_itself_is(page: ServedPage) -> None:
    """For the link out of the frame; nobody is given a cookie."""
    answer = page.ask_by_ingress("GET", "/api/me", headers=USERS["an owner"])
    assert answer.values == {"role": "owner", "room": None, "rooms": dict(page.names), "page": page.origin + "/"}
    assert "Set-Cookie" not in answer.headers


def test_an_owner_invites_to_the_page_itself(page: ServedPage) -> None:
    """Its link leads out of Home Assistant, to where a phone may be paired."""
    answer = page.ask_by_ingress("POST", "/api/devices", body={"role": "guest"}, headers=USERS["an owner"])
    assert answer.status == 201
    link = answer.values["link"]
    assert link.startswith(f"{page.origin}/pair#")
    token = link.partition("#")[2]
    assert page.ask("POST", "/api/pair", body={"token": token}).status == 201


def test_a_body_that_is_too_long_is_refused(page: ServedPage) -> None:
    """As by https."""
    assert page.ask_by_ingress("POST", "/api/command", body="x" * SMALL_BODY).status == 413
