"""A phone with the companion app, registered with Home Assistant; it keeps what is pushed to it."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Self

from tests.support.homeassistant.home_assistant import HomeAssistant, Json
from tests.support.servers.http_serving import Quiet, serving
from tests.support.servers.mosquitto import until


class Phone:
    """A phone with the companion app; a with-block registers it.

    Args:
        home: Running.
        name: Its notify action is `notify.mobile_app_<name>`, so give it `[a-z0-9_]+`.
        os: `iOS` or `Android`.
    """

    def __init__(self, home: HomeAssistant, name: str, os: str = "Android") -> None:
        self._home, self._name, self._os = home, name, os
        self.action = f"notify.mobile_app_{name}"
        """What a person types into the blueprint."""
        self.pushes: list[Json] = []
        """Payloads as Home Assistant posted them, in order."""

    def __enter__(self) -> Self:
        phone = self

        class Push(Quiet, BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                phone.pushes.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                body = json.dumps({"rateLimits": {"successful": 1, "maximum": 500, "errors": 0, "resetsAt": _LATER}})
                self.send_response(201)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Push)
        self._serving = serving(self._server)
        self._serving.__enter__()
        self._register()
        return self

    def __exit__(self, *_: object) -> None:
        self._serving.__exit__(None, None, None)

    def forget(self) -> None:
        """Forgets the pushes so far."""
        self.pushes.clear()

    def shows(self) -> dict[str, Json]:
        """Returns the notifications on its screen by tag: a push with the same tag replaces, or clears."""
        screen: dict[str, Json] = {}
        for number, push in enumerate(list(self.pushes)):
            tag = push.get("data", {}).get("tag", f"untagged {number}")
            screen.pop(tag, None)
            if push["message"] != "clear_notification":
                screen[tag] = push
        return screen

    def tap(self, action: str) -> None:
        """Taps a button of a notification: the app tells Home Assistant its action id."""
        event = {"event_type": "mobile_app_notification_action", "event_data": {"action": action}}
        self._home.ask("POST", f"/api/webhook/{self._webhook}", {"type": "fire_event", "data": event})

    def tap_button(self, tag: str, title: str) -> None:
        """Taps the button with this title on a notification that is shown."""
        buttons = {button["title"]: button["action"] for button in self.shows()[tag]["data"]["actions"]}
        self.tap(buttons[title])

    def _register(self) -> None:
        port = self._server.server_address[1]
        # At its very first start Home Assistant is up before all its integrations are.
        until(lambda: "mobile_app" in self._home.ask("GET", "/api/config")["components"])
        answer = self._home.ask(
            "POST",
            "/api/mobile_app/registrations",
            {
                "device_id": f"test-{self._name}",
                "app_id": "io.monitord.test",
                "app_name": "test",
                "app_version": "1",
                "device_name": self._name,
                "manufacturer": "Apple" if self._os == "iOS" else "Google",
                "model": "Test",
                "os_name": self._os,
                "os_version": "1",
                "supports_encryption": False,
                "app_data": {"push_token": "token", "push_url": f"http://127.0.0.1:{port}/push"},
            },
        )
        self._webhook: str = answer["webhook_id"]
        until(lambda: self.action in self._actions())

    def _actions(self) -> set[str]:
        services = self._home.ask("GET", "/api/services")
        return {f"{group['domain']}.{name}" for group in services for name in group["services"]}


_LATER: Final = "2099-01-01T00:00:00.000Z"
