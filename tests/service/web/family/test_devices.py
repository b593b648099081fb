"""Invitations and devices: once, ten minutes, over a restart, revocable, nothing but hashes on disk."""

import json
import os
import time
from pathlib import Path

import pytest

from service.messages import commands
from service.messages.tuning import Tune
from service.storage.documents import DocumentStore
from service.web.family.devices import DEVICES_BOUND, Devices
from service.web.family.invitations import VALID_S, Invitations
from service.web.roles import Role
from tests.support.web.served_page import ServedPage


def test_an_invitation_holds_once(tmp_path: Path) -> None:
    """Of two who show the same token one is paired."""
    invitations = Invitations(tmp_path)
    token = invitations.invite(Role.PARENT)
    other_process = Invitations(tmp_path)
    found = other_process.look(token)
    assert found is not None
    assert found.role is Role.PARENT
    assert [other_process.spend(token), invitations.spend(token)] == [True, False]
    assert invitations.look(token) is None


def test_an_invitation_ends(tmp_path: Path) -> None:
    """After ten minutes it is worth nothing, and the next one tidies up."""
    invitations = Invitations(tmp_path)
    token = invitations.invite(Role.PARENT)
    (path,) = (tmp_path / "invitations").iterdir()
    assert token not in path.name + path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    path.write_text(json.dumps({**json.loads(path.read_text()), "ends": time.time() - 1.0}))
    assert invitations.look(token) is None
    os.utime(path, (0.0, time.time() - VALID_S - 1.0))
    invitations.invite(Role.GUEST)
    assert path not in set((tmp_path / "invitations").iterdir())


@pytest.mark.parametrize("token", ["", "../devices", "x" * 1_000, "\0"])
def test_what_is_no_token_opens_nothing(tmp_path: Path, token: str) -> None:
    """Whatever is in it: the file's name is made of its hash."""
    Invitations(tmp_path).invite(Role.OWNER)
    assert Invitations(tmp_path).look(token) is None


def test_devices_outlive_a_restart_as_hashes(tmp_path: Path) -> None:
    """The token is in the cookie alone."""
    _, token = Devices(DocumentStore(tmp_path)).pair(Role.OWNER, None, "Android, Chrome")
    assert token not in (tmp_path / "devices.json").read_text()
    again = Devices(DocumentStore(tmp_path))
    found = again.of_token(token)
    assert found is not None
    assert (found[1].role, found[1].name, again.owned) == (Role.OWNER, "Android, Chrome", True)
    assert again.of_token("another") is None


def test_devices_are_bounded(tmp_path: Path) -> None:
    """The one that was seen longest ago goes."""
    devices = Devices(DocumentStore(tmp_path))
    tokens = [devices.pair(Role.GUEST, None, str(n))[1] for n in range(DEVICES_BOUND + 1)]
    assert len(list(devices)) == DEVICES_BOUND
    assert devices.of_token(tokens[0]) is None
    assert devices.of_token(tokens[-1]) is not None


def test_pairing_over_the_network(page: ServedPage) -> None:
    """Once with 201 and a cookie, then 410; a link for a guest makes no owner; an owner's may make any."""
    invitations = Invitations(page.folder)
    token = invitations.invite(Role.GUEST)
    assert page.ask("POST", "/api/pair", body={"token": token, "role": "owner"}).status == 403
    agent = {"User-Agent": "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Safari/537.36"}
    answer = page.ask("POST", "/api/pair", body={"token": token}, headers=agent)
    assert (answer.status, answer.values["role"]) == (201, "guest")
    assert page.ask("POST", "/api/pair", body={"token": token}).status == 410
    assert page.ask("POST", "/api/pair", body={"tokens": token}).status == 400
    owner = page.ask("POST", "/api/pair", body={"token": invitations.invite(Role.OWNER), "role": "guest"})
    assert owner.values["role"] == "guest"


def test_the_owner_lists_invites_and_removes(page: ServedPage, tokens: dict[Role | None, str | None]) -> None:
    """The link that is made pairs a device, which then stands in the list, and can be removed."""
    made = page.ask("POST", "/api/devices", token=tokens[Role.OWNER], body={"role": "parent"}).values
    assert made["picture"].startswith("data:image/svg+xml")
    link = made["link"]
    assert link.startswith(page.origin + "/pair#")
    cookie = page.ask("POST", "/api/pair", body={"token": link.partition("#")[2]}).cookie
    me = page.ask("GET", "/api/me", token=cookie).values
    assert me == {
        "role": "parent",
        "room": None,
        "rooms": {"nursery": "Nursery", "attic": "Attic"},
        "page": page.origin + "/",
    }
    newest, *_ = page.ask("GET", "/api/devices", token=tokens[Role.OWNER]).values["devices"]
    path = f"/api/devices/{newest['id']}"
    for wrong in ({"name": " "}, {"name": "x" * 65}, {"name": "Anna", "role": "owner"}):
        assert page.ask("POST", path, token=tokens[Role.OWNER], body=wrong).status == 400
    assert page.ask("POST", path, token=tokens[Role.OWNER], body={"name": " Anna "}).status == 200
    newest, *_ = page.ask("GET", "/api/devices", token=tokens[Role.OWNER]).values["devices"]
    assert (newest["name"], newest["role"]) == ("Anna", "parent")
    assert page.ask("POST", "/api/command", token=cookie, body={"room": "nursery", "command": "ack", "value": "PRESS"})
    assert page.commands[-1] == commands.Acknowledge("nursery", None, by="Anna")
    assert (newest["role"], newest["this"]) == ("parent", False)
    assert page.ask("DELETE", f"/api/devices/{newest['id']}", token=tokens[Role.OWNER]).status == 200
    assert page.ask("GET", "/api/me", token=cookie).status == 401
    assert page.ask("DELETE", f"/api/devices/{newest['id']}", token=tokens[Role.OWNER]).status == 404


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"room": "nursery", "command": "snooze", "value": 10}, commands.Snooze("nursery", 10)),
        ({"room": "nursery", "command": "ack", "value": "PRESS"}, commands.Acknowledge("nursery", None, by="?")),
        (
            {"room": "nursery", "command": "tuning", "value": '{"gain_db": 12}'},
            Tune("nursery", 12),
        ),
        ({"room": None, "command": "test_alarm", "value": "PRESS"}, commands.TestAlarm(None)),
    ],
)
def test_a_command_of_the_page(
    page: ServedPage,
    tokens: dict[Role | None, str | None],
    body: object,
    told: commands.Command,
) -> None:
    """By the same parser as over MQTT."""
    assert page.ask("POST", "/api/command", token=tokens[Role.PARENT], body=body).status == 202
    assert page.commands[-1] == told


@pytest.mark.parametrize(
    "body",
    [
        {"room": "cellar", "command": "ack", "value": "PRESS"},
        {"room": "nursery", "command": "dance", "value": "PRESS"},
        {"room": "nursery/event", "command": "x", "value": "{}"},
        {"room": "nursery", "command": "snooze", "value": 10_000},
        {"room": "nursery"},
        [],
        b"{",
        b"\xff",
        b"[" * 5_000,
        {"room": {"nursery": 1}, "command": ["ack"], "value": None},
        {"room": "nursery", "command": "ack", "value": "\ud800"},
        {"room": "nursery", "command": "correct", "value": '{"missed_at": "2999-01-01T00:00:00Z"}'},
    ],
)
def test_a_command_that_is_none(page: ServedPage, tokens: dict[Role | None, str | None], body: object) -> None:
    """Says what is wrong with it, and nobody obeys."""
    before = len(page.commands)
    answer = page.ask("POST", "/api/command", token=tokens[Role.PARENT], body=body)
    assert (answer.status, len(page.commands)) == (400, before)
    assert answer.values["error"]


def test_a_body_is_read_as_json_whatever_it_is_called(page: ServedPage, tokens: dict[Role | None, str | None]) -> None:
    """An encoding that nobody knows is no bug of the server."""
    body, headers = (
        b'{"room": "nursery", "command": "ack", "value": "PRESS"}',
        {"Content-Type": "text/plain; charset=no"},
    )
    assert page.ask("POST", "/api/command", token=tokens[Role.PARENT], body=body, headers=headers).status == 202


def test_a_clock_that_is_put_back_keeps_no_invitation(tmp_path: Path) -> None:
    """Ten minutes are ten minutes: a link of an hour ahead is worth nothing, and is tidied up."""
    invitations = Invitations(tmp_path)
    token = invitations.invite(Role.OWNER)
    (path,) = (tmp_path / "invitations").iterdir()
    ahead = time.time() + 3_600.0
    path.write_text(json.dumps({**json.loads(path.read_text()), "ends": ahead + VALID_S}))
    os.utime(path, (ahead, ahead))
    assert invitations.look(token) is None
    invitations.invite(Role.GUEST)
    assert not path.exists()
