"""deploy/install and deploy/uninstall under a real systemd: new, newer, broken, interrupted, gone."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon.daemon import ROOT
from tests.support.servers.mosquitto import until
from tests.support.systemd.systemd_installed import ETC, UNIT, Installed, checkout_of, laboratory

pytestmark = pytest.mark.e2e

NEWER, BROKEN = "7.7.7", "8.8.8"


@pytest.fixture(scope="module")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A newer version, and one that passes `check` and does not run."""
    folder = tmp_path_factory.mktemp("checkouts")
    return {
        NEWER: checkout_of(folder / "newer", NEWER),
        BROKEN: checkout_of(folder / "broken", BROKEN, broken=True),
    }


@pytest.fixture(scope="module")
def laboratory_of_all(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Installed]:
    """One for all tests here."""
    assert pytestconfig.cache is not None
    with laboratory(tmp_path_factory.mktemp("lab"), pytestconfig.cache.mkdir("systemd-lab")) as installed:
        yield installed


@pytest.fixture
def service(laboratory_of_all: Installed) -> Installed:
    """Any version, running, with a recording as its source."""
    service = laboratory_of_all
    if not running(service):
        service.install()
    if "quiet.wav" not in service.file(f"{ETC}/monitord.yaml").read_text():
        # Nobody serves port 1: whatever broker this machine has is left alone.
        service.configure(1)
        service.start()
    return service


def running(service: Installed) -> str:
    """Returns the version that runs now; empty where none does."""
    if service.show("ActiveState") != "active":
        return ""
    # The first argument is the Python of the version, with its whole path.
    command = service.file(f"proc/{service.pid}/cmdline").read_bytes().split(b"\0")
    return Path(command[0].decode()).parent.parent.name.split("-")[0]


def test_a_new_installation(service: Installed) -> None:
    """Its own user, a configuration that it alone can read, secrets that it cannot; a second run changes nothing."""
    stat = service.lab.run(
        "stat", "-c", "%U:%G %a", f"/{ETC}", f"/{ETC}/monitord.yaml", f"/{ETC}/credentials", "/var/lib/monitord"
    )
    assert stat.stdout.splitlines() == [
        "root:monitord 750",
        "root:monitord 640",
        "root:root 700",
        "monitord:monitord 700",
    ]
    assert service.lab.run("id", "-nG", "monitord").stdout.split() == ["monitord", "audio"]
    assert service.lab.run("getent", "passwd", "monitord").stdout.strip().endswith(":/usr/sbin/nologin")
    assert service.lab.run("/usr/local/bin/monitord", "--version").stdout.strip() == running(service)
    assert service.show("UnitFileState") == "enabled"
    pid = service.pid
    assert "this version is installed already, and runs" in service.install(service.checkout)
    assert service.pid == pid


def test_a_newer_version(service: Installed, checkouts: dict[str, Path]) -> None:
    """It takes the place of the old one, with the configuration as it is; the old one is removed."""
    config = service.file(f"{ETC}/monitord.yaml").read_text()
    newer = other(service, checkouts)
    assert "1 of 1 room heard" in service.install(newer)
    assert running(service) in (newer / "pyproject.toml").read_text()
    assert service.file(f"{ETC}/monitord.yaml").read_text() == config
    left = [path.name for path in service.file("opt/monitord").iterdir() if not path.name.startswith("python-")]
    assert sorted(name.split("-")[0] for name in left) == [running(service), "current"]


def test_a_broken_version_is_taken_back(service: Installed, checkouts: dict[str, Path]) -> None:
    """The old version runs again, and it is said aloud, with the last words of the broken one."""
    before = running(service)
    code, said = service.try_install(checkouts[BROKEN])
    assert code == 1
    assert "a broken version" in said
    assert f"monitord {BROKEN}-" in said.splitlines()[-1]
    assert "was NOT installed" in said.splitlines()[-1]
    assert running(service) == before
    assert service.lab.run("/usr/local/bin/monitord", "--version").stdout.strip() == before


def test_a_configuration_that_the_new_version_refuses(service: Installed) -> None:
    """Nothing is touched: the old version runs on in the same process."""
    pid = service.pid
    config = service.file(f"{ETC}/monitord.yaml")
    good = config.read_text()
    config.write_text(good.replace("sources", "sauces"))
    code, said = service.try_install(service.checkout)
    config.write_text(good)
    assert code == 1
    assert "sauces" in said
    assert "Nothing was changed, the old version runs on" in said
    assert service.pid == pid


def test_an_interrupted_upgrade_is_repaired(service: Installed, checkouts: dict[str, Path]) -> None:
    """Killed between the switch and the proof, the next run goes back to the proven version first."""
    before = running(service)
    installing = service.lab.popen(other(service, checkouts) / "deploy" / "install")
    until(lambda: os.path.lexists(service.file("opt/monitord/previous")))
    os.killpg(installing.pid, signal.SIGKILL)
    installing.wait()
    assert installing.stderr is not None
    installing.stderr.close()
    said = service.install(service.checkout)
    assert "an earlier installation was interrupted before its version was proven" in said
    assert running(service) == before
    assert not os.path.lexists(service.file("opt/monitord/previous"))


def test_gone(service: Installed) -> None:
    """Configuration, state and user stay, unless --purge says otherwise; twice is the same as once."""
    service.keep_libraries()
    for arguments in ([], [], ["--purge"], ["--purge"]):
        service.lab.run(ROOT / "deploy" / "uninstall", *arguments)
        purged = bool(arguments)
        assert service.show("LoadState") == "not-found"
        for path in ("opt/monitord", "usr/local/bin/monitord", "etc/systemd/system/monitord.service"):
            assert not os.path.lexists(service.file(path)), path
        for path in (f"{ETC}/monitord.yaml", "var/lib/monitord"):
            assert service.file(path).exists() != purged, path
        assert (service.lab.run("id", UNIT, check=False).returncode != 0) == purged


def test_a_first_installation_that_does_not_run(laboratory_of_all: Installed, checkouts: dict[str, Path]) -> None:
    """No half of it stays: no unit, no current version."""
    service = laboratory_of_all
    service.keep_libraries()
    service.lab.run(ROOT / "deploy" / "uninstall")
    service.lab.run("sh", "-c", "mkdir /opt/monitord; mv /opt/kept/* /opt/monitord")
    code, said = service.try_install(checkouts[BROKEN])
    assert code == 1
    assert "taking it away again" in said
    assert service.show("LoadState") == "not-found"
    assert not os.path.lexists(service.file("opt/monitord/current"))


def other(service: Installed, checkouts: dict[str, Path]) -> Path:
    """Returns the checkout of another version than the one that runs."""
    return ROOT if running(service) == NEWER else checkouts[NEWER]


def test_the_help_installs_nothing() -> None:
    """--help says what would be done where, and an unknown option is refused; neither needs root or systemd."""
    for command in ("install", "uninstall"):
        program = str(ROOT / "deploy" / command)
        shown = subprocess.run([program, "--help"], capture_output=True, text=True, check=True)
        assert shown.stdout.startswith(f"usage: sudo deploy/{command}")
        assert subprocess.run([program, "--what"], capture_output=True, check=False).returncode == 2
