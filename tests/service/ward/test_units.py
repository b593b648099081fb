"""A shard and the nurse station as services of systemd, set up by the words of docs/developers/ward.md."""

import json
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.documents import blocks
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.sockets import free_port
from tests.support.systemd.systemd_installed import ETC, Installed, laboratory
from tests.support.ward.shards import ShardProcess, ward_file

PAGE: Final = ROOT / "docs" / "developers" / "ward.md"
UNITS: Final = ("monitord-shard@.service", "monitord-station.service")
SHARD, STATION = "monitord-shard@north_1", "monitord-station"
NODE_STATUS: Final = "monitord/north_1/status"
USERS: Final = {"ward": "lull-1"}
SANDBOX = re.compile(r"^# --- what it may not do.*?(?=^\[Install\])", re.MULTILINE | re.DOTALL)
EXCEPTIONS: Final = {"DeviceAllow=char-alsa rw", "SupplementaryGroups=audio", "SystemCallFilter=capset"}
"""What monitord.service needs for microphones and for a broker of its own."""


@pytest.mark.parametrize("unit", UNITS)
def test_the_sandbox_is_that_of_the_daemon_and_tighter(unit: str) -> None:
    """All that monitord.service may not do, these may not either, and they see no device."""

    def settings(name: str) -> set[str]:
        found = SANDBOX.search((ROOT / "deploy" / "systemd" / name).read_text())
        assert found is not None
        return {line for line in found[0].splitlines() if line and not line.startswith("#")}

    assert settings(unit) == settings("monitord.service") - EXCEPTIONS | {"PrivateDevices=yes"}


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """The ward's broker, which asks for a password."""
    with Mosquitto(tmp_path_factory.mktemp("broker"), users=USERS) as broker:
        yield broker


@pytest.fixture(scope="module")
def at_home(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config, guarded: Mosquitto
) -> Iterator[Installed]:
    """What the commands of the page make of a machine, word by word; nobody but root reads the password."""
    assert pytestconfig.cache is not None
    with laboratory(tmp_path_factory.mktemp("lab"), pytestconfig.cache.mkdir("systemd-lab")) as installed:
        installed.install()
        checkout = tmp_path_factory.mktemp("checkout")
        (checkout / "deploy").symlink_to(ROOT / "deploy")
        (checkout / "mqtt-password").write_text(USERS["ward"])
        rooms = {"bed1": {"file": installed.recording(), "loop": True}}
        values = {
            "sites": {"north": {"shards": {"1": {"rooms": rooms}}}},
            "machines": {"lab": {"cores": 2, "memory_gb": 4}, "other": {"cores": 2, "memory_gb": 4}},
            "mqtt": login(guarded, "credential:mqtt-password"),
            "state_dir": "/var/lib/monitord/ward",
            "station": {"port": free_port()},
        }
        (checkout / "ward.yaml").write_text(json.dumps(values))
        (commands,) = (block.commands for block in blocks(PAGE) if block.section == "Set it up" and not block.language)
        for command in commands:
            installed.lab.run("bash", "-c", f"cd {checkout} && {command.removeprefix('sudo ')}")
        yield installed
        installed.lab.systemctl("stop", SHARD, STATION, check=False)


def login(broker: Mosquitto, password_file: str) -> dict[str, object]:
    """As the user of shards."""
    return {"host": "127.0.0.1", "port": broker.port, "username": "ward", "password_file": password_file}


@pytest.fixture
def shard(at_home: Installed) -> Installed:
    """The shard, running."""
    at_home.lab.systemctl("start", SHARD)
    return at_home


@pytest.mark.e2e
@pytest.mark.parametrize("unit", UNITS)
def test_systemd_finds_no_mistake(at_home: Installed, unit: str) -> None:
    """Nor an exposure of more than 1.5 of 10."""
    path = f"/etc/systemd/system/{unit}"
    assert at_home.lab.run("systemd-analyze", "verify", path.replace("@.", "@north_1.")).stderr == ""
    # Threshold: in tenths. Fails where the exposure is higher.
    at_home.lab.run("systemd-analyze", "security", "--offline=true", "--threshold=15", path)


@pytest.mark.e2e
def test_a_shard_is_started_again_until_another_machine_has_it(
    shard: Installed, guarded: Mosquitto, tmp_path: Path
) -> None:
    """A kill is mended; who has lost the claim ends with status 0 and stays away."""

    def value(name: str) -> str:
        return shard.lab.show(SHARD, name)

    with Subscriber(guarded, user="ward") as subscriber:
        until(lambda: subscriber.last("monitord/north_1/bed1/status") == "online")
        pid = value("MainPID")
        assert shard.lab.run("stat", "-c", "%U", f"/proc/{pid}").stdout == "monitord\n"
        shard.lab.kill(SHARD, signal.SIGKILL)
        until(lambda: value("ActiveState") == "active" and value("MainPID") not in {pid, "0"})
        assert value("NRestarts") == "1"
        until(lambda: subscriber.payloads(NODE_STATUS)[-2:] == ["offline", "online"])

        (tmp_path / "password").write_text(USERS["ward"])
        other = ShardProcess(
            ward_file(tmp_path / "other", guarded, "other", mqtt=login(guarded, str(tmp_path / "password"))), "other"
        )
        other.start()
        try:
            until(lambda: value("ActiveState") == "inactive")
            words = "\n".join(str(record["MESSAGE"]) for record in shard.lab.journal(SHARD))
            assert "north_1 is claimed by another process: this one leaves" in words
            assert "Deactivated successfully" in words.splitlines()[-1]
        finally:
            other.stop()


@pytest.mark.e2e
def test_the_nurse_station_counts_the_rooms(shard: Installed, guarded: Mosquitto) -> None:
    """It starts, reads the password and tells."""
    shard.lab.systemctl("start", STATION)
    with Subscriber(guarded, user="ward") as subscriber:
        until(lambda: subscriber.last("monitord/station/status") == "online")
    assert shard.lab.show(STATION, "ActiveState") == "active"


@pytest.mark.e2e
def test_a_wrong_file_is_not_tried_again(shard: Installed) -> None:
    """Exit status 78 stays failed until a person has mended ward.yaml."""
    config = shard.file(f"{ETC}/ward.yaml")
    good = config.read_text()
    config.write_text(good.replace("sites", "sights"))
    shard.lab.systemctl("restart", SHARD, check=False)
    until(lambda: shard.lab.show(SHARD, "ActiveState") == "failed")
    assert (shard.lab.show(SHARD, "ExecMainStatus"), shard.lab.show(SHARD, "NRestarts")) == ("78", "0")
    config.write_text(good)


@pytest.mark.e2e
def test_an_uninstall_takes_them_away(shard: Installed) -> None:
    """What runs is stopped, and nothing is left that a boot would start."""
    shard.keep_libraries()
    shard.lab.systemctl("start", STATION)
    assert [shard.lab.show(unit, "ActiveState") for unit in (SHARD, STATION)] == ["active"] * 2
    shard.lab.run(ROOT / "deploy" / "uninstall")
    assert [shard.lab.show(unit, "LoadState") for unit in (SHARD, STATION)] == ["not-found"] * 2
    assert [shard.lab.show(unit, "ActiveState") for unit in (SHARD, STATION)] == ["inactive"] * 2
    assert list(shard.file("etc/systemd/system").rglob("monitord-*")) == []
