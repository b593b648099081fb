"""What a phone as a microphone costs the daemon, beside a stream of the same sound, and how late its sound is there.

The cost with a client that posts as the page does, so that no browser takes part in it; the delay in a real Chromium.
"""

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from monitord.types import RATE_HZ
from tests.bench import process, sounds
from tests.bench.cost.figures import Figure, table
from tests.bench.cost.whole import LOOP_S, SETTLE_S
from tests.browser.conftest import page_house
from tests.support.daemon.daemon import Daemon, configure, monitord
from tests.support.servers.http_audio import HttpAudio
from tests.support.servers.mosquitto import Mosquitto, free_port
from tests.support.sound.sounds import write_wav
from tests.support.web.served_page import COOKIE, browser

CHUNK: Final = RATE_HZ // 4
"""Samples in one post: `worklet.js`."""
TIMED: Final = """
window.posts = [];
const ask = window.fetch;
window.fetch = async (path, asked) => {
  const began = performance.now(), answer = await ask(path, asked);
  if (asked?.body?.size && answer.ok) posts.push(performance.now() - began);
  return answer;
};
"""
"""Notes how long each post with sound takes until its answer is back (milliseconds)."""


def measure(pid: int, slices: int, slice_s: float) -> tuple[float, ...]:
    """CPU (% of a core) of the daemon and its children, by slice."""
    cpu = list[float]()
    for _ in range(slices):
        began, before_s = time.monotonic(), process.cpu_with_children_s(pid)
        time.sleep(slice_s)
        cpu.append(100.0 * (process.cpu_with_children_s(pid) - before_s) / (time.monotonic() - began))
    return tuple(cpu)


async def post_for_ever(config: Path, origin: str, sound: bytes, stopping: threading.Event) -> None:
    """Pairs, and posts the sound over and over in real time."""
    link = monitord("pair", "--config", config, "--role", "microphone", "--room", "room").stdout.splitlines()[-1]
    authority, headers = config.parent / "state" / "web" / "ca.crt", {"Origin": origin}
    async with browser(authority) as session:
        body = {"token": link.partition("#")[2]}
        async with session.post(f"{origin}/api/pair", json=body, headers=headers) as answer:
            token = answer.cookies[COOKIE].value
    async with browser(authority, token) as session:
        began, number, size = time.monotonic(), 0, 2 * CHUNK
        while not stopping.is_set():
            at = number * size % len(sound)
            path = f"{origin}/api/microphone/room?session=bench&start={number * CHUNK}&rate={RATE_HZ}"
            async with session.post(path, data=sound[at : at + size], headers=headers) as answer:
                assert answer.status == 200, await answer.text()
            number += 1
            await asyncio.sleep(max(0.0, began + number * CHUNK / RATE_HZ - time.monotonic()))


def costs(folder: Path, slices: int, slice_s: float) -> Iterator[Figure]:
    """One room, as a stream and as a phone, both with a page."""
    sound = sounds.quiet(LOOP_S)
    found = list[tuple[float, ...]]()
    with Mosquitto(folder / "broker") as broker, HttpAudio(sound).running() as server:
        for name, source in (("stream", {"stream": server.url("/audio.wav")}), ("phone", {"page": True})):
            (folder / name).mkdir()
            web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
            config = configure(folder / name, broker, {"room": source}, web=web)
            stopping = threading.Event()
            with Daemon(folder / name, "--config", config) as daemon:
                daemon.wait_for(lambda daemon=daemon: "on any phone" in daemon.words, "the page")  # type: ignore[misc]
                posting = threading.Thread(
                    target=lambda config=config, web=web, stopping=stopping: asyncio.run(  # type: ignore[misc]
                        post_for_ever(config, f"https://127.0.0.1:{web['port']}", sound.tobytes(), stopping)
                    )
                )
                if name == "phone":
                    posting.start()
                time.sleep(SETTLE_S)
                found.append(measure(daemon.pid, slices, slice_s))
                stopping.set()
                if name == "phone":
                    posting.join()
                daemon.stop()
            yield Figure(f"CPU with its children, one room: a {name}", "% of a core", found[-1])
    stream, phone = (float(np.median(cpu)) for cpu in found)
    yield Figure("CPU of a phone beyond a stream's", "% of a core", (phone - stream,), 0.5)


def delays(folder: Path, seconds: float) -> Iterator[Figure]:
    """In Chromium: of each sample, how long it waits for its post to be full, and for the post's answer.

    The answer's way back is in it, so it is no less than the truth.
    """
    with page_house(folder, write_wav(folder / "quiet.wav", sounds.quiet(LOOP_S))) as house:
        page = house.listening_phone()
        page.evaluate(TIMED)
        page.wait_for_timeout(1000.0 * seconds)
        posts_ms = np.array(page.evaluate("posts"), dtype=np.float64)
    assert len(posts_ms) > seconds
    waited_ms = 1000.0 * (np.arange(CHUNK)[::-100] + 1) / RATE_HZ
    ages_ms = (posts_ms[:, None] + waited_ms[None, :]).ravel()
    yield Figure("a post of a phone, until its answer is back", "ms", tuple(posts_ms))
    yield Figure("a sample, from the worklet until it is in the inbox", "ms", tuple(ages_ms), 300.0, 90.0)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="tests/bench/run phone", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a look, no result")
    short = parser.parse_args().short
    figures = list[Figure]()
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as folder:
        (Path(folder) / "delays").mkdir()
        for measured in (
            delays(Path(folder) / "delays", 20.0 if short else 120.0),
            costs(Path(folder), 2 if short else 6, 10.0 if short else 20.0),
        ):
            for figure in measured:
                figures.append(figure)
                sys.stderr.write(f"{figure.name}: {np.median(figure.values):.3g} {figure.unit}\n")
    sys.stdout.write(table(figures).split("\n\n")[0] + "\n")


if __name__ == "__main__":
    main()
