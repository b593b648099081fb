"""A phone app that serves its microphone over HTTP, and servers that behave badly."""

import base64
import math
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from monitord.types import RATE_HZ, Pcm
from service.capture.inbox import Inbox
from service.capture.streams.stream import StreamSource
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_serving import Quiet, serving
from tests.support.sound.media import encoded

CHUNK_S = 0.04
"""Length of what is sent at once (seconds)."""

BURST_S = 5
"""How much `/burst.wav` sends at once (seconds)."""

STALL_S = 4.0
"""When `/stall.wav` falls silent (seconds): FFmpeg looks at two before the first sample is out."""

COMPRESSED = {
    "opus": ("ogg", "libopus", 48_000),
    "ts": ("mpegts", "aac", RATE_HZ),
    "mp3": ("mp3", "libmp3lame", RATE_HZ),
}
"""Ending of the path: container, codec, rate (hertz) at which the samples are sent."""

USER, PASSWORD = "parent", "lullaby-17"
"""What `/locked.wav` wants."""


@contextmanager
def streaming(url: str, *, read_s: float = 8.0) -> Iterator[StreamSource]:
    """A started source, stopped and joined at the end."""
    source = StreamSource("phone", url, Inbox("phone"), read_s=read_s)
    source.start()
    try:
        yield source
    finally:
        assert source.stop(PATIENCE_S)


class HttpAudio:
    """Serves one sound over and over, in real time, at a free port of loopback.

    `/audio.wav` as endless WAV, `/audio.opus`, `/audio.ts`, `/audio.mp3`; `/locked.wav` with a password;
    `/clip.wav` as a file of known length; `/page.html` is no sound; `/mute` accepts and says nothing;
    `/stall.wav` falls silent after `STALL_S`; `/burst.wav` starts with `BURST_S` at once.
    """

    def __init__(self, sound: Pcm, port: int = 0) -> None:
        self.sound = sound
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self.port = self._server.server_port

    def url(self, path: str, login: str = "") -> str:
        """The address of a path, with `user:password@` where given."""
        return f"http://{login}127.0.0.1:{self.port}{path}"

    @contextmanager
    def running(self) -> Iterator["HttpAudio"]:
        """Serves until the block is left, then breaks all connections."""
        with serving(self._server, self.over):
            yield self


def _handler(audio: HttpAudio) -> type[BaseHTTPRequestHandler]:
    return type("Handler", (_Handler,), {"audio": audio})


class _Handler(Quiet, BaseHTTPRequestHandler):
    audio: HttpAudio
    """Whose sound this is; the standard library makes one handler a connection, so the class carries it."""

    def do_GET(self) -> None:
        name, _, kind = self.path.lstrip("/").partition(".")
        try:
            self._answer(name, kind)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the listener left: that is how a stream ends

    def _answer(self, name: str, kind: str) -> None:
        login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if name == "locked" and self.headers.get("Authorization") != f"Basic {login}":
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="phone"')
            self.end_headers()
        elif name == "mute":
            self.audio.over.wait()
        elif name == "clip":
            self._whole(encoded(self.audio.sound, "wav", "pcm_s16le"))
        elif kind == "html":
            self._whole(b"<html><body>phone</body></html>" * 100)
        elif kind == "wav":
            self._wav(name)
        elif kind in COMPRESSED:
            self._compressed(*COMPRESSED[kind])
        else:
            self.send_error(404)

    def _whole(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _wav(self, name: str) -> None:
        endless = struct.pack("<I", 0xFFFFFFFF)
        self.send_response(200)
        self.end_headers()
        form = struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
        self.wfile.write(b"RIFF" + endless + b"WAVEfmt " + form + b"data" + endless)
        raw = self.audio.sound.tobytes()
        head = 2 * RATE_HZ * BURST_S if name == "burst" else 0  # bytes
        self.wfile.write(raw[:head])
        self._paced(raw[head:], 2 * RATE_HZ, stall_s=STALL_S if name == "stall" else math.inf)

    def _compressed(self, container: str, codec: str, rate_hz: int) -> None:
        self.send_response(200)
        self.end_headers()
        content = encoded(self.audio.sound, container, codec, rate_hz=rate_hz)
        self._paced(content, round(len(content) * rate_hz / len(self.audio.sound)))

    def _paced(self, content: bytes, bytes_per_s: int, stall_s: float = math.inf) -> None:
        step = round(bytes_per_s * CHUNK_S) // 2 * 2
        began_s = time.monotonic()
        sent = 0  # bytes
        while not self.audio.over.is_set():
            if sent > stall_s * bytes_per_s:
                self.audio.over.wait()
            piece = content[sent % len(content) :][:step]
            self.wfile.write(piece)
            sent += len(piece)
            self.audio.over.wait(max(0.0, began_s + sent / bytes_per_s - time.monotonic()))
