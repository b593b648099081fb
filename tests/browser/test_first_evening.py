"""A family's first evening, from the QR code to "that was the cat", with nothing but two phones and a real cry."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import soxr
from playwright.sync_api import Page

from monitord.types import RATE_HZ, Pcm
from service.capture.recording import file_chunks
from tests.browser.conftest import PageHouse, page_house
from tests.support.daemon.daemon import room
from tests.support.sound.sounds import silence, write_wav
from tests.support.web.chromium import phone

pytestmark = pytest.mark.browser

RECORDING = "ios/818A32F4-D5D8-426C-B88C-81A8154AC81A-1430093571-1.0-m-26-hu.caf"
"""Of a baby that cries all the time: what AudioSet's network is surest of."""
QUIET_S = 25.0
"""Seconds without a cry after it: an episode ends, and its clip is written, in less."""


def recorded_cry(path: Path) -> Pcm:
    """Returns int16 [n] at 16 kHz, the whole recording."""
    chunks = list(file_chunks(path))
    sound = np.concatenate([samples for samples, _ in chunks])
    return np.asarray(soxr.resample(sound, chunks[0][1], RATE_HZ), dtype=np.int16)


def scanned(house: PageHouse, number: int) -> Page:
    """Opens the link of the terminal's n-th QR code on another phone."""
    links = re.compile(r"https://\S+/pair#\S+")
    house.until(lambda: len(links.findall(house.daemon.words)) > number, "the QR code")
    page = phone(house.browser).new_page()
    page.goto(links.findall(house.daemon.words)[number])
    return page


def test_from_the_qr_code_to_that_was_the_cat(tmp_path: Path, shared_data: Path) -> None:
    """An old phone becomes the nursery's microphone; the parent's own has the cry in the timeline, and its clip."""
    cry = recorded_cry(shared_data / "donateacry" / RECORDING)
    sound = write_wav(tmp_path / "cry.wav", room(silence(2.0), cry, silence(QUIET_S)))
    with page_house(tmp_path, sound, clips={}) as house:
        assert "█" in house.daemon.words
        old = scanned(house, 0)
        old.get_by_role("button", name="The microphone in a room").click()
        old.get_by_role("button", name="Go on").click()
        old.get_by_role("button", name="Start listening").click()
        mine = scanned(house, 1)  # the daemon began anew, with the room
        mine.get_by_role("button", name="Mine").click()
        house.until(lambda: bool(house.daemon.events("started", "nursery")), "the cry")
        old.get_by_text("Nursery is listening").wait_for()
        events = "monitord/home/nursery/event"
        house.until(lambda: '"event_type":"ended"' in "".join(house.subscriber.payloads(events)), "its end, on MQTT")
        mine.get_by_role("link", name="The night").or_(mine.get_by_role("button", name="The night")).first.click()
        mine.get_by_role("button", name="Day", exact=True).click()
        said = mine.get_by_role("combobox", name="What was it?").first
        said.wait_for()
        mine.locator("audio").first.wait_for()
        said.select_option("cat")
        info = "monitord/home/info"
        house.until(
            lambda: json.loads(house.subscriber.last(info) or "{}")["adaptation"]["corrections"] == 1, "it is learnt"
        )
