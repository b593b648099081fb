"""A real systemd as the first process of namespaces of its own: units, journal, watchdog, credentials and sandboxes.

It needs root and nothing else: no container tool, no D-Bus. /etc, /opt, /usr/local and /var are overlays, so that an
installation in it leaves the machine alone; the network is the machine's. Not enforced in it: DeviceAllow.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Self

from tests.support.cgroups import cgroup2, new_cgroups, removed
from tests.support.servers.mosquitto import until

SYSTEMD: Final = Path("/lib/systemd/systemd")
OVERLAYS: Final = ("etc", "opt", "usr/local", "var")  # var last: the folder may lie in it

_TARGETS: Final = ("default", "basic", "sysinit", "shutdown")
_JOURNAL: Final = ("systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket")

_SPACES: Final = ("--mount", "--pid", "--cgroup", "--uts", "--ipc")

_START: Final = """\
set -e
for cgroup in $CGROUPS; do mkdir -p $cgroup; echo $$ >$cgroup/cgroup.procs; done
exec unshare --mount --propagation private --cgroup --pid --fork --kill-child --uts --ipc --mount-proc bash -c '
    set -e
    umount -l -R /sys/fs/cgroup
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs /run
    mkdir /run/lock
    for place in $OVERLAYS; do
        mount -t overlay overlay -o lowerdir=/$place,upperdir=$LAB/$place/upper,workdir=$LAB/$place/work /$place
    done
    mount --make-rshared / # else LoadCredential= gives an empty directory, without a word
    hostname lab
    exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
        SYSTEMD_UNIT_PATH=$LAB/units:/etc/systemd/system \\
        '"$SYSTEMD"' --system --unit=default.target --log-target=journal --show-status=no
'
"""
"""A cgroup of its own, so that the new systemd never moves anybody else's processes; then the namespaces."""


def missing(folder: Path) -> str:
    """Says why there can be no laboratory in this folder; empty where there can."""
    if os.geteuid() != 0:
        return "a systemd of its own needs root"
    if not SYSTEMD.exists():
        return f"there is no {SYSTEMD}"
    if not cgroup2():
        return "there are no control groups of version 2"
    tools = [tool for tool in ("unshare", "nsenter", "systemctl", "journalctl") if shutil.which(tool) is None]
    if tools:
        return f"there is no {', '.join(tools)}"
    for part in ("upper", "work"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    layers = f"lowerdir=/etc,upperdir={folder}/upper,workdir={folder}/work"
    mount = ["unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o", layers, "/etc"]
    tried = subprocess.run(mount, capture_output=True, text=True, check=False)
    return f"no overlay in {folder}: {tried.stderr.strip()}" if tried.returncode else ""


class SystemdLab:
    """A with-block starts it and ends it, with all that runs in it.

    Args:
        folder: Where its overlays and its own units lie, on a disk.
        opt: What is added to /opt, to be kept for another laboratory; None: nothing is kept.
    """

    def __init__(self, folder: Path, opt: Path | None = None) -> None:
        self.folder, self._opt = folder, opt or folder / "opt"
        self._cgroups = new_cgroups(f"monitord-lab-{os.getpid()}")

    def __enter__(self) -> Self:
        for folder in (*(self.folder / place for place in OVERLAYS), self._opt):
            for part in ("upper", "work"):
                (folder / part).mkdir(parents=True, exist_ok=True)
        if self._opt != self.folder / "opt":
            shutil.rmtree(self.folder / "opt")
            (self.folder / "opt").symlink_to(self._opt)
        self._write_units()
        environment = {
            "PATH": os.environ["PATH"],
            "LAB": str(self.folder),
            "CGROUPS": " ".join(map(str, self._cgroups)),
            "OVERLAYS": " ".join(OVERLAYS),
            "SYSTEMD": str(SYSTEMD),
        }
        with (self.folder / "log").open("wb") as log:
            self._unshare = subprocess.Popen(
                ["bash", "-c", _START],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            until(self._is_up)
            self.systemctl("start", *_JOURNAL[:2])
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._unshare.kill()
        self._unshare.wait()
        for cgroup in self._cgroups:
            until(lambda cgroup=cgroup: removed(cgroup))  # type: ignore[misc]

    @property
    def root(self) -> Path:
        """Its files, as seen from outside."""
        return Path(f"/proc/{self._init}/root")

    def run(
        self, *command: str | Path, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command in it to its end."""
        done = subprocess.run(
            self._inside(*command),
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done

    def popen(self, *command: str | Path) -> subprocess.Popen[str]:
        """Starts a command in it, in a process group of its own."""
        return subprocess.Popen(
            self._inside(*command), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, process_group=0
        )

    def systemctl(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Asks its systemd."""
        return self.run("systemctl", "--no-pager", *arguments, check=check)

    def show(self, unit: str, name: str) -> str:
        """Returns a property of a unit."""
        return self.systemctl("show", "--value", "--property", name, unit).stdout.strip()

    def journal(self, unit: str) -> list[dict[str, Any]]:
        """Returns the records of a unit so far. Any: values of JSON."""
        self.run("journalctl", "--sync", check=False)
        lines = self.run("journalctl", "--unit", unit, "--output", "json", "--no-pager").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def kill(self, unit: str, number: signal.Signals) -> None:
        """Sends a signal to a unit's main process."""
        self.systemctl("kill", "--kill-whom", "main", "--signal", number.name, unit)

    def _inside(self, *command: str | Path) -> list[str]:
        return ["nsenter", "--target", self._init, *_SPACES, *map(str, command)]

    def _is_up(self) -> bool:
        assert self._unshare.poll() is None, (self.folder / "log").read_text()
        children = subprocess.run(
            ["pgrep", "--parent", str(self._unshare.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        if not children:
            return False
        self._init = children[0]
        state = self.systemctl("is-system-running", check=False).stdout.strip()
        return state in {"running", "degraded"}

    def _write_units(self) -> None:
        units = self.folder / "units"
        units.mkdir(exist_ok=True)
        for target in _TARGETS:
            (units / f"{target}.target").write_text(f"[Unit]\nDescription={target}\nDefaultDependencies=no\n")
        for unit in _JOURNAL:
            shutil.copy(f"/lib/systemd/system/{unit}", units)
