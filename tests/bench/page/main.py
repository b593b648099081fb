"""What the family's page costs, beside a daemon without one: idle, looked at, listened to; and how soon it is there."""

import argparse
import asyncio
import contextlib
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Final

import aiohttp
import numpy as np

from monitord.types import RATE_HZ
from service.web.roles import Role
from tests.bench import process, sounds
from tests.bench.cost.figures import Figure, table
from tests.bench.cost.whole import LOOP_S, SETTLE_S
from tests.support.daemon.daemon import Daemon, configure, looped, monitord
from tests.support.servers.mosquitto import Mosquitto, free_port
from tests.support.sound.sounds import noise, silence, write_wav
from tests.support.web.chromium import chromium, phone
from tests.support.web.served_page import COOKIE, ServedPage, browser

PLAYER_S: Final = 0.2
"""Seconds that the page itself holds before it plays, `player-worklet.js`."""
CHUNK: Final = 2048
"""Samples in which sound comes: 128 ms at 16 kHz, as a recording's."""
PAIRED: Final = (("idle", None), ("a page that looks", "/api/live"), ("a page that listens", "/api/listen/room"))
"""Who is there, and what they ask for without end."""

TIMED: Final = """
window.interactive = new Promise((done) => new MutationObserver((_, observer) => {
  if (!document.querySelector(".room button")) return;
  observer.disconnect();
  done(performance.now());
}).observe(document, { childList: true, subtree: true }));
"""
"""Promises when a room stands there with its buttons (milliseconds since the address was opened)."""


@contextlib.contextmanager
def running(folder: Path, broker: Mosquitto, file: Path, web: dict[str, object] | None) -> Iterator[Daemon]:
    """A daemon with a quiet room, that has settled."""
    folder.mkdir()
    more = {} if web is None else {"web": web}
    config = configure(folder, broker, {"room": looped(file)}, node=folder.name, **more)
    with Daemon(folder, "--config", config, json_lines=False) as daemon:
        time.sleep(SETTLE_S)
        yield daemon
        daemon.stop()


@contextlib.asynccontextmanager
async def asking(folder: Path, origin: str, token: str, path: str | None) -> AsyncIterator[None]:
    """Asks for something without end, and reads what comes."""
    if path is None:
        yield
        return
    authority, cookie = folder / "state" / "web" / "ca.crt", f"__Host-monitord_{folder.name}"
    async with browser(authority, token, cookie) as session, session.get(origin + path) as stream:
        assert stream.status == 200, await stream.text()
        reading = asyncio.create_task(_read(stream))
        yield
        reading.cancel()


async def _read(stream: aiohttp.ClientResponse) -> None:
    while await stream.content.readany():
        pass


def paired(config: Path, origin: str, authority: Path, cookie: str) -> str:
    """Pairs a guest; returns the token of its cookie."""
    link = monitord("pair", "--config", config, "--role", "guest").stdout.splitlines()[-1]

    async def pair() -> str:
        async with browser(authority) as session:
            body = {"token": link.partition("#")[2]}
            async with session.post(f"{origin}/api/pair", json=body, headers={"Origin": origin}) as answer:
                return answer.cookies[cookie].value

    return asyncio.run(pair())


def measure(pid: int, slices: int, slice_s: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """CPU (% of a core) and memory (MB) of the daemon alone, by slice."""
    cpu, memory = list[float](), list[float]()
    for _ in range(slices):
        began, before_s = time.monotonic(), process.cpu_s(pid)
        time.sleep(slice_s)
        cpu.append(100.0 * (process.cpu_s(pid) - before_s) / (time.monotonic() - began))
        memory.append(process.memory_mb(pid))
    return tuple(cpu), tuple(memory)


def costs(folder: Path, slices: int, slice_s: float) -> Iterator[Figure]:
    """Daemons without and with a page, on the same sound; then somebody looks, and listens."""
    file = write_wav(folder / "quiet.wav", sounds.quiet(LOOP_S))
    with Mosquitto(folder / "broker") as broker:
        with running(folder / "without", broker, file, None) as daemon:
            cpu, memory = measure(daemon.pid, slices, slice_s)
        yield Figure("CPU, no page", "% of a core", cpu)
        yield Figure("memory (Pss), no page", "MB", memory)
        web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
        with running(folder / "page", broker, file, web) as daemon:
            origin, authority = f"https://127.0.0.1:{web['port']}", folder / "page" / "state" / "web" / "ca.crt"
            token = paired(folder / "page" / "monitord.yaml", origin, authority, "__Host-monitord_page")
            for who, path in PAIRED:

                async def ask(path: str | None = path) -> tuple[tuple[float, ...], tuple[float, ...]]:
                    async with asking(folder / "page", origin, token, path):
                        await asyncio.sleep(2.0)
                        return await asyncio.to_thread(measure, daemon.pid, slices, slice_s)

                cpu_with, memory_with = asyncio.run(ask())
                yield Figure(f"CPU, {who}", "% of a core", cpu_with)
                yield Figure(f"memory (Pss), {who}", "MB", memory_with)
                if path is None:
                    more = float(np.median(memory_with) - np.median(memory))
                    yield Figure("memory (Pss) that a page adds", "MB", (more,), 15.0)
                    yield Figure(
                        "CPU that a page adds", "% of a core", (float(np.median(cpu_with) - np.median(cpu)),), 0.05
                    )


def delays(folder: Path, seconds: float) -> Figure:
    """From the capture of the oldest sample of a chunk to a listener who has all of it, and then plays it."""
    written, arrived = list[float](), list[float]()
    with ServedPage(folder) as page:
        token, inbox = page.paired(Role.GUEST), page.inboxes["nursery"]
        chunks = int(seconds * RATE_HZ / CHUNK)

        def capture() -> None:
            while not inbox.tap.at_once:
                time.sleep(0.01)
            began = time.time()
            for number in range(chunks):
                captured_at = began + number * CHUNK / RATE_HZ
                time.sleep(max(0.0, captured_at + CHUNK / RATE_HZ - time.time()))
                written.append(captured_at)
                inbox.write(noise(CHUNK / RATE_HZ, rms_dbfs=-60), RATE_HZ, captured_at)

        thread = threading.Thread(target=capture)

        async def listen() -> None:
            async with page.browser(token) as session, session.get(page.origin + "/api/listen/nursery") as stream:
                thread.start()
                for number in range(chunks):
                    await stream.content.readexactly(2 * CHUNK)
                    arrived.append(time.time() - written[number] + PLAYER_S)

        asyncio.run(listen())
        thread.join()
    return Figure("a sound, from its capture until a listener hears it", "s", tuple(arrived), 0.5, 95.0)


def openings(folder: Path, repetitions: int) -> Figure:
    """From opening the address in a browser that has nothing of the page yet to a room whose buttons can be pressed."""
    taken = list[float]()
    silent = write_wav(folder / "silence.wav", silence(1.0))
    with ServedPage(folder) as page:
        cookie = {"name": COOKIE, "value": page.paired(Role.GUEST), "url": page.origin, "secure": True}
        with chromium(folder / "home", silent, folder / "web" / "ca.crt") as started:
            for _ in range(repetitions):
                with phone(started) as context:
                    context.add_cookies([cookie])  # type: ignore[list-item]
                    tab = context.new_page()
                    tab.add_init_script(TIMED)
                    tab.goto(page.origin)
                    taken.append(tab.evaluate("() => window.interactive") / 1000)
    return Figure("the page, from its address to buttons that can be pressed", "s", tuple(taken), 1.0)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="tests/bench/run page", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a look, no result")
    short = parser.parse_args().short
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as folder:
        for name in ("open", "listen"):
            (Path(folder) / name).mkdir()
        figures = [openings(Path(folder) / "open", 3 if short else 20)]
        figures.append(delays(Path(folder) / "listen", 5.0 if short else 30.0))
        for figure in costs(Path(folder), 2 if short else 6, 5.0 if short else 20.0):
            figures.append(figure)
            sys.stderr.write(f"{figure.name}: {np.median(figure.values):.3g} {figure.unit}\n")
    sys.stdout.write(table(figures).split("\n\n")[0] + "\n")


if __name__ == "__main__":
    main()
