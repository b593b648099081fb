"""Sockets of tests and their servers: ports that are nobody else's meanwhile, and the end of connections."""

import random
import socket
from collections.abc import Iterable
from typing import Final

PORTS: Final = range(20_000, 32_768)
"""For `free_port`: from 32768 on, Linux gives ports to connections and to servers that take any."""

_claims: Final[list[socket.socket]] = []
"""Kept open until this process ends."""


def free_port() -> int:
    """Returns a port of loopback that nobody has, and that no test in any process gets again while this one lives."""
    for port in random.sample(PORTS, len(PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            # A name without a file: the kernel gives it to one process, and takes it back when that ends.
            claim.bind(f"\0monitord-test-port-{port}")
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        if _is_free(port, socket.SOCK_STREAM) and _is_free(port, socket.SOCK_DGRAM):
            return port
    raise AssertionError(f"none of the ports {PORTS} is free")


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def cut(sockets: Iterable[socket.socket]) -> None:
    """Closes them all, also under threads that wait for something from them."""
    for sock in sockets:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
        finally:
            sock.close()
