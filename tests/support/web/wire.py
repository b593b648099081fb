"""The way between a browser and a daemon, which freezes (connections stay, nothing gets through) and thaws."""

import contextlib
import socket
import threading
from typing import Final, Self
from urllib.parse import urlsplit

from tests.support.servers.sockets import cut, free_port

READ: Final = 65_536
"""Bytes at once."""


class Wire:
    """Passes on to a port of 127.0.0.1 whatever comes; a with-block opens and closes it.

    Args:
        port: Of the daemon.
    """

    def __init__(self, port: int) -> None:
        self._to, self.port = port, free_port()
        self._flows = threading.Event()
        self._flows.set()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._server = socket.create_server(("127.0.0.1", self.port))
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._flows.set()
        cut([self._server, *self._sockets])
        for thread in self._threads:
            thread.join()

    def link(self, link: str) -> str:
        """Returns a link of the daemon, by this way."""
        where = urlsplit(link)
        return where._replace(netloc=f"{where.hostname}:{self.port}").geturl()

    def freeze(self) -> None:
        """From now on nothing gets through."""
        self._flows.clear()

    def thaw(self) -> None:
        """What waited comes first."""
        self._flows.set()

    def _begin(self, target: object, *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                near, _ = self._server.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self._to))
                except ConnectionRefusedError:  # the daemon is away
                    near.close()
                    continue
                self._sockets += [near, far]
                self._begin(self._pass_on, near, far)
                self._begin(self._pass_on, far, near)

    def _pass_on(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(READ):
                self._flows.wait()
                other.sendall(data)
        cut([one, other])
