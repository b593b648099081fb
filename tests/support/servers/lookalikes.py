"""Look-alikes of the push services that families use most: one web server that answers as each of their APIs does.

Those with a host of their own are reached by a proxy (`tunnel`), by their real names, over TLS.
"""

import contextlib
import http
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any, Final
from urllib.parse import unquote

from tests.support.patience import PATIENCE_S
from tests.support.servers.http_serving import Quiet, serving


@dataclass(frozen=True)
class Service:
    """What one service is asked, and what it answers."""

    name: str
    url: str
    """As Apprise takes it; `HOST` is where the look-alike is."""
    path: str
    """Part of the path of the request that carries the alarm."""
    yes: tuple[int, str]
    """Status and body of a message that was taken."""
    no: tuple[int, str]
    """A refusal: with a status of success where the service does that, or an older version of it, or one like it."""
    host: str = ""
    """Its own; empty: it is the family's."""


SERVICES: Final = (
    Service(
        "ntfy",
        "ntfys://HOST/alarms",
        "/",
        (200, '{"id":"a1","event":"message","topic":"alarms"}'),
        (200, '{"code":40001,"error":"invalid request"}'),
    ),
    Service(
        "gotify",
        "gotifys://HOST/AbCdEfGhIjKlMnO",
        "/message",
        (200, '{"id":25,"appid":5,"message":"m"}'),
        (200, '{"error":"Unauthorized","errorCode":401}'),
    ),
    Service(
        "matrix",
        "matrixs://token@HOST/!room:localhost/?v=3&e2ee=no",
        "/send/m.room.message/",
        (200, '{"event_id":"$e:localhost"}'),
        (200, '{"errcode":"M_FORBIDDEN","error":"no"}'),
    ),
    Service(
        "signal",
        "signals://HOST/+15550001111/+15550002222",
        "/v2/send",
        (201, '{"timestamp":"1700000000000"}'),
        (200, '{"error":"Failed to send message"}'),
    ),
    Service(
        "home_assistant",
        "hassios://HOST/a.long.token",
        "/api/services/",
        (200, "[]"),
        (200, '{"message":"Service not found.","error":"no"}'),
    ),
    Service(
        "pushover",
        f"pover://{'u' * 30}@{'t' * 30}",
        "/1/messages.json",
        (200, '{"status":1,"request":"r"}'),
        (200, '{"status":0,"errors":["user identifier is invalid"]}'),
        "api.pushover.net",
    ),
    Service(
        "telegram",
        f"tgram://123456789:{'a' * 35}/12315544/",
        "/sendMessage",
        (200, '{"ok":true,"result":{"message_id":1}}'),
        (200, '{"ok":false,"error_code":400,"description":"Bad Request"}'),
        "api.telegram.org",
    ),
    Service(
        "discord",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
        "/api/webhooks/",
        (204, ""),
        (401, '{"message":"Invalid Webhook Token","code":50027}'),
        "discord.com",
    ),
    Service(
        "slack",
        "slack://xoxb-1234567890-1234567890-abcdefghijklmnopqrstuvwx/#alarms",
        "/api/chat.postMessage",
        (200, '{"ok":true,"ts":"1.1"}'),
        (200, '{"ok":false,"error":"channel_not_found"}'),
        "slack.com",
    ),
    Service(
        "slack webhook",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#alarms",
        "/services/",
        (200, "ok"),
        (200, "invalid_payload"),
        "hooks.slack.com",
    ),
    Service(
        "pushbullet",
        "pbul://o.abcdefghijklmnopqrstuvwxyz123456",
        "/v2/pushes",
        (200, '{"iden":"ujpah72o0sjAoRtnM0jc"}'),
        (200, '{"error":{"code":"invalid_request","type":"invalid_request"}}'),
        "api.pushbullet.com",
    ),
)
"""By their own documents, November 2026."""

_MATRIX_ASIDE: Final = {
    "/account/whoami": (200, '{"user_id":"@monitor:localhost","device_id":"D"}'),
    "/join/": (200, '{"room_id":"!room:localhost"}'),
}
"""What Apprise asks a Matrix server besides."""

PAGE: Final = "<!DOCTYPE html>\n<html><head><title>Log in</title></head></html>"


@dataclass
class Request:
    """What came."""

    method: str
    path: str
    body: str
    answered: int
    """Status."""


@dataclass
class LookAlike:
    """A running server; how it answers may be changed."""

    service: Service
    port: int = 0
    answer: tuple[int, str] | None = None
    """Status and body instead of its yes; `{}` for a path is none."""
    location: str = ""
    """Where it sends to, with a status of redirection."""
    requests: list[Request] = field(default_factory=list)
    answering: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        """For Apprise."""
        return self.service.url.replace("HOST", f"127.0.0.1:{self.port}")

    @property
    def alarms(self) -> list[Request]:
        """The requests that carried the alarm (since 19:02), on whatever path."""
        return [it for it in self.requests if "19:02" in unquote(it.body) and it.method != "GET"]

    @property
    def taken(self) -> bool:
        """Whether such a service would have told the family: it got the words, on its path, and said yes."""
        return any((it.answered, self.service.path in it.path) == (self.service.yes[0], True) for it in self.alarms)


@contextmanager
def look_alike(service: Service, tls: tuple[Path, Path] | None) -> Iterator[LookAlike]:
    """Serves until the end of the block; over TLS with a certificate and its key."""
    site = LookAlike(service)
    site.answering.set()

    class Handler(Quiet, BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            site.answering.wait(PATIENCE_S)
            status, said = self._answer()
            site.requests.append(Request(self.command, self.path, body, status))
            with contextlib.suppress(OSError):  # the other side did not wait
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", site.location.replace("PATH", self.path))
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said.encode())

        def _answer(self) -> tuple[int, str]:
            if service.name == "matrix" and service.path not in self.path:
                return next((answer for path, answer in _MATRIX_ASIDE.items() if path in self.path), (404, "{}"))
            if self.command == "GET":
                return 200, "ok"  # whoever makes a GET of a POST is told that all is well
            if site.answer is None or (site.location and self.path.startswith("/moved")):
                return service.yes
            return site.answer

        do_GET = do_POST = do_PUT = _serve  # noqa: N815 - http.server names them

    with _threads(Handler, tls) as server:
        site.port = server.server_port
        with serving(server, site.answering):
            yield site


@contextmanager
def _threads(handler: type[BaseHTTPRequestHandler], tls: tuple[Path, Path] | None) -> Iterator[ThreadingHTTPServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if tls is not None:
        context.load_cert_chain(*tls)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def finish_request(self, request: Any, client_address: Any) -> None:
            """Shakes hands in the thread of the connection; whoever does not trust us goes."""
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                if tls is not None:
                    request = stack.enter_context(context.wrap_socket(request, server_side=True))
                super().finish_request(request, client_address)

    yield Server(("127.0.0.1", 0), handler)


@dataclass
class Tunnel:
    """A running proxy."""

    port: int = 0
    asked: list[str] = field(default_factory=list)
    """First lines of requests, `CONNECT api.telegram.org:443 HTTP/1.1`."""
    refusal: http.HTTPStatus | None = None
    """Instead of letting it through."""

    @property
    def url(self) -> str:
        """For the environment."""
        return f"http://user:word@127.0.0.1:{self.port}"


@contextmanager
def tunnel(to: int) -> Iterator[Tunnel]:
    """A proxy that leads every CONNECT to one port of this machine, and answers everything else with 503."""
    proxy = Tunnel()

    class Handler(StreamRequestHandler):
        def handle(self) -> None:
            first = self.rfile.readline().decode().strip()
            while self.rfile.readline().strip():
                pass
            proxy.asked.append(first)
            refusal = proxy.refusal or (None if first.startswith("CONNECT ") else http.HTTPStatus.SERVICE_UNAVAILABLE)
            if refusal is not None:
                self.wfile.write(f"HTTP/1.1 {refusal} {refusal.phrase}\r\nContent-Length: 0\r\n\r\n".encode())
                return
            with socket.create_connection(("127.0.0.1", to), PATIENCE_S) as there:
                self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_pass_on, args=(there, self.connection))
                back.start()
                _pass_on(self.connection, there)
                back.join()

    class Server(ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    server = Server(("127.0.0.1", 0), Handler)
    proxy.port = server.server_address[1]
    with serving(server):
        yield proxy


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def all_names() -> str:
    """Names of every service, for one certificate: `DNS:localhost,IP:127.0.0.1,DNS:...`."""
    hosts = dict.fromkeys(service.host for service in SERVICES if service.host)
    return ",".join(["DNS:localhost", "IP:127.0.0.1", *(f"DNS:{host}" for host in hosts)])
