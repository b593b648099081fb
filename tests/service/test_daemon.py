"""The daemon as an object that another program hosts: two in one process, on one broker."""

import json
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from model.bundle import load_bundle
from monitord.errors import ConfigError
from monitord.faults import Fault
from monitord.synthetic.demo import demo_sound
from service.config import Config, SourceConfig
from service.daemon import Daemon
from service.health import daemon_faults
from service.messages.json_lines import Line
from service.mqtt.settings import MqttSettings
from service.web.roles import Role
from service.web.settings import WebSettings
from tests.support.faults.fault_matrix import WELL
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import write_wav

pytestmark = pytest.mark.e2e


class Screen:
    """Keeps what is shown."""

    is_terminal = False

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.faults: list[tuple[str, Fault]] = []

    def banner(self, text: str) -> None:
        """As a terminal's."""
        assert "Not a medical device" in text

    def line(self, line: Line) -> None:
        """A segment or an event."""
        self.lines.append(line)

    def level(self, source: str, dbfs: float, floor_dbfs: float) -> None:
        """The level of a source."""

    def fault(self, source: str, fault: Fault, detail: str = "") -> None:
        """A source has another fault."""
        del detail
        self.faults.append((source, fault))

    def note(self, text: str) -> None:
        """Something about the whole daemon."""


def until(condition: Callable[[], bool], *daemons: Daemon) -> None:
    """Looks at the daemons as their host does, until the condition holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        for daemon in daemons:
            assert daemon.poll() is None
        time.sleep(0.1)


def configured(folder: Path, broker: Mosquitto, node: str) -> Config:
    """One room that plays the demo sound as a recording, over and over."""
    wav = write_wav(folder / f"{node}.wav", demo_sound())
    return Config(
        node=node,
        sources={"nursery": SourceConfig(file=wav, loop=True)},
        mqtt=MqttSettings(host="127.0.0.1", port=broker.port),
        state_dir=folder / node,
    )


def test_a_program_hosts_two(tmp_path: Path) -> None:
    """Both hear, tell under their own names, and stop one by one; signals, threads and the log stay the host's."""
    bundle, handlers = load_bundle(), [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)]
    threads, screens = threading.active_count(), {"east": Screen(), "west": Screen()}
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:
        east, west = (
            Daemon.build(configured(tmp_path, broker, node), bundle, screen) for node, screen in screens.items()
        )
        with east, west:
            east.start()
            west.start()
            until(lambda: all(room.heard for one in (east, west) for room in one.health().rooms), east, west)
            for node, screen in screens.items():
                topic = f"monitord/{node}/nursery/event"
                until(lambda topic=topic: bool(subscriber.payloads(topic)), east, west)  # type: ignore[misc]
                assert json.loads(subscriber.payloads(topic)[0])["event_type"] == "started"
                # A machine that has other work may need longer than a stall to open a room.
                assert {fault for _, fault in screen.faults} <= WELL | {"stalled"}
            east.stop()
            until(lambda: subscriber.last("monitord/east/status") == "offline", west)
            assert subscriber.last("monitord/west/status") == "online"
            assert west.health().rooms[0].heard
        until(lambda: subscriber.last("monitord/west/status") == "offline")
    assert threading.active_count() == threads
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGHUP)] == handlers


def test_the_disk_under_the_pages_devices_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone that was paired on a full disk is told of as all that would not outlive a power cut, and kept later."""
    monkeypatch.setattr(daemon_faults, "RETRY_S", 0.0)
    with Mosquitto(tmp_path / "broker") as broker:
        config = configured(tmp_path, broker, "east").model_copy(update={"web": WebSettings()})
        with Daemon.build(config, load_bundle(), Screen()) as daemon:
            assert daemon._page is not None
            assert daemon._faults.poll() == ""
            (config.state_dir / "devices.json.new").mkdir()
            daemon._page._devices.pair(Role.GUEST, None, "Android")
            assert "would not outlive a power cut" in daemon._faults.poll()
            (config.state_dir / "devices.json.new").rmdir()
            assert daemon._faults.poll() == ""
            assert "Android" in (config.state_dir / "devices.json").read_text()


def test_a_build_that_fails_leaves_nothing_open(tmp_path: Path) -> None:
    """A second one on the same state directory is refused; once the first is stopped, it is built."""
    bundle = load_bundle()
    with Mosquitto(tmp_path / "broker") as broker:
        config = configured(tmp_path, broker, "east")
        with Daemon.build(config, bundle, Screen()), pytest.raises(ConfigError, match="another monitord"):
            Daemon.build(config, bundle, Screen())
        with Daemon.build(config, bundle, Screen()) as again:
            assert [room.heard for room in again.health().rooms] == [False]
