"""A way to the broker that can be cut while both ends are well."""

import select
import socket
import threading
from typing import Self

from tests.support.servers.sockets import free_port

_LOOK_S = 0.02
"""Between two looks (seconds)."""


class Way:
    """Forwards from a port of its own; once `cut` is set nothing goes through, and no connection breaks."""

    def __init__(self, port: int) -> None:
        self.port, self._to = free_port(), port
        self.cut, self._over = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._listener.settimeout(_LOOK_S)
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _begin(self, work: object, *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._listener.accept()
            except TimeoutError:
                continue
            self._begin(self._forward, client)

    def _forward(self, client: socket.socket) -> None:
        with client:
            while self.cut.is_set() and not self._over.wait(_LOOK_S):
                pass
            try:
                broker = socket.create_connection(("127.0.0.1", self._to))
            except OSError:
                return
            with broker:
                self._pump(client, broker)

    def _pump(self, client: socket.socket, broker: socket.socket) -> None:
        while not self._over.is_set():
            if self.cut.is_set():
                self._over.wait(_LOOK_S)
                continue
            readable, _, _ = select.select([client, broker], [], [], _LOOK_S)
            for end in readable:
                try:
                    came = end.recv(65536)
                    (broker if end is client else client).sendall(came)
                except OSError:
                    return
                if not came:
                    return
