"""A family's first evening, from the QR code to "that was the cat", with nothing but two phones and a real cry."""

import json
import re
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pytest
import soxr
from playwright.sync_api import Browser, Page, expect

from monitord.types import RATE_HZ, Pcm
from service.capture.recording import file_chunks
from tests.support.daemon.bare_machine import PORT, hide_microphones, need_free_port, state_dir, taken
from tests.support.daemon.daemon import DEPLOY_RUN, Daemon, room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import silence, write_wav
from tests.support.web.chromium import chromium, phone

pytestmark = pytest.mark.e2e

RECORDING = "ios/818A32F4-D5D8-426C-B88C-81A8154AC81A-1430093571-1.0-m-26-hu.caf"
"""Of a baby that cries all the time: what AudioSet's network is surest of."""
QUIET_S = 25.0
"""Seconds without a cry after it: an episode ends, and its clip is written, in less."""


def recorded_cry(path: Path) -> Pcm:
    """Returns int16 [n] at 16 kHz, the whole recording."""
    chunks = list(file_chunks(path))
    sound = np.concatenate([samples for samples, _ in chunks])
    return np.asarray(soxr.resample(sound, chunks[0][1], RATE_HZ), dtype=np.int16)


def scanned(daemon: Daemon, browser: Browser, number: int) -> Page:
    """Opens the link of the terminal's n-th QR code on another phone."""
    links = re.compile(r"https://\S+/pair#\S+")
    daemon.wait_for(lambda: len(links.findall(daemon.words)) > number, "the QR code")
    page = phone(browser).new_page()
    page.goto(links.findall(daemon.words)[number])
    return page


def test_from_the_qr_code_to_that_was_the_cat(
    tmp_path: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old phone becomes the nursery's microphone; the parent's own sees the cry, and finds it in the night.

    Then the family wants clips, and starts it anew: both phones come back by themselves, and the next cry has one.
    """
    need_free_port()
    hide_microphones(tmp_path, monkeypatch)
    cry = recorded_cry(shared_data / "donateacry" / RECORDING)
    sound = write_wav(tmp_path / "cry.wav", room(silence(2.0), cry, silence(QUIET_S)))
    with ExitStack() as stack:
        with Daemon(tmp_path, program=DEPLOY_RUN) as daemon:
            daemon.wait_for(lambda: "pair#" in daemon.words and taken(), "the link, and its own broker")
            subscriber = stack.enter_context(Subscriber(Mosquitto(tmp_path, port=PORT)))
            browser = stack.enter_context(chromium(tmp_path / "home", sound, state_dir() / "web" / "ca.crt"))
            old = scanned(daemon, browser, 0)
            old.get_by_role("button", name="The microphone in a room").click()
            old.get_by_role("button", name="Go on").click()
            old.get_by_role("button", name="Start listening").click()
            mine = scanned(daemon, browser, 1)  # the daemon began anew, with the room
            mine.get_by_role("button", name="Mine").click()
            expect(mine.get_by_text(re.compile(r"^Crying( hard)?$"))).to_be_visible()
            expect(old.get_by_text("Nursery is listening")).to_be_visible()
            state = "monitord/home/nursery/state"
            daemon.wait_for(lambda: '"crying":true' in "".join(subscriber.payloads(state)), "the cry, on MQTT")
            mine.get_by_role("button", name="The night").click()
            mine.get_by_role("button", name="Day", exact=True).click()
            expect(mine.get_by_role("combobox", name="What was it?").first).to_be_visible()
            assert daemon.stop()[0] == 0
        web = {"port": urlsplit(old.url).port, "clips": {}}
        config = tmp_path / "monitord.yaml"
        config.write_text(json.dumps({"sources": {}, "web": web}))
        with Daemon(tmp_path, "--config", config, program=DEPLOY_RUN) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("ended", "nursery")), "the next cry, to its end")
            expect(mine.locator("audio").first).to_be_visible()
            mine.get_by_role("combobox", name="What was it?").first.select_option("cat")
            info = "monitord/home/info"
            daemon.wait_for(
                lambda: subscriber.latest(info).get("adaptation", {}).get("corrections") == 1, "it is learnt"
            )
            assert daemon.stop()[0] == 0
