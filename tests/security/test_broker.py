"""Who may do what at the broker: the example configuration on a real mosquitto, and the private broker's door."""

import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from service.config import Config
from service.mqtt.embedded_broker import EmbeddedBroker
from tests.support.daemon.daemon import ROOT, Daemon, Json, configure, crying_house, monitord
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, authority, certificate, until
from tests.support.servers.sockets import free_port

pytestmark = pytest.mark.e2e

HOME = "monitord/home"
EXAMPLE = ROOT / "deploy" / "mosquitto"
PASSWORDS = {"monitord": "lull-1", "homeassistant": "lull-2", "phone": "lull-3", "neighbour": "lull-4"}
"""The neighbour has a password, but is on no list of rights."""


@dataclass
class Example(Mosquitto):
    """A broker with the example files of `deploy/mosquitto`, at other ports and in another directory."""

    users: dict[str, str] = field(default_factory=lambda: dict(PASSWORDS))
    tls_port: int = field(default_factory=free_port)

    def _configure(self) -> None:
        ours = authority(self.directory)
        made, key = certificate(self.directory, ours, "server", "DNS:localhost")
        # In the order in which mosquitto reads a directory.
        text = "".join((EXAMPLE / name).read_text() for name in ("monitord-tls.conf", "monitord.conf"))
        for theirs, here in (
            ("listener 1883", f"listener {self.port}"),
            ("listener 8883", f"listener {self.tls_port} 127.0.0.1"),
            ("/etc/mosquitto/certs/monitord.crt", str(made)),
            ("/etc/mosquitto/certs/monitord.key", str(key)),
            ("/etc/mosquitto/monitord.", f"{self.directory}/monitord."),
        ):
            assert theirs in text
            text = text.replace(theirs, here)
        # What Debian's own mosquitto.conf says.
        debian = f"user root\npersistence true\npersistence_location {self.directory}/\nlog_type all\n"
        (self.directory / "mosquitto.conf").write_text(debian + text)
        for name in ("monitord.acl", "monitord.passwd"):
            (self.directory / name).touch(mode=0o600)
        (self.directory / "monitord.acl").write_text((EXAMPLE / "monitord.acl").read_text())
        for name, password in self.users.items():
            command = ["mosquitto_passwd", "-b", str(self.directory / "monitord.passwd"), name, password]
            subprocess.run(command, check=True, capture_output=True)


@dataclass(frozen=True)
class House:
    """A daemon at that broker over TLS, and everybody else who has a password there."""

    broker: Example
    daemon: Daemon
    configuration: Path
    homeassistant: Subscriber
    phone: Subscriber
    neighbour: Subscriber

    def told(self, topic: str) -> Json:
        """What Home Assistant heard last."""
        return self.homeassistant.latest(f"{HOME}/{topic}")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One daemon for all tests here, the nursery crying."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "password").touch(mode=0o600)
    (folder / "password").write_text(PASSWORDS["monitord"])
    with ExitStack() as stack:
        broker = stack.enter_context(Example(folder / "broker"))
        subscribers = [
            stack.enter_context(Subscriber(broker, name, user=name)) for name in ("homeassistant", "phone", "neighbour")
        ]
        mqtt = {
            "host": "localhost",
            "port": broker.tls_port,
            "username": "monitord",
            "password_file": str(folder / "password"),
            "tls": {"ca_file": str(folder / "broker" / "ca.crt")},
        }
        configuration = configure(folder, broker, crying_house(folder), mqtt=mqtt)
        daemon = stack.enter_context(Daemon(folder, "--config", configuration))
        made = House(broker, daemon, configuration, *subscribers)
        daemon.wait_for(lambda: made.homeassistant.last(f"{HOME}/attic/status") == "online", "the attic online")
        daemon.wait_for(lambda: bool(made.homeassistant.payloads(f"{HOME}/nursery/event")), "a cry")
        yield made


def test_the_daemon_can_do_all_that_it_must(house: House) -> None:
    """Discovery, states, events, segments, the test alarm and its echo pass; the broker refuses it nothing."""
    house.homeassistant.say(f"{HOME}/attic/test_alarm/set", "PRESS")
    house.daemon.wait_for(lambda: house.told("attic/proof").get("state") == "proven", "the proof")
    heard = {message.topic for message in house.homeassistant.heard}
    assert {"homeassistant/device/monitord_home/config", f"{HOME}/status", f"{HOME}/info"} <= heard
    for name in ("status", "state", "health", "settings", "episode", "segment", "event"):
        assert f"{HOME}/nursery/{name}" in heard
    discovered = len(house.homeassistant.payloads("homeassistant/device/monitord_home_attic/config"))
    house.homeassistant.say("homeassistant/status", "online")
    again = "homeassistant/device/monitord_home_attic/config"
    house.daemon.wait_for(lambda: len(house.homeassistant.payloads(again)) > discovered, "discovery again")
    assert "refuses" not in house.daemon.words
    done = monitord("status", "--config", house.configuration)
    assert (done.returncode, done.stderr) == (0, "")


def test_home_assistant_can_switch(house: House) -> None:
    """Its number and its select reach the daemon."""
    house.homeassistant.say(f"{HOME}/attic/threshold/set", "0.71")
    house.daemon.wait_for(lambda: house.told("attic/settings").get("threshold") == 0.71, "the threshold")


def test_a_phone_answers_and_switches_nothing_off(house: House) -> None:
    """It hears alarms and may answer; it can neither switch off a room, nor end the daemon, nor pretend to be it."""
    house.phone.say(f"{HOME}/attic/enabled/set", "OFF")
    house.phone.say(f"{HOME}/restart/set", "PRESS")
    house.phone.say(f"{HOME}/nursery/state", '{"crying":false}', retain=True)
    house.phone.say("homeassistant/device/monitord_home/config", "", retain=True)
    house.phone.say(f"{HOME}/nursery/ack/set", "PRESS")

    def acknowledged() -> bool:
        events = house.phone.values(f"{HOME}/nursery/event")
        return any(event["event_type"] == "acknowledged" for event in events)

    house.daemon.wait_for(acknowledged, "the acknowledgement")
    assert house.told("attic/settings")["enabled"] is True
    assert house.told("nursery/state")["crying"] is True
    assert "" not in house.homeassistant.payloads("homeassistant/device/monitord_home/config")
    assert not [message for message in house.phone.heard if message.topic.startswith("homeassistant/")]
    assert not house.phone.payloads(f"{HOME}/nursery/spectrogram")


def test_whoever_is_not_named_neither_hears_nor_commands(house: House) -> None:
    """A user with a good password and no rights gets nothing, and is not obeyed."""
    house.neighbour.say(f"{HOME}/attic/enabled/set", "OFF")
    house.neighbour.say(f"{HOME}/restart/set", "PRESS")
    house.neighbour.say(f"{HOME}/status", "offline", retain=True)
    house.homeassistant.say(f"{HOME}/attic/threshold/set", "0.72")
    house.daemon.wait_for(lambda: house.told("attic/settings").get("threshold") == 0.72, "the command after them")
    assert house.told("attic/settings")["enabled"] is True
    assert house.homeassistant.last(f"{HOME}/status") == "online"
    assert house.neighbour.heard == []


@pytest.mark.parametrize("words", [[], ["-u", "monitord"], ["-u", "monitord", "-P", "wrong"]])
def test_without_the_password_nobody_comes_in(house: House, words: list[str]) -> None:
    """Neither nameless, nor with a name alone, nor with a wrong password."""
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(house.broker.port), "-t", "#", "-W", "20", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
    assert done.returncode not in {0, 27}  # 27: it was let in, and nothing came in time
    assert "not authorised" in done.stderr


def test_the_broker_is_the_one_that_its_certificate_names(house: House, tmp_path: Path) -> None:
    """By another name for the same address, or with an authority that did not sign it, the daemon does not start."""
    given = json.loads(house.configuration.read_text())
    (tmp_path / "other").mkdir()
    stranger = authority(tmp_path / "other")[0]
    for change, said in (
        ({"host": "127.0.0.1"}, "host"),
        ({"tls": {"ca_file": str(stranger)}}, "mqtt.tls.ca_file"),
        ({"tls": {}}, "mqtt.tls.ca_file"),
    ):
        mqtt = {**given["mqtt"], **change}
        configuration = configure(tmp_path, None, given["sources"], mqtt=mqtt)
        done = monitord("run", "--config", configuration)
        assert done.returncode == 78
        assert said in done.stderr
        assert PASSWORDS["monitord"] not in done.stderr + done.stdout


def test_the_goodbye_passes(house: House) -> None:
    """At the end all rooms are told offline."""
    assert house.daemon.stop()[0] == 0
    until(lambda: house.homeassistant.last(f"{HOME}/status") == "offline")
    assert house.homeassistant.last(f"{HOME}/attic/status") == "offline"


def test_the_private_broker_listens_on_loopback_alone(tmp_path: Path) -> None:
    """It lets everybody in, so nobody outside of this machine can reach it, and no key can change that."""
    port = free_port()
    with EmbeddedBroker(tmp_path, port=port) as broker:
        listening = [
            columns[1].split(":")[0]
            for table in ("/proc/net/tcp", "/proc/net/tcp6")
            for columns in map(str.split, Path(table).read_text().splitlines()[1:])
            if columns[3] == "0A" and int(columns[1].split(":")[1], 16) == port
        ]
        assert listening == ["0100007F"]  # 127.0.0.1, as the kernel writes it
        assert broker.host == "127.0.0.1"
        assert Config().mqtt.host in {"localhost", "127.0.0.1"}


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_the_private_broker_refuses_any_other_address(tmp_path: Path, host: str) -> None:
    """Not even a mistake in the code can open it to the house."""
    with pytest.raises(ValueError, match="loopback"):
        EmbeddedBroker(tmp_path, host, free_port())


def test_the_private_brokers_files_are_its_own(tmp_path: Path) -> None:
    """What it keeps is for nobody else's eyes."""
    with EmbeddedBroker(tmp_path, port=free_port()) as broker:
        socket.create_connection((broker.host, broker.port), 1).close()
    assert (tmp_path / "broker").stat().st_mode & 0o077 == 0
