"""A web server on loopback that serves one file as storage services do: ranges, version tags, and broken lines."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.servers.http_serving import Quiet, serving


@dataclass
class Site:
    """What is served, changed while it runs; and what was asked."""

    content: bytes | memoryview
    url: str = ""
    tag: str = '"one"'
    cut_after: int | None = None
    """Bytes after which every answer breaks off; None for whole answers."""
    ranges: bool = True
    """Whether ranges are honoured; many a simple server ignores them."""
    asked: list[str] = field(default_factory=list)
    """The `Range` of each request, or empty."""


@contextmanager
def serve(content: bytes | memoryview, name: str) -> Iterator[Site]:
    """Serves the content at `site.url`."""
    site = Site(content)

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range", "")
            site.asked.append(wanted)
            if self.path != f"/{name}":
                self.send_error(404)
                return
            start = 0
            if wanted and site.ranges and self.headers.get("If-Range") == site.tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(site.content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(site.content) - 1}/{len(site.content)}")
            else:
                self.send_response(200)
            body = site.content[start:]
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", site.tag)
            self.end_headers()
            self.wfile.write(body[: site.cut_after])

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}/{name}"
    with serving(server):
        yield site
