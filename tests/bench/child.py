"""The whole daemon as a child process, and what it says on MQTT with the time at which it came."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.servers.mosquitto import Mosquitto

WAIT_S = 60.0
"""Longest wait for anything (seconds): a slow box with other work on it."""
STOP_S = 10.0
"""Longest goodbye (seconds); the contract's is 3."""

OUR_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
"""What the daemon would have without the bench: no test modules on its path."""


def command(*arguments: str | Path) -> list[str]:
    """The command line of `monitord`."""
    return [sys.executable, "-m", "service", *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Said:
    """One message."""

    topic: str
    payload: str
    at: float
    """Wall time at which it came (Unix seconds)."""


class Daemon:
    """One source, one node of its own on the broker. A with-block starts it, waits until it is ready, and stops it.

    Args:
        folder: For its configuration, state and log.
        broker: Running.
        bundle: Directory of the model.
        source: The source's line in the configuration.
        environment: Variables beside ours.
    """

    def __init__(
        self, folder: Path, broker: Mosquitto, bundle: Path, source: str, environment: dict[str, str] | None = None
    ) -> None:
        self._folder, self._broker = folder, broker
        self._node = folder.name
        self._environment = OUR_ENVIRONMENT | (environment or {})
        self._said: list[Said] = []
        self._news = threading.Condition()
        folder.mkdir()
        (folder / "monitord.yaml").write_text(
            f"node: {self._node}\n"
            f"sources: {{room: {source}}}\n"
            f"mqtt: {{host: 127.0.0.1, port: {broker.port}}}\n"
            f"bundle: {json.dumps(str(bundle))}\n"
            f"state_dir: {json.dumps(str(folder))}\n",
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", self._broker.port)
        self._client.subscribe(f"monitord/{self._node}/#", qos=1)
        self._client.loop_start()
        began = time.monotonic()
        with (self._folder / "log").open("wb") as log:
            config = self._folder / "monitord.yaml"
            self._child = subprocess.Popen(
                command("run", "--config", config), stdout=log, stderr=log, env=self._environment
            )
        try:
            self.wait("status", lambda payload: payload == "online")
            self.wait("room/status", lambda payload: payload == "online")
        except BaseException:
            self.__exit__()
            raise
        self.ready_s = time.monotonic() - began
        return self

    def __exit__(self, *_: object) -> None:
        self._child.terminate()
        try:
            self._child.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._client.disconnect()
        self._client.loop_stop()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def wait(self, topic: str, wanted: Callable[[str], bool]) -> Said:
        """Waits for a message under the node's topic; raises RuntimeError with the log where it does not come."""

        def find() -> Said | None:
            full = f"monitord/{self._node}/{topic}"
            return next((said for said in self._said if said.topic == full and wanted(said.payload)), None)

        deadline = time.monotonic() + WAIT_S
        with self._news:
            while (said := find()) is None:
                if time.monotonic() > deadline or self._child.poll() is not None:
                    raise RuntimeError(f"no {topic} from the daemon:\n{(self._folder / 'log').read_text()}")
                self._news.wait(0.5)
        return said

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        with self._news:
            self._said.append(Said(message.topic, message.payload.decode(errors="replace"), time.time()))
            self._news.notify_all()
