"""Sound that breaks on purpose, while it plays: over HTTP as a phone sends it, or into a microphone."""

import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

import numpy as np

from monitord.types import RATE_HZ, Pcm
from tests.support.servers.http_serving import Quiet, serving
from tests.support.sound.media import encoded
from tests.support.sound.sounds import noise, tone

CHUNK_S: Final = 0.04
"""Length of what is made at once (seconds)."""

_ROOM: Final = noise(10.0, rms_dbfs=-60.0)
_DITHER: Final = np.rint(np.random.default_rng(1).triangular(-1, 0, 1, len(_ROOM))).astype(np.int16)
_LOUD: Final = np.clip(40.0 * tone(300, 10.0).astype(np.float64), -32_768, 32_767).astype(np.int16)

SOUNDS: Final[Mapping[str, Pcm]] = {
    "room": _ROOM,
    "zeros": np.zeros_like(_ROOM),
    "stuck": np.full_like(_ROOM, 777),
    "floor": _DITHER,
    "clipped": _LOUD,
    "pushed": _ROOM + np.int16(8_000),
}
"""Ten seconds of each: a quiet room, and what broken microphones send."""

SPEEDS: Final = {"fast": 1.5, "slow": 0.6}
"""Of a source that states a rate that is not its own (1 is right); 44.1 kHz taken for 48 is in the unit tests."""


class Feed:
    """What one source sends just now.

    `does` is a key of `SOUNDS`, `fast`, `slow`, `stall` (connected, no bytes), `gone` (no connection, none again),
    `mute` (a new connection is taken and not answered) or `codec` (another codec from now on).
    """

    def __init__(self, does: str = "room") -> None:
        self.does = does
        self._at = 0

    def take(self) -> bytes:
        """Returns the next `CHUNK_S` of int16 at 16 kHz."""
        sound = SOUNDS.get(self.does, _ROOM)
        n = round(CHUNK_S * RATE_HZ)
        self._at = (self._at + n) % (len(sound) - n)
        return sound[self._at : self._at + n].tobytes()

    def play(self, write: Callable[[bytes], object], over: threading.Event) -> None:
        """Writes in real time until it is over, or its connection is."""
        due_s = time.monotonic()
        while not over.is_set() and self.does not in {"gone", "mute", "codec"}:
            if self.does != "stall":
                write(self.take())
            due_s += CHUNK_S / SPEEDS.get(self.does, 1.0)
            over.wait(max(0.0, due_s - time.monotonic()))


class Feeds:
    """An HTTP server with a feed for each path: `/NAME` sends an endless WAV, `/NAME.ts` an endless transport stream.

    Args:
        names: Of the feeds.
    """

    def __init__(self, *names: str) -> None:
        self.feeds = {name: Feed() for name in names}
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"feeds": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False

    def url(self, name: str, ending: str = "") -> str:
        """The address of a feed."""
        return f"http://127.0.0.1:{self._server.server_port}/{name}{ending}"

    @contextmanager
    def running(self) -> Iterator["Feeds"]:
        """Serves until the block is left, then breaks all connections."""
        with serving(self._server, self.over):
            yield self


class _Handler(Quiet, BaseHTTPRequestHandler):
    feeds: Feeds
    """Whose feeds these are; the standard library makes one handler a connection, so the class carries them."""

    def do_GET(self) -> None:
        name, _, ending = self.path.lstrip("/").partition(".")
        feed, over = self.feeds.feeds[name], self.feeds.over
        with suppress(BrokenPipeError, ConnectionResetError):  # the listener left: that is how a stream ends
            if feed.does == "gone":
                self.send_error(503)
                return
            while feed.does == "mute" and not over.wait(CHUNK_S):
                pass
            self.send_response(200)
            self.end_headers()
            if ending == "ts":
                self._transport(feed, over)
            else:
                endless = struct.pack("<I", 0xFFFFFFFF)
                form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
                self.wfile.write(b"RIFF" + endless + b"WAVEfmt " + form + b"data" + endless)
                feed.play(self.wfile.write, over)

    def _transport(self, feed: Feed, over: threading.Event) -> None:
        """An MPEG transport stream whose codec and rate change in the middle."""
        before = encoded(SOUNDS["room"], "mpegts", "aac", rate_hz=RATE_HZ)
        after = encoded(np.resize(SOUNDS["room"], 30 * RATE_HZ), "mpegts", "mp2", rate_hz=48_000)
        content, per_s, sent, due_s = before, len(before) / 10.0, 0, time.monotonic()
        while not over.is_set() and feed.does not in {"gone", "mute"}:
            if feed.does == "codec" and content is before:
                content, per_s, sent = after, len(after) / 10.0, 0
            step = round(per_s * CHUNK_S)
            self.wfile.write(content[sent % len(content) :][:step])
            sent += step
            due_s += CHUNK_S
            over.wait(max(0.0, due_s - time.monotonic()))
