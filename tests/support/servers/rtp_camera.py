"""A camera that speaks RTSP as few do: one transport alone, its own numbers for a no, packets that get lost, TLS.

It sends G.711 (mu-law, 8 kHz), 20 ms a packet, over UDP or within the TCP connection.
"""

import re
import socket
import socketserver
import ssl
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final

from tests.support.servers.http_serving import serving

PACKET: Final = 160
"""Samples of a packet: 20 ms at 8 kHz."""


@dataclass
class Camera:
    """What it sends and refuses."""

    sound: bytes
    """G.711 mu-law at 8 kHz, sent over and over."""
    refuses: str = ""
    """`TCP` or `UDP`; empty takes both."""
    status: str = "461 Unsupported Transport"
    """With which it refuses."""
    loses: int = 0
    """Of so many packets the last one never comes; 0 loses none."""
    mute: str = ""
    """`TCP` or `UDP`: by which it says that it plays, and sends nothing."""
    late_s: float = 0.0
    """After so long it begins to send (seconds)."""
    port: int = 0
    transports: tuple[str, ...] = ()
    """Each that was asked for, `TCP` or `UDP`, in turn."""

    @contextmanager
    def running(self, tls: ssl.SSLContext | None = None) -> Iterator["Camera"]:
        """Serves until the block is left."""
        over = threading.Event()

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

            def get_request(self) -> tuple[socket.socket, object]:
                connection, address = super().get_request()
                if tls is not None:
                    connection = tls.wrap_socket(connection, server_side=True)
                return connection, address

        handler = type("Handler", (_Handler,), {"camera": self, "over": over})
        server = Server(("127.0.0.1", 0), handler)
        self.port = server.server_address[1]
        with serving(server, over):
            yield self


class _Handler(socketserver.StreamRequestHandler):
    camera: Camera
    over: threading.Event

    def handle(self) -> None:
        with suppress(OSError):
            self._talk()

    def _talk(self) -> None:
        transport, client = "", 0
        playing = None
        while lines := self._lines():
            method, url, _ = lines[0].split(" ", 2)
            number = next(line for line in lines if line.lower().startswith("cseq"))
            head, body = ["Session: 7"], ""
            status = "200 OK"
            if method == "DESCRIBE":
                body = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=x\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\n"
                body += "m=audio 0 RTP/AVP 0\r\na=control:trackID=0\r\n"
                head = ["Content-Type: application/sdp", f"Content-Base: {url}/", f"Content-Length: {len(body)}"]
            elif method == "SETUP":
                asked = next(line for line in lines if line.lower().startswith("transport"))
                transport = "TCP" if "/TCP" in asked else "UDP"
                self.camera.transports += (transport,)
                if transport == self.camera.refuses or "multicast" in asked:
                    status, head = self.camera.status, []
                elif transport == "UDP":
                    client = int(re.findall(r"client_port=(\d+)", asked)[0])
                    head.append(f"Transport: RTP/AVP;unicast;client_port={client}-{client + 1};server_port=6000-6001")
                else:
                    head.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            answer = "\r\n".join([f"RTSP/1.0 {status}", number, *head, "", body])
            self.wfile.write(answer.encode())
            if method == "PLAY" and playing is None:
                playing = threading.Thread(target=self._play, args=(transport, client), daemon=True)
                playing.start()
            if method == "TEARDOWN":
                return

    def _lines(self) -> list[str]:
        """The next request."""
        lines: list[str] = []
        while line := self.rfile.readline():
            if not lines and line[:1] == b"$":  # FFmpeg's own reports, within the connection
                continue
            if line == b"\r\n":
                return lines
            lines.append(line.decode("latin-1").strip())
        return []

    def _play(self, transport: str, client: int) -> None:
        self.over.wait(self.camera.late_s)
        sound, due_s, number = self.camera.sound, time.monotonic(), 0
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not self.over.is_set() and transport != self.camera.mute:
                start = number * PACKET % (len(sound) - PACKET)
                head = struct.pack(">BBHII", 0x80, 0, number & 0xFFFF, number * PACKET, 1)
                packet = head + sound[start : start + PACKET]
                number += 1
                due_s += PACKET / 8_000
                self.over.wait(max(0.0, due_s - time.monotonic()))
                if self.camera.loses and number % self.camera.loses == 0:
                    continue
                if transport == "UDP":
                    sender.sendto(packet, ("127.0.0.1", client))
                else:
                    self.wfile.write(b"$\0" + struct.pack(">H", len(packet)) + packet)
