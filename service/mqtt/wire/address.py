"""A TCP connection to a name with several addresses, of which some may be dead (RFC 8305, "Happy Eyeballs").

The standard library tries one after the other and waits its whole time for each: with a dead IPv6 address in front
that is seconds on every connection, and a broker that is back is not found within the time of our promise.
"""

import errno
import itertools
import os
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

NEXT_S: Final = 0.25
"""After which the next address is tried beside those that have not answered (seconds; RFC 8305, 5)."""

LOOK_S: Final = 0.1
"""Between two questions whether anybody still wants the connection (seconds)."""

_Info = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]
"""As `getaddrinfo` returns it. Any: its addresses differ by family."""


def open_socket(
    host: str, port: int, timeout_s: float, *, given_up: Callable[[], bool] = lambda: False
) -> socket.socket:
    """Connects to the address that answers first; the socket has `timeout_s` as its timeout.

    Args:
        host: Name or address.
        port: TCP port.
        timeout_s: For all addresses together, from when the name is known (seconds).
        given_up: Whether the connection is no longer wanted.

    Raises:
        OSError: No address answers, in the words of the first that said no; or it was given up.
    """
    waiting = _interleaved(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    deadline = time.monotonic() + timeout_s
    failures: list[OSError] = []
    next_at = 0.0
    with selectors.DefaultSelector() as selector:
        try:
            while waiting or selector.get_map():
                now = time.monotonic()
                if waiting and (now >= next_at or not selector.get_map()):
                    next_at = now + NEXT_S
                    _begin(waiting.pop(0), selector, failures)
                    continue
                if given_up() or now >= deadline:
                    break
                for key, _ in selector.select(min(deadline - now, LOOK_S, max(0.0, next_at - now) or LOOK_S)):
                    sock = key.fileobj
                    assert isinstance(sock, socket.socket)
                    selector.unregister(sock)
                    if code := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                        failures.append(OSError(code, os.strerror(code)))
                        sock.close()
                        continue
                    sock.settimeout(timeout_s)
                    return sock
        finally:
            for key in list(selector.get_map().values()):
                if isinstance(key.fileobj, socket.socket):
                    key.fileobj.close()
    if failures:
        raise failures[0]
    raise TimeoutError(errno.ETIMEDOUT, "timed out")


def _begin(info: _Info, selector: selectors.BaseSelector, failures: list[OSError]) -> None:
    family, kind, protocol, _, address = info
    try:
        sock = socket.socket(family, kind, protocol)
    except OSError as error:  # a machine without IPv6
        failures.append(error)
        return
    sock.settimeout(0)
    try:
        with suppress(BlockingIOError):
            sock.connect(address)
    except OSError as error:
        failures.append(error)
        sock.close()
        return
    selector.register(sock, selectors.EVENT_WRITE)


def _interleaved(infos: Sequence[_Info]) -> list[_Info]:
    """The system's order, with the families in turn: a dead family then costs one step, however many names it has."""
    families = dict.fromkeys(info[0] for info in infos)
    rows = itertools.zip_longest(*([info for info in infos if info[0] is family] for family in families))
    return [info for row in rows for info in row if info is not None]
