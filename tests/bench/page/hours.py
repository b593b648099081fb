"""Eight hours of a phone's microphone in minutes: what arrives, and whether the page or the server grows.

Time is what is compressed. `worklet.js` runs in Chromium's own audio engine, offline, and `sender.js` posts what it
collects to the real server, over TLS, as fast as that takes it, through many cuts of the connection. What takes part in
real time alone is left out: the microphone itself, `microphone.js` with its clocks and screen, and the network.
"""

import argparse
import os
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

import numpy as np
from playwright.sync_api import Page

from monitord.types import RATE_HZ
from service.capture.inbox import Inbox
from service.web.roles import Role
from tests.bench import process
from tests.bench.cost.figures import Figure, table
from tests.support.sound.sounds import noise, silence, write_wav
from tests.support.web.chromium import chromium, phone
from tests.support.web.served_page import COOKIE, ServedPage

PIECE_S: Final = 300
"""Sound that the audio engine is asked for at once (seconds): it keeps all that it gives, 19 MB."""
PATTERN_S: Final = 7
"""Noise that is repeated (seconds), so that each sample that arrives can be compared."""
EVERY_S: Final = 10.0
"""Between two cuts of the connection (seconds of this machine)."""
CUT_S: Final = 1.0
"""Of each (the same)."""
SETTLE: Final = 0.1
"""Share of the sound after which memory is looked at first: what is loaded once is loaded then."""

SEND: Final = """
async ([room, pieces, pieceS, pattern]) => {
  const RATE = 16000, PAUSE_S = 20, KEPT_S = 20;
  const { Sender } = await import("/static/sender.js");
  window.sender = new Sender(room, () => {});
  sender.begin(RATE);
  sender.say("ok");
  window.pieces = 0;
  const pause = () => new Promise((done) => setTimeout(done, 5));
  const sound = new AudioBuffer({ length: pattern.length, sampleRate: RATE });
  sound.copyToChannel(Float32Array.from(pattern, (one) => one / 32768), 0);
  for (let piece = 0; piece < pieces; piece++) {
    const context = new OfflineAudioContext(1, pieceS * RATE, RATE);
    await context.audioWorklet.addModule("/static/worklet.js");
    const source = new AudioBufferSourceNode(context, { buffer: sound, loop: true });
    const collector = new AudioWorkletNode(context, "collector", {
      channelCount: 1, channelCountMode: "explicit", outputChannelCount: [1],
    });
    collector.port.onmessage = ({ data }) => sender.push(data.samples);
    source.connect(collector).connect(context.destination);
    source.start(0, ((piece * pieceS * RATE) % pattern.length) / RATE);
    // The page keeps a minute: the engine waits until what it gave before is on its way.
    for (let at = PAUSE_S; at < pieceS; at += PAUSE_S) context.suspend(at).then(async () => {
      while (sender.keptS() > KEPT_S) await pause();
      context.resume();
    });
    await context.startRendering();
    while (sender.next < (piece + 1) * pieceS * RATE) await pause();  // its last messages come after its end
    while (sender.keptS() > KEPT_S) await pause();
    window.pieces = piece + 1;
  }
  while (sender.ring.length) await pause();
}
"""
"""Sends so many pieces of so many seconds."""


class Listener(threading.Thread):
    """Takes what arrives, in place of the worker.

    Args:
        inbox: Of the room.
        pattern: int16 [n], what is sent over and over.
    """

    def __init__(self, inbox: Inbox, pattern: np.ndarray) -> None:
        super().__init__(name="listener")
        self._inbox, self._pattern = inbox, pattern
        self.over = threading.Event()
        self.arrived = 0
        """Samples."""
        self.changed = 0
        """Those of them that are not what was sent."""

    def run(self) -> None:
        """Until `over`, and all that came before."""
        while not self.over.is_set() or self._inbox.held:
            while (chunk := self._inbox.read()) is not None:
                index = (chunk.start + np.arange(len(chunk.samples))) % len(self._pattern)
                self.changed += int(np.count_nonzero(self._pattern[index] != chunk.samples))
                self.arrived += len(chunk.samples)
            time.sleep(0.005)


def heap_mb(page: Page) -> float:
    """What the page's scripts hold, after what they do not is gone (MB)."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    used = float(session.send("Runtime.getHeapUsage")["usedSize"])
    session.detach()
    return used / 2**20


def measure(folder: Path, hours: float) -> list[Figure]:
    """Sends so many hours, and returns what became of them."""
    pieces = max(2, round(hours * 3600 / PIECE_S))
    pattern = noise(PATTERN_S, rms_dbfs=-30.0)
    silent = write_wav(folder / "silence.wav", silence(1.0))
    with ServedPage(folder) as served:
        inbox = served.inboxes["nursery"]
        listener = Listener(inbox, pattern)
        cookie = {"name": COOKIE, "value": served.paired(Role.MICROPHONE), "url": served.origin, "secure": True}
        with chromium(folder / "home", silent, folder / "web" / "ca.crt") as started:
            context = phone(started)
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            page.goto(served.origin + "/pair")  # a page of ours that, without a token, does nothing more
            listener.start()
            began = time.monotonic()
            page.evaluate(
                f"(asked) => {{ window.sent = ({SEND})(asked).then(() => 'all', String); }}",
                ["nursery", pieces, PIECE_S, pattern.tolist()],
            )
            cuts, heap, memory = 0, list[float](), list[float]()
            while page.evaluate("() => Promise.race([window.sent, null])") is None:
                page.wait_for_timeout(1000 * EVERY_S)
                context.set_offline(True)
                page.wait_for_timeout(1000 * CUT_S)
                context.set_offline(False)
                cuts += 1
                done = page.evaluate("() => window.pieces") / pieces
                sys.stderr.write(f"{done:.0%} of {pieces * PIECE_S / 3600:g} hours, {time.monotonic() - began:.0f} s\n")
                if done >= SETTLE:
                    heap.append(heap_mb(page))
                    memory.append(process.memory_mb(os.getpid()))
            took_s = time.monotonic() - began
            assert page.evaluate("() => window.sent") == "all"
            collected = page.evaluate("() => sender.next")
            listener.over.set()
            listener.join()
    heard_s = listener.arrived / RATE_HZ
    return [
        Figure("sound that arrived", "hours", (heard_s / 3600,)),
        Figure("faster than real time", "times", (heard_s / took_s,)),
        Figure("the connection was cut", "times", (float(cuts),)),
        Figure("sound that did not arrive", "samples", (float(collected - listener.arrived),), 1.0, 100.0),
        Figure("sound that arrived changed", "samples", (float(listener.changed),), 1.0, 100.0),
        Figure("what the page's scripts hold", "MB", tuple(heap)),
        Figure("and more at the end than at the first look", "MB", (heap[-1] - heap[0],), 1.0),
        Figure("memory (Pss) of the server and this program", "MB", tuple(memory)),
        Figure("and more at the end than at the first look", "MB", (memory[-1] - memory[0],), 5.0),
    ]


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="tests/bench/run hours", description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0, help="of sound (8)")
    with tempfile.TemporaryDirectory(prefix="monitord-bench-") as folder:
        figures = measure(Path(folder), parser.parse_args().hours)
    sys.stdout.write(table(figures).split("\n\n")[0] + "\n")


if __name__ == "__main__":
    main()
