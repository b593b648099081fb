"""Takes the pictures of the page in docs/page: the real server, told a night by formulas, in a real browser.

python -m tests.browser.screenshots FOLDER
"""

import itertools
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from playwright.sync_api import Page

from monitord.household import Episode, Heard
from monitord.quiet_minutes import RoomSound
from monitord.synthetic.synthetic_cry import BOUT, cry
from monitord.tally import Tally
from monitord.types import RATE_HZ, CryEvent, Pcm
from service.messages import cry_messages, node_messages
from service.messages.corrections import Worth, adaptation
from service.messages.fault_messages import fault_event
from service.messages.message import Keep, Node, iso_utc, json_message
from service.messages.spectrogram import spectrogram_png
from service.web.roles import Role
from tests.support.sound.sounds import noise, pcm, synthetic_cry, write_wav
from tests.support.web.chromium import chromium
from tests.support.web.served_page import COOKIE, ServedPage

NODE: Final = Node("home")
SIZES: Final = {"phone": (390, 844), "desk": (1280, 900)}
"""CSS pixels."""
LOOKS: Final = (
    ("phone", "light", "en-GB"),
    ("desk", "dark", "de-DE"),
    ("phone", "red", "en-GB"),
    ("desk", "light", "en-GB"),
)
"""Size, colours, language."""
HEARD_S: Final = 31.0
"""Seconds of sound on a picture."""
COLOURS: Final = 256
"""Of a picture: it looks the same and takes a third."""


CHECK: Final = re.compile("Check the room|Zimmer prüfen")
UP_H, DOWN_H = 10, 18
"""Local hours at which a night of the page ends and begins."""


def at(hour: float) -> float:
    """Wall time (Unix seconds) of an hour of the last night that is over; 26 is two in the morning."""
    now = datetime.now().astimezone()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return (midnight - timedelta(days=1 if now.hour >= UP_H else 2)).timestamp() + 3600 * hour


def tell(page: ServedPage) -> None:
    """A nursery that cries, a bedroom that is quiet, an attic whose connection is lost; and the night before."""
    server, now = page.server, time.time()
    page.past.history._file.add("UPDATE gap SET until = 1")  # as if it had begun long ago
    told: list[tuple[float, float, str, float, float | None]] = [
        (20.2, 6, "unsure", 0.42, 2), (23.4, 14, "hunger", 0.77, 4), (26.1, 3, "unsure", 0.2, None),
        (28.7, 22, "hunger", 0.93, 5), (31.3, 8, "unsure", 0.5, 3),
    ]  # fmt: skip
    clip = np.concatenate([noise(5.0, rms_dbfs=-60), synthetic_cry()])
    for number, (hour, minutes, reason, distress, went_min) in enumerate(told, 1):
        since = at(hour)
        name = cry_messages.episode_id("nursery", since, number)
        values = {"episode": name, "since": iso_utc(since), "ended": iso_utc(since + 60 * minutes), "p_cry": 0.97}
        values |= {"reason": reason, "rooms": ["nursery"], "distress": distress}
        server.tell(json_message(NODE, f"{NODE.root}/nursery/episode", values, Keep.LATEST))
        if went_min is not None:
            answer = {"event_type": "acknowledged", "ts": iso_utc(since + 60 * went_min), "episode": name}
            answer |= {"since": iso_utc(since), "by": ("Anna", "Ben", "")[number % 3]}
            server.tell(json_message(NODE, f"{NODE.root}/nursery/event", answer, Keep.EVENT))
        if number == 3:
            page.past.history.corrected("nursery", episode=name, missed_at=None, was="cat", reason=None)
        if number in {2, 4} and page.past.clips is not None:
            begin = datetime.fromtimestamp(since - 5.0).astimezone()
            page.past.clips.add(name, b"-", spectrogram_png(clip, title="", at=begin))
    for room, word, begin, end in (("attic", "reconnecting", 24.6, 25.5), ("bedroom", "stalled", 29.0, 29.2)):
        server.tell(fault_event(NODE, room, word, message_id="1", ts=at(begin), since=at(begin)))  # type: ignore[arg-type]
        server.tell(fault_event(NODE, room, "ok", message_id="2", ts=at(end), since=at(begin)))
    for room in page.names:
        online, fault = room != "attic", "ok" if room != "attic" else "reconnecting"
        server.tell(node_messages.source_status(NODE, room, online=online))
        health = node_messages.health(NODE, room, fault=fault, tally=Tally(), reconnects=0, last_audio=now - 130)
        server.tell(health)
        server.tell(node_messages.settings(NODE, room, enabled=True, threshold=0.6, profile="night"))
        server.tell(cry_messages.state(NODE, room, now - 4000))
        counts = (
            {"date": "", "episodes": 3, "crying_min": 33.0} if room == "nursery" else {"episodes": 0, "crying_min": 0.0}
        )
        server.tell(cry_messages.today(NODE, room, counts))
        proof = {"state": "proven", "proven": iso_utc(now - 9000), "heard_ms": 1530, "published_ms": 1600}
        proof |= {"receivers": {"mother": 2100}, "not_told": {}, "detail": ""}
        server.tell(cry_messages.proof(NODE, room, proof))
    found = RoomSound(600, -88.2, 4, 50, 23.0, 0, 0.0, 0, 0.58, ("near_alarm", "hum", "too_low"), quiet_from=0.68)
    proposal = {"gain_db": 18.0, "threshold": 0.68, "days": 7, "episodes": 23, "not_told": [at(26.1)], "no_cry": 1}
    check = {"state": "done", "at": iso_utc(now - 600), **asdict(found), "proposal": {**proposal, "cry_db": 31}}
    server._board.tell(json_message(NODE, f"{NODE.root}/bedroom/check", check, Keep.LATEST))
    learnt = adaptation(
        in_force=True,
        corrections=1,
        at=now,
        detail="1 of 1 corrections are heard as you say; of strangers' cries 0.12% of the windows are lost",
        worth=Worth(1, 0, 0.0012),
    )
    info = {"fault": "", "adaptation": learnt}
    server.tell(json_message(NODE, f"{NODE.root}/info", info, Keep.LATEST))
    episode = Episode("nursery-20261129T210000Z-9", "nursery", now - 75, 0.0, 0.0, heard={"nursery": Heard(30.0)})
    last = CryEvent(9, "nursery", "started", 0, 0, 0.97, "unsure", 0.4)
    server.tell(cry_messages.state(NODE, "nursery", now - 75, episode, last))
    server.tell(cry_messages.episode(NODE, "nursery", episode, last))


@contextmanager
def sounding(page: ServedPage) -> Iterator[Callable[[], float]]:
    """Lets a bout of crying and a quiet room be heard over and over; gives how long they were (seconds)."""
    bout = pcm(cry(BOUT), -10.0)
    cried: Pcm = bout + noise(len(bout) / RATE_HZ, rms_dbfs=-62.0)[: len(bout)]
    quiet, step, over = noise(len(bout) / RATE_HZ, rms_dbfs=-60.0), RATE_HZ // 8, threading.Event()
    inbox = page.inboxes["nursery"]
    before = inbox.tally().captured

    def play() -> None:
        for start in itertools.cycle(range(0, len(bout) - step, step)):
            inbox.write(cried[start : start + step], RATE_HZ, time.time())
            page.inboxes["bedroom"].write(quiet[start : start + step], RATE_HZ, time.time())
            if over.wait(step / RATE_HZ):
                return

    playing = threading.Thread(target=play)
    playing.start()
    try:
        yield lambda: (inbox.tally().captured - before) / RATE_HZ
    finally:
        over.set()
        playing.join()


def take(shown: Page, file: Path) -> None:
    """Takes a picture of what a page shows now."""
    shown.screenshot(path=file)
    with Image.open(file) as picture:
        picture.convert("RGB").quantize(COLOURS).save(file, optimize=True)


def main() -> None:
    """Writes PNG files."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    names = {"nursery": "Nursery", "bedroom": "Bedroom", "attic": "Attic"}
    with tempfile.TemporaryDirectory() as state, ServedPage(Path(state), names=names) as page:
        tell(page)
        token = page.paired(Role.PARENT)
        authority = page.server.addresses.certificate
        assert authority is not None
        silent = write_wav(Path(state) / "silent.wav", noise(1.0, rms_dbfs=-80.0))
        with chromium(Path(state) / "home", silent, authority.ca) as browser:
            for size, theme, locale in LOOKS:
                width, height = SIZES[size]
                context = browser.new_context(viewport={"width": width, "height": height}, locale=locale)
                context.add_cookies([{"name": COOKIE, "value": token, "url": page.origin, "secure": True}])
                context.add_init_script(f"localStorage.setItem('monitord.theme', '{theme}')")
                shown = context.new_page()
                shown.goto(f"{page.origin}/#now")
                shown.get_by_text("Bedroom").first.wait_for()
                with sounding(page) as heard_s:
                    while heard_s() < HEARD_S:
                        shown.wait_for_timeout(200)
                    heard = {"dbfs": -14.0, "floor_dbfs": -62.0, "evidence": 2.5, "on": 2.5}
                    page.server.tell(node_messages.level(NODE, "nursery", **heard, quiet_from=None))
                    shown.wait_for_timeout(1000)
                    take(shown, folder / f"now-{size}-{theme}.png")
                    shown.get_by_role("region", name="Bedroom").locator("summary").click()
                    button = shown.get_by_role("button", name=CHECK)
                    button.evaluate("(button) => scrollTo(0, scrollY + button.getBoundingClientRect().top - 16)")
                    shown.wait_for_timeout(1000)
                    take(shown, folder / f"check-{size}-{theme}.png")
                shown.goto(f"{page.origin}/#night")
                shown.reload()
                shown.locator(".track").first.wait_for()
                if not UP_H <= datetime.now().astimezone().hour < DOWN_H:  # the page shows this night: one back
                    shown.locator(".bar button[aria-label]").first.click()
                shown.wait_for_timeout(3000)
                take(shown, folder / f"night-{size}-{theme}.png")
                context.close()


if __name__ == "__main__":
    main()
