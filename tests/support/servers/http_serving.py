"""A real server of a test, for as long as a block lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer


class Quiet:
    """A handler of requests that prints nothing: the tests speak for themselves."""

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def serving(server: BaseServer, over: threading.Event | None = None) -> Iterator[None]:
    """Serves until the block is left, then sets `over` and breaks all connections."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        if over is not None:
            over.set()
        server.shutdown()
        server.server_close()
        thread.join()
