"""A web server that sends what it is given when it is due, as cameras do: by time, under any Content-Type, by TLS."""

import ssl
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from monitord.types import RATE_HZ
from tests.support.servers.http_serving import Quiet, serving

Piece = tuple[float, bytes]
"""When it is due after the answer (seconds), and what is sent."""

ENDLESS_WAV: Final = (
    b"RIFF\xff\xff\xff\xffWAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, RATE_HZ, 2 * RATE_HZ, 2, 16)
    + b"data\xff\xff\xff\xff"
)
"""The head of a WAV of 16 kHz that does not say how long it is."""


@dataclass
class PacedHttp:
    """What is answered to every request; all may be changed while it runs."""

    pieces: Sequence[Piece]
    content_type: str | None = None
    status: int = 200
    length: bool = False
    """Whether the answer states its length, as that of a file does."""
    headers: dict[str, str] = field(default_factory=dict)
    """More of them."""
    port: int = 0
    scheme: str = "http"
    asked: list[str] = field(default_factory=list)
    """The path of each request."""

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.scheme}://127.0.0.1:{self.port}/sound"

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["PacedHttp"]:
        """Serves until the block is left; what is being sent then breaks off."""
        over = threading.Event()
        handler = type("Handler", (_Handler,), {"site": self, "over": over})
        server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        server.daemon_threads = True
        server.block_on_close = False
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
            self.scheme = "https"
        self.port = server.server_port
        with serving(server, over):
            yield self


class _Handler(Quiet, BaseHTTPRequestHandler):
    site: PacedHttp
    over: threading.Event

    def handle(self) -> None:
        with suppress(OSError):  # who does not trust our certificate hangs up
            super().handle()

    def do_GET(self) -> None:
        site = self.site
        site.asked.append(self.path)
        with suppress(OSError):
            self.send_response(site.status)
            if site.content_type is not None:
                self.send_header("Content-Type", site.content_type)
            if site.length:
                self.send_header("Content-Length", str(sum(len(piece) for _, piece in site.pieces)))
            for name, value in site.headers.items():
                self.send_header(name, value)
            self.end_headers()
            began_s = time.monotonic()
            for due_s, piece in site.pieces:
                if self.over.wait(max(0.0, began_s + due_s - time.monotonic())):
                    return
                self.wfile.write(piece)


def evenly(content: bytes, seconds: float, step_s: float = 0.04) -> list[Piece]:
    """Returns content that takes so long, in steps."""
    steps = round(seconds / step_s)
    bounds = [round(len(content) * step / steps) for step in range(steps + 1)]
    return [(step * step_s, content[bounds[step] : bounds[step + 1]]) for step in range(steps)]
