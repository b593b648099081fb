"""What the rooms sound like, from the inbox to a page: for the ear, for the eye, and ten quiet minutes of it."""

import asyncio
import base64
import contextlib
import json
import time

import aiohttp
import numpy as np
import pytest

from monitord import quiet_minutes
from monitord.types import RATE_HZ, Pcm
from service.capture.inbox import Inbox
from service.messages import node_messages
from service.messages.message import Message, Node
from service.storage.documents import DocumentStore
from service.web.roles import Role
from service.web.sound import listen
from service.web.sound.ear import Ear
from service.web.sound.look import Columns
from service.web.sound.room_check import RoomChecks
from tests.service.web.test_live import event
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for
from tests.support.sound.sounds import noise, silence, tone
from tests.support.web.served_page import ServedPage

Tokens = dict[Role | None, str | None]


def columns(sound: Pcm, chunk: int = 3200) -> np.ndarray:
    """uint8 [columns, 64] of a sound that comes in chunks."""
    drawer, parts = Columns(), []
    for start in range(0, len(sound), chunk):
        if (drawn := drawer.feed(sound[start : start + chunk])) is not None:
            assert isinstance(drawn["columns"], str)
            parts.append(np.frombuffer(base64.b64decode(drawn["columns"]), np.uint8).reshape(-1, 64))
    return np.concatenate(parts)


def test_who_listens_hears_the_room_as_it_is_now(page: ServedPage, tokens: Tokens) -> None:
    """Sample for sample at 16 kHz; a room at 48 kHz is resampled; who leaves costs nothing any more."""
    nursery, attic = page.inboxes["nursery"], page.inboxes["attic"]
    sent = noise(1.0, rms_dbfs=-30.0)

    async def listen() -> None:
        async with page.browser(tokens[Role.GUEST]) as browser:
            async with browser.get(page.origin + "/api/listen/nursery") as stream, asyncio.timeout(PATIENCE_S):
                await asyncio.to_thread(wait_for, lambda: nursery.tap.at_once, "a listener")
                for start in range(0, RATE_HZ, 1600):
                    nursery.write(sent[start : start + 1600], RATE_HZ, time.time())
                assert await stream.content.readexactly(2 * RATE_HZ) == sent.astype("<i2").tobytes()
            async with browser.get(page.origin + "/api/listen/attic") as stream, asyncio.timeout(PATIENCE_S):
                await asyncio.to_thread(wait_for, lambda: attic.tap.at_once, "a listener")
                attic.write(tone(440, 1.0, rate_hz=48_000), 48_000, time.time())
                heard = np.frombuffer(await stream.content.readexactly(2 * 15_000), "<i2")
                assert np.abs(np.fft.rfft(heard[5000:15_000])).argmax() * RATE_HZ / 10_000 == pytest.approx(440, abs=2)
            async with browser.get(page.origin + "/api/listen/cellar") as stream:
                assert stream.status == 404

            # Though nothing is written to them that could not be sent.
            await asyncio.to_thread(wait_for, lambda: not nursery.tap.listeners, "the end of the first")
            await asyncio.to_thread(wait_for, lambda: not attic.tap.listeners, "the end of the second")

    asyncio.run(listen())


def test_who_does_not_take_its_sound_is_cut_off(
    page: ServedPage, tokens: Tokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection ends, and the room goes on."""
    monkeypatch.setattr(listen, "STUCK_S", 0.5)
    nursery, second = page.inboxes["nursery"], noise(1.0, rms_dbfs=-30.0)

    async def deaf() -> None:
        async with (
            page.browser(tokens[Role.GUEST]) as browser,
            browser.get(page.origin + "/api/listen/nursery", read_bufsize=1),
        ):
            await asyncio.to_thread(wait_for, lambda: nursery.tap.at_once, "a listener")

            def cut_off() -> bool:
                for _ in range(20):
                    nursery.write(second, RATE_HZ, time.time())
                return not nursery.tap.listeners

            await asyncio.to_thread(wait_for, cut_off, "the end of it")

    asyncio.run(deaf())


def test_who_is_removed_hears_no_more(page: ServedPage, tokens: Tokens) -> None:
    """The stream of a removed device ends at once, also of a room that is silent; others hear on."""
    attic, token = page.inboxes["attic"], page.paired(Role.GUEST)
    newest, *_ = page.ask("GET", "/api/devices", token=tokens[Role.OWNER]).values["devices"]

    async def listen() -> None:
        async with (
            page.browser(token) as theirs,
            page.browser(tokens[Role.GUEST]) as ours,
            theirs.get(page.origin + "/api/listen/attic") as removed,
            ours.get(page.origin + "/api/listen/attic") as kept,
            asyncio.timeout(PATIENCE_S),
        ):
            await asyncio.to_thread(wait_for, lambda: len(attic.tap.listeners) == 2, "two listeners")
            answer = await page._ask("DELETE", f"/api/devices/{newest['id']}", tokens[Role.OWNER], None, {})
            assert answer.status == 200
            with contextlib.suppress(aiohttp.ClientPayloadError, ConnectionError):  # cut off
                assert await removed.content.read() == b""
            assert len(attic.tap.listeners) == 1
            attic.write(tone(440, 0.1), RATE_HZ, time.time())
            assert len(await kept.content.readexactly(2 * 1600)) == 3200

    asyncio.run(listen())


def test_while_somebody_looks_the_rooms_are_drawn(page: ServedPage, tokens: Tokens) -> None:
    """Level and columns of the room that is heard; nothing is computed when nobody looks."""
    nursery = page.inboxes["nursery"]

    async def look() -> None:
        async with page.browser(tokens[Role.GUEST]) as browser, browser.get(page.origin + "/api/live") as stream:
            assert (await event(stream))[0] == "state"
            async with asyncio.timeout(PATIENCE_S):
                await asyncio.to_thread(wait_for, lambda: nursery.tap.at_once, "a listener")
                nursery.write(noise(0.5, rms_dbfs=-40.0), RATE_HZ, time.time())
                while (told := await event(stream))[0] != "sound":
                    pass
            assert set(told[1]) == {"nursery"}
            sound = told[1]["nursery"]
            assert isinstance(sound, dict)
            assert sound["dbfs"] == pytest.approx(-40.0, abs=0.5)
            assert len(base64.b64decode(sound["columns"])) == 9 * 64  # of 0.5 s: each column needs 15 ms beyond its end
        await asyncio.to_thread(wait_for, lambda: not nursery.tap.listeners, "nobody to look")

    asyncio.run(look())


def test_columns_do_not_depend_on_how_sound_comes() -> None:
    """The same picture from small and large chunks; twenty a second, the lowest band first."""
    sound = tone(1000, 1.0, peak_dbfs=-20.0) + noise(1.0, rms_dbfs=-70.0)
    whole = columns(sound, RATE_HZ)
    assert np.array_equal(columns(sound, 777), whole)
    assert len(whole) == 19
    brightest = int(whole[5].argmax())
    assert brightest in {19, 20}  # 1,000 Hz lie at 0.315 of the mel scale from 125 to 7,500 Hz, and 65 * 0.315 is 20.5
    assert columns(tone(3000, 1.0))[5].argmax() > brightest
    assert columns(silence(1.0)).max() == 0


def test_quiet_minutes_are_heard_and_kept(page: ServedPage, tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    """How far it is, what was found, and again after a restart; a second press ends one that runs."""
    monkeypatch.setattr(quiet_minutes, "WHOLE_S", 5)
    nursery, part = page.inboxes["nursery"], noise(0.5, rms_dbfs=-60.0)

    def ask(room: str, *, begin: bool) -> int:
        body = {"room": room, "begin": begin}
        return page.ask("POST", "/api/check", token=tokens[Role.PARENT], body=body).status

    def told() -> dict[str, object]:
        check = page.server._board.states.get("nursery/check", {})
        assert isinstance(check, dict)
        return check

    def done() -> bool:
        nursery.write(part, RATE_HZ, time.time())
        return told()["state"] == "done"

    assert ask("cellar", begin=True) == 400
    assert ask("nursery", begin=True) == 202
    assert told()["state"] == "running"
    assert ask("nursery", begin=False) == 202
    assert told() == {"state": "never"}
    assert ask("nursery", begin=True) == 202
    node = Node("home")
    page.server.tell(node_messages.settings(node, "nursery", enabled=True, threshold=0.6, profile="night"))
    page.server.tell(
        node_messages.level(node, "nursery", dbfs=-60.0, floor_dbfs=-60.0, evidence=5.0, on=9.0, quiet_from=0.72)
    )
    wait_for(done, "the result")
    found = told()
    assert (found["nearest"], found["quiet_from"]) == (0.56, 0.72)
    assert found["proposal"] == {
        "gain_db": None,
        "threshold": 0.72,
        "days": 7,
        "episodes": 0,
        "not_told": [],
        "no_cry": 0,
        "cry_db": None,
    }
    assert found["floor_dbfs"] == pytest.approx(-60.0, abs=0.5)
    assert isinstance(found["heard_s"], int)
    assert found["heard_s"] >= 5
    again: list[Message] = []
    RoomChecks(node, {}, page.past.history, DocumentStore(page.folder), again.append)
    assert [json.loads(message.payload) for message in again] == [json.loads(json.dumps(found))]


@pytest.mark.parametrize(
    "body", [{"room": [], "begin": True}, {"room": "nursery", "begin": 1}, {"room": "nursery"}, [], b"{", b"[" * 5_000]
)
def test_what_is_no_check_is_refused(page: ServedPage, tokens: Tokens, body: object) -> None:
    """And none that runs is ended by it."""
    assert page.ask("POST", "/api/check", token=tokens[Role.PARENT], body=body).status == 400


def test_a_page_that_has_ended_is_not_the_microphones_trouble() -> None:
    """Sound on its way to a web thread that has just ended goes nowhere; whoever captures does not hear of it."""
    inbox = Inbox("nursery")

    async def leave_open() -> None:
        Ear(inbox.tap).__enter__()

    asyncio.run(leave_open())
    inbox.write(tone(440, 0.1), RATE_HZ, time.time())
    assert inbox.held == RATE_HZ // 10
