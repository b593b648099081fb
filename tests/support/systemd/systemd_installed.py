"""monitord installed as a service in a systemd laboratory, by the real deploy/install."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.daemon.daemon import ROOT, quiet_room
from tests.support.servers.mosquitto import until
from tests.support.systemd.systemd_lab import SystemdLab, missing

UNIT = "monitord"
ETC = "etc/monitord"
_NEEDED = (
    "/usr/include/systemd/sd-daemon.h",
    "/usr/include/portaudio.h",
    "/usr/bin/python3-config",
    "/usr/bin/gcc",
    "/usr/bin/pkg-config",
    "/usr/sbin/mosquitto",
    "/usr/bin/mosquitto_sub",
)
"""Of Debian packages that deploy/install would add to the machine itself, which a test must not do."""
_DROP_IN = "etc/systemd/system/monitord.service.d/test.conf"
_OFFLINE = "Is this machine online?"


@contextmanager
def laboratory(folder: Path, kept: Path) -> Iterator["Installed"]:
    """Gives a laboratory in which nothing is installed; `kept` keeps what takes long to build from one to the next."""
    if why := missing(folder / "probe"):
        pytest.skip(f"no systemd of its own: {why}")
    if absent := [path for path in _NEEDED if not Path(path).exists()]:
        pytest.skip(f"deploy/install would change this machine, for there is no {', '.join(absent)}")
    if subprocess.run(
        ["/usr/bin/python3", "-c", "import ensurepip, venv"], capture_output=True, check=False
    ).returncode:
        pytest.skip("deploy/install would change this machine, for there is no python3-venv")
    with SystemdLab(folder, kept) as lab:
        lab.run(
            "sh", "-c", "mkdir -p /opt/monitord; [ ! -e /opt/kept ] || mv /opt/kept/* /opt/monitord; rm -rf /opt/kept"
        )
        lab.run("rm", "-f", "/opt/monitord/current", "/opt/monitord/previous")
        # A unit that nobody refers to is forgotten with its end, and with how it ended.
        (lab.root / "etc/systemd/system/witness.target").write_text(f"[Unit]\nAfter={UNIT}.service\n")
        lab.systemctl("start", "witness.target")
        yield Installed(lab, folder)
        lab.systemctl("stop", UNIT, check=False)


class Installed:
    """What a test does with it.

    Args:
        lab: Where it is installed.
        folder: On the machine, for files of the test.
    """

    def __init__(self, lab: SystemdLab, folder: Path) -> None:
        self.lab, self._folder = lab, folder
        self.checkout = ROOT
        """What was installed last."""
        self._begun = ("", "")  # configuration and drop-in of the last start

    def install(self, checkout: Path = ROOT) -> str:
        """Installs a version; returns what it said."""
        done = self.try_install(checkout)
        assert done[0] == 0, done[1]
        self.checkout = checkout
        return done[1]

    def try_install(self, checkout: Path = ROOT) -> tuple[int, str]:
        """Installs a version; returns the exit status and what it said."""
        done = self.lab.run(checkout / "deploy" / "install", check=False)
        if _OFFLINE in done.stderr:
            pytest.skip("deploy/install could not download the Python packages")
        return done.returncode, done.stderr

    def keep_libraries(self) -> None:
        """Keeps what takes long to install for the next laboratory; hard links, so it costs nothing."""
        self.lab.run("sh", "-c", "mkdir -p /opt/kept; cp -al /opt/monitord/python-* /opt/kept || true")

    def file(self, path: str) -> Path:
        """Returns a file of the laboratory, as seen from outside."""
        return self.lab.root / path

    def recording(self) -> str:
        """Puts a quiet room where the service may read it; returns its path in the laboratory."""
        path = self.file(f"{ETC}/quiet.wav")
        if not path.exists():
            shutil.copy(quiet_room(self._folder / "quiet.wav"), path)
            path.chmod(0o644)
        return f"/{ETC}/quiet.wav"

    def configure(self, port: int | None = None, sources: dict[str, Any] | None = None, **more: Any) -> None:
        """Writes its configuration; left out: one quiet room, and the broker at the port."""
        values = {"sources": sources or {"nursery": {"file": self.recording(), "loop": True}}, **more}
        if port is not None:
            values["mqtt"] = {"host": "127.0.0.1", "port": port}
        self.file(f"{ETC}/monitord.yaml").write_text(json.dumps(values, indent=1))

    def drop_in(self, text: str) -> None:
        """Changes its unit; an empty text takes every change away."""
        path = self.file(_DROP_IN)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        self.lab.systemctl("daemon-reload")

    def start(self) -> None:
        """Starts it anew; returns when it is ready."""
        self.lab.systemctl("reset-failed", UNIT, check=False)
        self.lab.systemctl("restart", UNIT)
        self._begun = self._as_it_is()

    def begin(self) -> None:
        """Starts it where it does not run untroubled with what is configured now."""
        if self._begun != self._as_it_is() or (self.show("ActiveState"), self.show("NRestarts")) != ("active", "0"):
            self.start()

    def _as_it_is(self) -> tuple[str, str]:
        drop_in = self.file(_DROP_IN)
        return self.file(f"{ETC}/monitord.yaml").read_text(), drop_in.read_text() if drop_in.exists() else ""

    def show(self, name: str) -> str:
        """Returns a property of its unit."""
        return self.lab.show(UNIT, name)

    @property
    def status(self) -> str:
        """What it says of itself."""
        return self.show("StatusText")

    @property
    def pid(self) -> str:
        """Its main process."""
        return self.show("MainPID")

    def becomes(self, name: str, value: str) -> None:
        """Waits until a property of its unit has the value."""
        until(lambda: self.show(name) == value)

    def records(self, since: int = 0) -> list[dict[str, Any]]:
        """Returns its journal, without the first records."""
        return self.lab.journal(UNIT)[since:]

    def words(self, since: int = 0) -> str:
        """Returns the messages of its journal."""
        return "\n".join(str(record["MESSAGE"]) for record in self.records(since))


def checkout_of(folder: Path, version: str, *, broken: bool = False) -> Path:
    """Copies this checkout with another version number; a broken one passes `check` and does not run."""
    parts = ("deploy", "monitord", "model", "service", "training")
    for part in parts:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("README.md", "LICENSE", "pyproject.toml"):
        shutil.copy(ROOT / file, folder)
    project = folder / "pyproject.toml"
    project.write_text(re.sub(r'(?m)^version = ".*"', f'version = "{version}"', project.read_text()))
    if broken:
        with (folder / "service" / "app.py").open("a") as app:
            app.write("\n\ndef run(*_: object, **__: object) -> int:\n    raise RuntimeError('a broken version')\n")
    assert version in project.read_text()
    assert os.access(folder / "deploy" / "install", os.X_OK)
    return folder
