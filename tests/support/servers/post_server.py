"""A web server on loopback that takes posts as a push service does: it may refuse, hang, be slow, and recover."""

import json
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.patience import PATIENCE_S
from tests.support.servers.http_serving import Quiet, serving


@dataclass
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    values: dict[str, Any]


@dataclass
class PostServer:
    """What was posted, and how it is answered; changed while it runs."""

    port: int = 0
    posts: queue.Queue[Post] = field(default_factory=queue.Queue)
    answers: list[int] = field(default_factory=list)
    """Statuses of the next answers; 200 after them."""
    answering: threading.Event = field(default_factory=threading.Event)
    """While it is cleared, nobody gets an answer."""

    @property
    def host(self) -> str:
        """Where it is, for an URL."""
        return f"127.0.0.1:{self.port}"

    def next(self) -> Post:
        """Returns the next post; `queue.Empty` where none comes."""
        return self.posts.get(timeout=PATIENCE_S)


@contextmanager
def serve_posts(port: int = 0) -> Iterator[PostServer]:
    """Serves until the end of the block."""
    site = PostServer()
    site.answering.set()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            site.posts.put(Post(self.path, dict(self.headers), json.loads(body)))
            site.answering.wait(PATIENCE_S)
            status = site.answers.pop(0) if site.answers else 200
            try:
                self.send_response(status)
                if status in {301, 302, 307}:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")
            except OSError:  # the other side did not wait
                self.close_connection = True

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

    server = Server(("127.0.0.1", port), Handler)
    site.port = server.server_port
    with serving(server, site.answering):
        yield site
