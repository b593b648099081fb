"""Home Assistant's Supervisor as an app asks it: by its token, for the MQTT service and for itself."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.servers.http_serving import Quiet, serving
from tests.support.servers.mosquitto import Mosquitto

TOKEN = "0b6f-the-token-of-this-app"
NO_SERVICE = (400, {"result": "error", "message": "Service not enabled"})
"""Its answer where no app provides the service (supervisor/api/services.py)."""

Answer = tuple[int, dict[str, Any] | str]
"""Status and body; a text is none of JSON. Any: values of JSON."""


def service(broker: Mosquitto, user: str) -> Answer:
    """What it answers where an app provides this broker, to this user (supervisor/services/modules/mqtt.py)."""
    told = {"host": "127.0.0.1", "port": broker.port, "ssl": False, "protocol": "3.1.1", "addon": "core_mosquitto"}
    return 200, {"result": "ok", "data": {**told, "username": user, "password": broker.users[user]}}


@dataclass
class FakeSupervisor:
    """How it answers; changed while it runs."""

    mqtt: Answer = NO_SERVICE
    ingress_port: int = 0
    failing: int = 0
    """Requests that get a 502 first, as while it starts."""
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, path: str, authorization: str | None) -> Answer:
        """As its API does."""
        self.asked.append(path)
        if authorization != f"Bearer {TOKEN}":
            return 401, {"result": "error", "message": "Unauthorized"}
        if self.failing:
            self.failing -= 1
            return 502, {}
        match path:
            case "/services/mqtt":
                return self.mqtt
            case "/addons/self/info":
                return 200, {"result": "ok", "data": {"slug": "monitord", "ingress_port": self.ingress_port}}
            case _:
                return 403, {"result": "error", "message": "Forbidden"}


@contextmanager
def serve_supervisor(supervisor: FakeSupervisor, host: str = "127.0.0.1", port: int = 0) -> Iterator[FakeSupervisor]:
    """Serves until the end of the block."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, values = supervisor.answer(self.path, self.headers.get("Authorization"))
            body = (values if isinstance(values, str) else json.dumps(values)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer((host, port), Handler)
    supervisor.address = f"http://{host}:{server.server_port}"
    with serving(server):
        yield supervisor
