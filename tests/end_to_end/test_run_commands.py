"""What the family asks of a running daemon, over MQTT and from another terminal."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.cli import CONFIG_EXIT
from tests.support.daemon.daemon import Daemon, Json, configure, crying_house, monitord
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.sockets import free_port

pytestmark = pytest.mark.e2e

HOME = "monitord/home"


@dataclass(frozen=True)
class Family:
    """A daemon with a crying nursery and a quiet attic, and the family's subscriber at its broker."""

    daemon: Daemon
    subscriber: Subscriber
    configuration: Path

    def settings(self, source: str) -> Json:
        """What is in force."""
        return self.subscriber.latest(f"{HOME}/{source}/settings")

    def proof(self, source: str) -> Json:
        """Its last test alarm."""
        return self.subscriber.latest(f"{HOME}/{source}/proof")

    def status(self, source: str) -> str | None:
        """Whether it is heard."""
        return self.subscriber.last(f"{HOME}/{source}/status")

    def events(self, source: str, event_type: str) -> list[Json]:
        """What was told on MQTT."""
        told = self.subscriber.values(f"{HOME}/{source}/event")
        return [event for event in told if event["event_type"] == event_type]


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """One daemon for all tests here, the nursery crying; commands that were retained wait for it."""
    folder = tmp_path_factory.mktemp("family")
    with Mosquitto(folder / "broker") as broker, Subscriber(broker) as subscriber:
        subscriber.say(f"{HOME}/nursery/threshold/set", "0.01", retain=True)
        subscriber.say(f"{HOME}/test_alarm/set", "PRESS", retain=True)
        configuration = configure(folder, broker, crying_house(folder))
        with Daemon(folder, "--config", configuration) as daemon:
            daemon.wait_for(lambda: subscriber.last(f"{HOME}/attic/status") == "online", "the attic online")
            daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
            yield Family(daemon, subscriber, configuration)


def test_a_retained_command_is_ignored(family: Family) -> None:
    """A command that the broker kept was not given now: it changes nothing, and that is logged."""
    assert family.daemon.words.count("ignored: it is retained") == 2
    assert family.settings("nursery")["threshold"] != 0.01
    assert family.daemon.events("test") == []


def test_acknowledge(family: Family) -> None:
    """An acknowledgement of the open episode is told to all, once."""
    family.subscriber.say(f"{HOME}/nursery/ack/set", "PRESS")
    family.daemon.wait_for(lambda: bool(family.events("nursery", "acknowledged")), "the acknowledgement")
    family.subscriber.say(f"{HOME}/nursery/ack/set", "PRESS")
    family.subscriber.say(f"{HOME}/attic/ack/set", "PRESS")  # nothing to acknowledge
    family.subscriber.say(f"{HOME}/attic/threshold/set", "0.61")
    family.daemon.wait_for(lambda: family.settings("attic")["threshold"] == 0.61, "the command after it")
    assert len(family.events("nursery", "acknowledged")) == 1
    assert family.events("attic", "acknowledged") == []
    (started, acknowledged) = (family.events("nursery", kind)[0] for kind in ("started", "acknowledged"))
    assert acknowledged["episode"] == started["episode"]


def test_threshold_and_profile(family: Family) -> None:
    """A threshold and a profile are taken and told back; what is no probability or no profile changes nothing."""
    before = family.settings("nursery")
    family.subscriber.say(f"{HOME}/attic/threshold/set", "banana")
    family.subscriber.say(f"{HOME}/attic/threshold/set", "1.5")
    family.subscriber.say(f"{HOME}/attic/profile/set", "disco")
    family.subscriber.say(f"{HOME}/cellar/threshold/set", "0.7")
    family.subscriber.say(f"{HOME}/attic/profile/set", "night")
    family.subscriber.say(f"{HOME}/attic/threshold/set", "0.77")
    expected = {"enabled": True, "threshold": 0.77, "profile": "night", "snoozed_until": None}
    expected |= {"gain_db": 0.0, "tuned": False}
    family.daemon.wait_for(lambda: family.settings("attic") == expected, "the settings")
    assert family.settings("nursery") == before
    for refused in ("'banana'", "'1.5'", "'cellar'"):
        assert refused in family.daemon.words


def test_the_test_alarm(family: Family) -> None:
    """A cry laid over the quiet attic is heard, told as `test` and comes back from the broker; nobody cries of it."""
    states = len(family.subscriber.payloads(f"{HOME}/attic/state"))
    family.subscriber.say(f"{HOME}/attic/test_alarm/set", "PRESS")
    family.daemon.wait_for(lambda: family.proof("attic")["state"] == "proven", "the proof")
    (event,) = family.events("attic", "test")
    proof = family.proof("attic")
    assert (event["test"], event["alert"], event["episode"]) == (True, True, proof["test"])
    assert 0 < proof["heard_ms"] <= proof["published_ms"]
    assert family.subscriber.payloads(f"{HOME}/attic/state")[states:] == []
    assert [line["id"] for line in family.daemon.events("test")] == [event["id"]]
    family.subscriber.say(f"{HOME}/attic/received/set", f"{proof['test']} phone_1")
    family.daemon.wait_for(lambda: "phone_1" in family.proof("attic")["receivers"], "the phone's answer")


def test_a_crying_room_is_not_tested(family: Family) -> None:
    """The real alarm is not mixed with a test; the refusal says why."""
    family.subscriber.say(f"{HOME}/nursery/test_alarm/set", "PRESS")
    family.daemon.wait_for(lambda: family.proof("nursery")["state"] == "failed", "the refusal")
    assert "crying now" in family.proof("nursery")["detail"]
    assert family.events("nursery", "test") == []


def test_alarm_from_a_terminal(family: Family) -> None:
    """`monitord test-alarm` shows each step with its time; a room there is not is refused."""
    done = monitord("test-alarm", "--config", family.configuration, "--source", "attic", "--wait", "0")
    assert (done.returncode, done.stderr) == (0, "")
    heard, passed, *phones = done.stdout.splitlines()
    assert heard.startswith("attic: the network heard the cry after ")
    assert passed.startswith("attic: the broker passed it on after ")
    assert phones == [
        "no phone is configured (notify.channels); those of Home Assistant may answer",
        "attic: proven as far as the broker; no phone has it",
    ]
    refused = monitord("test-alarm", "--config", family.configuration, "--source", "cellar")
    assert refused.returncode == CONFIG_EXIT
    assert "no room 'cellar'; there are attic, nursery" in refused.stderr


def test_status_from_a_terminal(family: Family) -> None:
    """`monitord status` says which room cries; exit 0 while all are heard."""
    done = monitord("status", "--config", family.configuration)
    home, attic, nursery = done.stdout.splitlines()
    assert (home, nursery) == ("home: online", "  nursery: CRYING")
    assert re.fullmatch(r"  attic: quiet; last proven \d\d:\d\d, \d+\.\d s, as far as the broker, no phone", attic)
    assert (done.returncode, done.stderr) == (0, "")


def test_switching_a_room_off(family: Family) -> None:
    """A room that is switched off ends its episode and is offline, never quiet; and is heard again when on."""
    family.subscriber.say(f"{HOME}/nursery/enabled/set", "OFF")
    family.daemon.wait_for(lambda: family.settings("nursery")["enabled"] is False, "the setting")
    family.daemon.wait_for(lambda: family.status("nursery") == "offline", "the room off")
    family.daemon.wait_for(lambda: bool(family.events("nursery", "ended")), "the end of its episode")
    state = f"{HOME}/nursery/state"
    family.daemon.wait_for(lambda: family.subscriber.latest(state)["crying"] is False, "the state after it")
    done = monitord("status", "--config", family.configuration)
    assert "  nursery: NOT HEARD" in done.stdout.splitlines()
    assert done.returncode == 1
    family.subscriber.say(f"{HOME}/nursery/enabled/set", "ON")
    family.daemon.wait_for(lambda: family.status("nursery") == "online", "the room on")
    family.daemon.wait_for(lambda: len(family.events("nursery", "started")) > 1, "its next cry")


def test_restart(family: Family) -> None:
    """A restart says goodbye, comes back as the same process, hears again, and obeys a signal."""
    heard = len(family.subscriber.heard)

    def since(topic: str) -> list[str]:
        return [message.payload for message in family.subscriber.heard[heard:] if message.topic == topic]

    started = len(family.daemon.events("started"))
    family.subscriber.say(f"{HOME}/restart/set", "PRESS")
    family.daemon.wait_for(lambda: since(f"{HOME}/status")[:2] == ["offline", "online"], "its return")
    family.daemon.wait_for(lambda: family.status("attic") == "online", "the attic online")
    family.daemon.wait_for(lambda: len(family.daemon.events("started")) > started, "a cry")
    assert family.daemon.stop()[0] == 0
    done = monitord("status", "--config", family.configuration)
    assert [line.split(";")[0] for line in done.stdout.splitlines()] == [
        "home: offline",
        "  attic: NOT HEARD",
        "  nursery: NOT HEARD",
    ]
    assert done.returncode == 1
    assert "Traceback" not in family.daemon.words


def test_nobody_answers(tmp_path: Path) -> None:
    """A test alarm that no daemon answers is exit 1, with what to look at."""
    with Mosquitto(tmp_path / "broker") as broker:
        done = monitord("test-alarm", "--config", configure(tmp_path, broker, {"nursery": {"microphone": "default"}}))
    assert done.returncode == 1
    assert "is the daemon running" in done.stdout


@pytest.mark.parametrize("command", ["status", "test-alarm"])
def test_no_broker_answers(tmp_path: Path, command: str) -> None:
    """A broker that is away is exit 1, with its address: nothing is well, and no file is to be mended."""
    port = free_port()
    sources = {"nursery": {"microphone": "default"}}
    done = monitord(command, "--config", configure(tmp_path, None, sources, mqtt={"host": "127.0.0.1", "port": port}))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"127.0.0.1:{port}: no broker to be reached" in done.stderr
