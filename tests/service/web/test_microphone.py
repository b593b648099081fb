"""`POST /api/microphone/<room>` over the network, and rooms that come into being by pairing."""

from pathlib import Path

import pytest

from service.storage.documents import DocumentStore
from service.web.family.invitations import Invitations
from service.web.family.rooms import ROOMS_BOUND, id_of, kept_rooms
from service.web.roles import SOUND_BODY, Role
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import drain
from tests.support.web.served_page import ServedPage

Tokens = dict[Role | None, str | None]
SOUND = b"\x01\x00" * 4_000


def test_sound_reaches_the_inbox(page: ServedPage, tokens: Tokens) -> None:
    """By its index; a post that is sent again is answered the same."""
    path = "/api/microphone/nursery?session=s1&start=0&rate=16000"
    for _ in range(2):
        answer = page.ask("POST", path, token=tokens[Role.MICROPHONE], body=SOUND)
        assert (answer.status, answer.values) == (200, {"have": 4_000})
    (chunk,) = drain(page.phones["nursery"].inbox)
    assert (len(chunk.samples), chunk.rate_hz, set(chunk.samples.tolist())) == (4_000, 16_000, {1})


def test_four_seconds_at_the_highest_rate_come_whole(page: ServedPage, tokens: Tokens) -> None:
    """What a page sends at once after a minute without network; refused, it would be sent again for ever."""
    path = "/api/microphone/nursery?session=s0&start=0&rate=192000"
    answer = page.ask("POST", path, token=tokens[Role.MICROPHONE], body=bytes(2 * 4 * 192_000))
    assert (answer.status, answer.values) == (200, {"have": 4 * 192_000})
    drain(page.phones["nursery"].inbox)


def test_a_word_without_sound(page: ServedPage, tokens: Tokens) -> None:
    """An empty body is enough."""
    path = "/api/microphone/nursery?session=s2&start=0&rate=16000"
    page.ask("POST", path, token=tokens[Role.MICROPHONE], body=SOUND)
    assert page.ask("POST", path + "&says=screen_off", token=tokens[Role.MICROPHONE], body=b"").status == 200
    assert page.phones["nursery"].status().says == "screen_off"


def test_a_page_that_was_displaced_is_told(page: ServedPage, tokens: Tokens) -> None:
    """409, so that it stops."""
    for session in ("s3", "s4"):
        page.ask(
            "POST", f"/api/microphone/nursery?session={session}&rate=16000", token=tokens[Role.MICROPHONE], body=SOUND
        )
    answer = page.ask(
        "POST", "/api/microphone/nursery?session=s3&rate=16000", token=tokens[Role.MICROPHONE], body=SOUND
    )
    assert (answer.status, answer.values) == (409, {"over": "displaced"})


@pytest.mark.parametrize(
    ("query", "body", "status"),
    [
        ("start=-1", SOUND, 400),
        (f"start={2**53}", SOUND, 400),
        ("rate=7999", SOUND, 400),
        ("rate=x", SOUND, 400),
        ("session=%0a", SOUND, 400),
        ("says=stuck", SOUND, 400),
        ("more=1", SOUND, 400),
        ("start=0", b"\x01", 400),
        ("start=0", b"\0" * (SOUND_BODY + 2), 413),
    ],
)
def test_what_is_no_post_is_refused(page: ServedPage, tokens: Tokens, query: str, body: bytes, status: int) -> None:
    """Before it reaches the house."""
    before = page.phones["nursery"].inbox.tally().captured
    answer = page.ask("POST", f"/api/microphone/nursery?{query}", token=tokens[Role.MICROPHONE], body=body)
    assert (answer.status, page.phones["nursery"].inbox.tally().captured) == (status, before)


def test_a_microphone_stays_in_its_room(page: ServedPage, tokens: Tokens) -> None:
    """And learns of no other."""
    assert page.ask("POST", "/api/microphone/attic", token=tokens[Role.MICROPHONE], body=SOUND).status == 403
    me = page.ask("GET", "/api/me", token=tokens[Role.MICROPHONE]).values
    assert me == {
        "role": "microphone",
        "room": "nursery",
        "rooms": {"nursery": "Nursery"},
        "page": page.origin + "/",
        "begins_anew": False,
    }


def test_a_room_comes_into_being(tmp_path: Path) -> None:
    """By an owner's link on the phone itself: kept for the next start, for which the daemon is asked at once."""
    with ServedPage(tmp_path) as page:
        token = Invitations(tmp_path).invite(Role.OWNER)
        looked = page.ask("POST", "/api/pair", body={"token": token, "look": True})
        assert looked.values == {"role": "owner", "room": None, "rooms": {"nursery": "Nursery"}}
        body = {"token": token, "role": "microphone", "name": "Küche"}
        paired = page.ask("POST", "/api/pair", body=body)
        assert paired.values == {"role": "microphone", "room": "kuche"}
        assert kept_rooms(tmp_path) == {"kuche": "Küche"}
        assert page.restarts.wait(PATIENCE_S)
        me = page.ask("GET", "/api/me", token=paired.cookie).values
        assert (me["rooms"], me["begins_anew"]) == ({"kuche": "Küche"}, True)
        assert page.ask("POST", "/api/microphone/kuche", token=paired.cookie, body=SOUND).status == 404  # not yet
        assert page.ask("POST", "/api/pair", body=body).status == 410


def test_a_room_with_another_microphone_stays_as_it_is(tmp_path: Path) -> None:
    """The link is not spent by the mistake, and no restart comes of a room that is there."""
    with ServedPage(tmp_path) as page:
        token = Invitations(tmp_path).invite(Role.OWNER)
        body = {"token": token, "role": "microphone", "room": "attic"}
        assert page.ask("POST", "/api/pair", body=body).status == 409
        assert page.ask("POST", "/api/pair", body={**body, "room": "nursery"}).status == 201
        assert kept_rooms(tmp_path) == {}
        assert not page.restarts.is_set()


def test_a_room_that_the_disk_does_not_take_is_refused(tmp_path: Path) -> None:
    """It would be gone with the restart, and its phone would belong nowhere; the link is good for another try."""
    with ServedPage(tmp_path) as page:
        token = Invitations(tmp_path).invite(Role.OWNER)
        body = {"token": token, "role": "microphone", "name": "Küche"}
        (tmp_path / "rooms.json.new").mkdir()
        refused = page.ask("POST", "/api/pair", body=body)
        assert (refused.status, "the disk refuses" in refused.values["error"]) == (507, True)
        assert not page.restarts.is_set()
        (tmp_path / "rooms.json.new").rmdir()
        page.server.store.retry()
        assert kept_rooms(tmp_path) == {}
        assert page.ask("POST", "/api/pair", body=body).status == 201
        assert kept_rooms(tmp_path) == {"kuche": "Küche"}


def test_a_room_that_the_configuration_took_over_is_no_phones(tmp_path: Path) -> None:
    """A phone made it once; since then the file gives it another microphone, which hears."""
    DocumentStore(tmp_path).save("rooms", {"attic": {"name": "Attic"}, "cellar": {"name": "Cellar"}})
    with ServedPage(tmp_path) as page:
        body = {"token": Invitations(tmp_path).invite(Role.OWNER), "role": "microphone", "room": "attic"}
        assert page.ask("POST", "/api/pair", body=body).status == 409
        assert page.ask("POST", "/api/pair", body={**body, "room": "cellar"}).status == 201


def test_rooms_are_bounded(tmp_path: Path) -> None:
    """Each one is a listener in the worker."""
    with ServedPage(tmp_path) as page:
        for number in range(ROOMS_BOUND + 1):
            token = Invitations(tmp_path).invite(Role.OWNER)
            body = {"token": token, "role": "microphone", "name": f"Room {number}"}
            status = page.ask("POST", "/api/pair", body=body).status
            assert status == (201 if number < ROOMS_BOUND else 409)


@pytest.mark.parametrize(
    ("name", "room"),
    [("Nursery", "nursery2"), ("Küche", "kuche"), ("Baby's room!", "baby_s_room"), ("寝室", "room"), ("", "room")],
)
def test_ids_of_names(name: str, room: str) -> None:
    """What MQTT takes, and no room's that is there."""
    assert id_of(name, {"nursery"}) == room
