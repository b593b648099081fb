"""The end of a server's connections."""

import socket
from collections.abc import Iterable


def cut(sockets: Iterable[socket.socket]) -> None:
    """Closes them all, also under threads that wait for something from them."""
    for sock in sockets:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
        finally:
            sock.close()
