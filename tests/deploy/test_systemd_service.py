"""The service under a real systemd: ready, watched, restarted, reloaded, stopped, and what stands in the journal."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.systemd.systemd_installed import ETC, UNIT, Installed, laboratory

pytestmark = pytest.mark.e2e

STATUS = "monitord/home/status"
SHORT_WATCH = "[Service]\nWatchdogSec=2\nTimeoutStopSec=2\n"
"""A watchdog that a test can wait for; on a slow machine it may kill also what works."""
WATCH_S = 20
"""A watchdog for a service that works (seconds): a sign of life, due after half of it, may come 10 s late."""
STICK = """\
import os, threading, time

def stick() -> None:
    while not os.path.exists("/var/lib/monitord/stick"):
        time.sleep(0.1)
    os.unlink("/var/lib/monitord/stick")
    from service.pipeline.worker import Worker
    Worker.round = lambda self: time.sleep(3600)

threading.Thread(target=stick, daemon=True).start()
"""
"""Python's `sitecustomize`: makes the worker stick in the middle of a round once a file is there."""


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installed]:
    """An installation for all tests here."""
    assert pytestconfig.cache is not None
    with laboratory(tmp_path_factory.mktemp("lab"), pytestconfig.cache.mkdir("systemd-lab")) as installed:
        installed.install()
        yield installed


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """The family's broker."""
    with Mosquitto(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture
def service(at_home: Installed, broker: Mosquitto) -> Installed:
    """The installation with a quiet nursery, as its unit says, running."""
    at_home.drop_in("")
    at_home.configure(broker.port)
    at_home.begin()
    return at_home


def test_it_is_ready_with_words(service: Installed, broker: Mosquitto) -> None:
    """READY=1 comes with the first sound; the status is a sentence; the journal has records and no first screen."""
    with Subscriber(broker) as subscriber:
        until(lambda: subscriber.last("monitord/home/nursery/status") == "online")
    assert service.show("ActiveState") == "active"
    until(lambda: service.status == "1 of 1 room heard")
    assert service.lab.run("stat", "-c", "%U", f"/proc/{service.pid}").stdout == "monitord\n"
    records = [record for record in service.records() if record["_PID"] == service.pid]
    assert {record["SYSLOG_IDENTIFIER"] for record in records} == {"monitord"}
    assert any(record["MESSAGE"] == "begins to listen to Nursery" for record in records)
    assert not any("Ctrl-C" in record["MESSAGE"] for record in records)
    assert "service." in next(record["LOGGER"] for record in records if "LOGGER" in record)


def test_a_room_that_is_dead_since_boot(service: Installed, broker: Mosquitto) -> None:
    """A fault that is told is also ready: the status names it, the journal has its source and kind, as a warning."""
    before = len(service.records())
    sources = {
        "nursery": {"file": service.recording(), "loop": True},
        "bedroom": {"stream": "rtsp://127.0.0.1:9/gone"},
    }
    service.configure(broker.port, sources)
    service.start()  # until it is ready
    until(lambda: service.status.startswith("1 of 2 rooms heard; Bedroom NOT HEARD"))

    def faults() -> list[dict[str, Any]]:
        records = service.records(before)
        return [one for one in records if one.get("MONITORD_SOURCE") == "bedroom" and one.get("MONITORD_FAULT")]

    until(lambda: bool(faults()))
    record = faults()[0]
    assert record["PRIORITY"] == "4"
    assert record["MONITORD_FAULT"] in {"reconnecting", "stalled"}


def test_an_event_stands_in_the_journal(service: Installed, broker: Mosquitto) -> None:
    """An event has its source, kind, episode and the id that MQTT carries."""
    with Subscriber(broker) as subscriber:
        topic = "monitord/home/nursery/event"
        subscriber.say("monitord/home/nursery/test_alarm/set", "PRESS")
        until(lambda: bool(subscriber.payloads(topic)))
        event = json.loads(subscriber.payloads(topic)[0])
    until(lambda: "MONITORD_ID" in str(service.records()))
    record = next(record for record in service.records() if record.get("MONITORD_ID") == event["id"])
    assert record["MONITORD_SOURCE"] == "nursery"
    assert record["MONITORD_EVENT"] == event["event_type"] == "test"
    assert record["MONITORD_EPISODE"] == event["episode"]


def test_a_stuck_worker_is_killed_and_started_anew(service: Installed) -> None:
    """A worker that does not move gives no sign of life, although the main thread goes on."""
    folder = service.file("etc/monitord/stick")
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(STICK)
    service.drop_in(f"{SHORT_WATCH}Environment=PYTHONPATH=/etc/monitord/stick\n")
    service.start()
    pid, before = service.pid, len(service.records())
    service.file("var/lib/monitord/stick").touch()
    until(lambda: "Watchdog timeout" in service.words(before))
    until(lambda: service.show("ActiveState") == "active" and service.pid not in {pid, "0"})
    assert int(service.show("NRestarts")) >= 1


def test_a_stopped_process_is_killed_and_started_anew(service: Installed) -> None:
    """A process that does nothing at all gives no sign of life either."""
    service.drop_in(SHORT_WATCH)
    service.start()
    pid = service.pid
    service.lab.kill(UNIT, signal.SIGSTOP)
    until(lambda: service.show("ActiveState") == "active" and service.pid not in {pid, "0"})
    assert "Watchdog timeout" in service.words()


def test_a_watched_service_that_works_is_left_alone(service: Installed) -> None:
    """More than a watchdog long, also over a reload, nobody kills it."""
    service.drop_in(f"[Service]\nWatchdogSec={WATCH_S}\n")
    service.start()
    pid, before = service.pid, len(service.records())
    service.lab.systemctl("reload", UNIT)
    until(lambda: service.words(before).count("begins to listen") == 1)
    began = _watchdog_at(service)
    until(lambda: _watchdog_at(service) > began + WATCH_S * 1_000_000)
    assert (service.pid, service.show("NRestarts")) == (pid, "0")


def _watchdog_at(service: Installed) -> int:
    """When the last sign of life came (monotonic microseconds)."""
    return int(service.show("WatchdogTimestampMonotonic"))


def test_a_kill_is_mended(service: Installed) -> None:
    """Killed from outside, it begins again by itself."""
    pid = service.pid
    service.lab.kill(UNIT, signal.SIGKILL)
    until(lambda: service.show("ActiveState") == "active" and service.pid not in {pid, "0"})
    assert service.show("NRestarts") == "1"


def test_a_wrong_configuration_is_not_tried_again(service: Installed) -> None:
    """Exit status 78 stays failed, and the journal says where the mistake is, as an error."""
    before = len(service.records())
    service.configure(sources={"nursery": {"microphone": "default"}}, nide="home")
    assert service.lab.systemctl("restart", UNIT, check=False).returncode != 0
    assert (service.show("ActiveState"), service.show("ExecMainStatus")) == ("failed", "78")
    assert service.show("NRestarts") == "0"
    said = next(record for record in service.records(before) if "nide" in record["MESSAGE"])
    assert "did you mean 'node'" in said["MESSAGE"]
    assert said["PRIORITY"] == "3"


def test_a_good_reload(service: Installed, broker: Mosquitto) -> None:
    """A changed configuration is in force after `systemctl reload`, in the same process, which is ready again."""
    pid = service.pid
    service.configure(broker.port, {"attic": {"file": service.recording(), "loop": True}})
    with Subscriber(broker) as subscriber:
        service.lab.systemctl("reload", UNIT)
        until(lambda: subscriber.last("monitord/home/attic/status") == "online")
        assert subscriber.last("monitord/home/nursery/status") != "online"
    service.becomes("SubState", "running")
    assert service.pid == pid


def test_a_bad_reload(service: Installed) -> None:
    """`systemctl reload` fails with the mistake; the rooms are heard on, and the status says what was refused."""
    pid = service.pid
    config = service.file(f"{ETC}/monitord.yaml")
    config.write_text(config.read_text().replace("sources", "sauces"))
    assert service.lab.systemctl("reload", UNIT, check=False).returncode != 0
    until(lambda: "reload REFUSED, the old configuration stays: " in service.status)
    assert "sauces" in service.status
    assert service.status.endswith("; 1 of 1 room heard")
    service.becomes("SubState", "running")
    assert service.pid == pid
    assert "did you mean 'sources'" in service.words()


def test_a_clean_stop(service: Installed, broker: Mosquitto) -> None:
    """It leaves by itself, before systemd would kill it, with status 0, and everybody is told."""
    with Subscriber(broker) as subscriber:
        until(lambda: subscriber.last(STATUS) == "online")
        service.lab.systemctl("stop", UNIT)
        until(lambda: subscriber.last(STATUS) == "offline")
    assert (service.show("Result"), service.show("ExecMainStatus")) == ("success", "0")


def test_a_password_that_nobody_else_can_read(service: Installed, tmp_path: Path) -> None:
    """A secret that root alone can read reaches the broker by its name, also over a reload; it stands in no record."""
    with (
        Mosquitto(tmp_path, users={"monitord": "right-secret", "subscriber": "x"}) as broker,
        Subscriber(broker, user="subscriber") as subscriber,
    ):
        secret = service.file(f"{ETC}/credentials/mqtt-password")
        secret.touch(0o600)
        secret.write_text("right-secret\n")
        mqtt = {"host": "127.0.0.1", "port": broker.port, "username": "monitord"}
        service.configure(mqtt=mqtt | {"password_file": "credential:mqtt-password"})
        service.start()
        until(lambda: subscriber.last(STATUS) == "online")
        service.lab.systemctl("reload", UNIT)
        until(lambda: subscriber.payloads(STATUS)[-2:] == ["offline", "online"])
        asked = service.lab.run("/usr/local/bin/monitord", "status", "--config", f"/{ETC}/monitord.yaml")
    assert "nursery: quiet" in asked.stdout
    assert "right-secret" not in json.dumps(service.records())


def test_the_private_broker_in_the_sandbox(service: Installed) -> None:
    """mosquitto, its child, serves under the same restrictions, and ends with it."""
    service.configure(mqtt={"embedded": True})
    service.drop_in("[Service]\nPrivateNetwork=yes\n")  # its own loopback: the machine's 1883 may be taken
    service.start()
    ask = ["nsenter", "--target", service.pid, "--net", "mosquitto_sub", "-C", "1", "-W", "20", "-t", STATUS]
    until(lambda: service.lab.run(*ask, check=False).stdout == "online\n")
    assert "mosquitto serves 127.0.0.1:1883" in service.words()
    service.lab.systemctl("stop", UNIT)
    assert "mosquitto" not in service.lab.run("ps", "-e", "-o", "user:20,comm").stdout.replace("root", "")


def test_the_microphone_in_the_sandbox(
    service: Installed, broker: Mosquitto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PortAudio and ALSA open a microphone from inside the sandbox."""
    crib = VirtualMicrophone(tmp_path, monkeypatch)
    tmp_path.chmod(0o755)
    crib.start()
    try:
        found = "Environment=ALSA_CONFIG_PATH=/run/crib/asound.conf PULSE_SERVER=unix:/run/crib/native"
        service.drop_in(f"[Service]\nBindPaths={tmp_path}:/run/crib\n{found}\n")
        service.configure(broker.port, {"nursery": {"microphone": "default"}})
        service.start()
        until(lambda: service.status == "1 of 1 room heard")
    finally:
        crib.kill()


def test_the_sandbox_lets_the_group_audio_in_and_nobody_else(service: Installed) -> None:
    """What belongs to the group `audio`, as microphones do, can be opened; what belongs to others cannot."""
    unit = service.file("etc/systemd/system/monitord.service").read_text()
    lines = [line for line in unit.splitlines() if not line.startswith(("Exec", "Type=", "Restart", "Watchdog"))]
    for group, code in (("audio", 0), ("video", 1)):
        thing = service.file(f"etc/thing-{group}")
        thing.write_text("sound")
        service.lab.run("chgrp", group, f"/etc/thing-{group}")
        thing.chmod(0o640)
        probe = "\n".join(lines).replace("[Install]", f"Type=oneshot\nExecStart=/bin/cat /etc/thing-{group}\n[Install]")
        service.file("etc/systemd/system/probe.service").write_text(probe)
        service.lab.systemctl("daemon-reload")
        assert (service.lab.systemctl("start", "probe", check=False).returncode != 0) == bool(code)


def test_the_sandbox_is_tight(service: Installed) -> None:
    """Systemd finds no mistake in the unit, and an exposure of at most 1.5 of 10."""
    unit = "/etc/systemd/system/monitord.service"
    assert service.lab.run("systemd-analyze", "verify", unit).stderr == ""
    # Threshold: in tenths. Fails where the exposure is higher.
    service.lab.run("systemd-analyze", "security", "--offline=true", "--threshold=15", unit)
