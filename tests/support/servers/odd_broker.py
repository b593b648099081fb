"""A small MQTT server for what mosquitto cannot be told to do: it speaks real bytes, 5 and 3.1.1, passes nothing on.

It takes messages and keeps them for the test. It may hang up on a message it does not like, acknowledge nothing, or say
any property in its answer to CONNECT.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

from tests.support.servers.sockets import cut


@dataclass(frozen=True)
class Taken:
    """One PUBLISH or SUBSCRIBE as it came."""

    connection: int
    """Its number, from 1 on."""
    topic: str
    """Of a SUBSCRIBE all filters, with commas."""
    payload: bytes
    qos: int
    retain: bool
    subscribe: bool = False


class OddBroker:
    """A with-block runs it.

    Args:
        properties: Of its CONNACK, without their length.
        v5: Whether it speaks MQTT 5; else it refuses it, as brokers before it do.
        hangs_up: Closes the connection on a message of which this is true, before it answers.
        mute: Whether it acknowledges nothing but CONNECT and PINGREQ.
    """

    def __init__(
        self,
        *,
        properties: bytes = b"",
        v5: bool = True,
        hangs_up: Callable[[Taken], bool] = lambda _: False,
        mute: bool = False,
    ) -> None:
        self.taken: list[Taken] = []
        self.connections = 0
        self.mute = mute
        self.hangs_up = hangs_up
        self.refused: dict[int, int] = {}
        """CONNACK's code by a bit of the connect flags: 0x08 a last will of QoS 1, 0x20 a retained one (3.1.2.3)."""
        self.hangs = False
        """Whether it answers nothing at all, with its connections open."""
        self._properties, self._v5 = properties, v5
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        cut([self._server, *self._open])

    def payloads(self, topic: str) -> list[str]:
        """What came on a topic, in order."""
        return [each.payload.decode(errors="replace") for each in self.taken if each.topic == topic]

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._server.accept()
            except OSError:
                return
            self._open.append(sock)
            self.connections += 1
            threading.Thread(target=self._serve, args=(sock, self.connections), daemon=True).start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        with sock, contextlib.suppress(OSError):
            kind, _, connect = _packet(sock)
            assert kind == 1
            v5 = connect[6] == 5
            if not self._lets_in(sock, connect, v5=v5):
                return
            while True:
                kind, flags, body = _packet(sock)
                taken = self._taken(number, kind, flags, body, v5=v5)
                if kind == 14 or (taken is not None and self.hangs_up(taken)):  # DISCONNECT
                    break
                if not self.hangs and (kind == 12 or not self.mute):  # PINGREQ
                    sock.sendall(_answer(kind, flags, body, v5=v5))
            sock.shutdown(socket.SHUT_RDWR)

    def _lets_in(self, sock: socket.socket, connect: bytes, *, v5: bool) -> bool:
        if v5 and not self._v5:
            sock.sendall(bytes([0x20, 2, 0, 1]))
            return False
        refused = next((code for flag, code in self.refused.items() if connect[7] & flag), 0)
        rest = bytes([len(self._properties)]) + self._properties if v5 else b""
        sock.sendall(bytes([0x20, 2 + len(rest), 0, refused]) + rest)
        return not refused

    def _taken(self, number: int, kind: int, flags: int, body: bytes, *, v5: bool) -> Taken | None:
        if kind == 3:  # PUBLISH
            (length,) = struct.unpack_from(">H", body)
            topic, qos = body[2 : 2 + length].decode(), flags >> 1 & 3
            payload = body[2 + length + (2 if qos else 0) + (1 if v5 else 0) :]  # no properties: one byte, 0
            taken = Taken(number, topic, payload, qos, bool(flags & 1))
        elif kind == 8:  # SUBSCRIBE
            taken = Taken(number, ",".join(_filters(body[3 if v5 else 2 :])), b"", 0, retain=False, subscribe=True)
        else:
            return None
        self.taken.append(taken)
        return taken


def _answer(kind: int, flags: int, body: bytes, *, v5: bool) -> bytes:
    match kind:
        case 3:  # PUBLISH
            (length,) = struct.unpack_from(">H", body)
            return bytes([0x40, 2]) + body[2 + length : 4 + length] if flags & 6 else b""
        case 8:  # SUBSCRIBE
            rest = body[:2] + (b"\0" if v5 else b"") + bytes([1] * len(_filters(body[3 if v5 else 2 :])))
            return bytes([0x90, len(rest)]) + rest
        case 10:  # UNSUBSCRIBE: there was no such subscription
            rest = body[:2] + (b"\0\x11" if v5 else b"")
            return bytes([0xB0, len(rest)]) + rest
        case 12:  # PINGREQ
            return bytes([0xD0, 0])
    return b""


def _filters(body: bytes) -> list[str]:
    filters = []
    while body:
        (length,) = struct.unpack_from(">H", body)
        filters.append(body[2 : 2 + length].decode())
        body = body[3 + length :]
    return filters


def _packet(sock: socket.socket) -> tuple[int, int, bytes]:
    """One whole packet: its kind, its flags, and what follows the length (MQTT 5, 2.1)."""
    first = _exactly(sock, 1)[0]
    length = shift = 0
    while True:
        byte = _exactly(sock, 1)[0]
        length |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return first >> 4, first & 15, _exactly(sock, length)


def _exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise ConnectionAbortedError
        data += more
    return data
