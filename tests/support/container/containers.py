"""Containers by crun, as deploy/container/compose.yaml starts them, in a network of their own."""

import ctypes
import json
import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import yaml

from tests.support.container.image import Image
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S, wait_beside

USER: Final = 568
"""Of the image, and of its group."""
_CLONE_NEWNET: Final = 0x40000000
"""linux/sched.h."""


class Network:
    """A network with a loopback and nothing else, and cgroups as crun wants them; a with-block makes and ends it."""

    def __enter__(self) -> Self:
        # crun takes no mixture of both versions of cgroups, as some machines have it.
        made = "mount -t cgroup2 none /sys/fs/cgroup && ip link set lo up && echo made && exec sleep infinity"
        command = ["unshare", "--net", "--mount", "sh", "-c", made]
        self._holder = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == "made\n"
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.kill()
        self._holder.communicate()

    @property
    def path(self) -> str:
        """By which another namespace joins it."""
        return f"/proc/{self._holder.pid}/ns/net"

    @contextmanager
    def entered(self) -> Iterator[None]:
        """What this thread opens and starts in the block is in it."""
        with open(self.path) as theirs, open("/proc/thread-self/ns/net") as ours:  # noqa: PTH123 - files of the kernel
            _enter(theirs.fileno())
            try:
                yield
            finally:
                _enter(ours.fileno())

    def inside(self, *command: str | Path) -> list[str]:
        """Returns the command as one that runs in it."""
        return ["nsenter", f"--net={self.path}", f"--mount=/proc/{self._holder.pid}/ns/mnt", *map(str, command)]


@dataclass
class Container:
    """One container; a with-block starts it, and kills it where it still runs."""

    image: Image
    network: Network
    data: Path
    """What becomes /data; it must belong to `USER`."""
    folder: Path
    """For its specification and its words."""
    arguments: Sequence[str] = ()
    """After the image's entrypoint."""
    environment: dict[str, str] = field(default_factory=dict)
    mounts: dict[str, Path] = field(default_factory=dict)
    """More folders and files of this machine, by where they are seen."""
    user: int | None = None
    """Who starts it; None: the image's own."""
    capabilities: Sequence[str] = ()
    """What it may nevertheless, such as `CAP_SETUID`."""
    name: str = field(default_factory=lambda: f"monitord-{uuid.uuid4().hex[:8]}")

    def __enter__(self) -> Self:
        bundle = self.folder / self.name
        bundle.mkdir(parents=True)
        (bundle / "config.json").write_text(json.dumps(self._specification()))
        with (self.folder / f"{self.name}.log").open("wb") as log:
            command = self._crun("run", "--bundle", bundle, self.name)
            self._process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self.kill("KILL")
            self._process.wait(PATIENCE_S)
        subprocess.run(self._crun("delete", "--force", self.name), check=False, capture_output=True)

    @property
    def words(self) -> str:
        """All that it wrote so far: what `docker logs` shows."""
        return (self.folder / f"{self.name}.log").read_text(errors="replace")

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Waits until the condition holds; fails, with its words, where it ends before."""
        wait_beside(self._process, condition, what, lambda: self.words)

    def says(self, words: str) -> None:
        """Waits until it has written the words."""
        self.wait_for(lambda: words in self.words, words)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in it to its end, as `docker exec` does."""
        process = {**self._process_of(command), "terminal": False}
        path = self.folder / f"{self.name}.exec.json"
        path.write_text(json.dumps(process))
        full = self._crun("exec", "--process", path, self.name)
        return subprocess.run(full, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)

    def healthy(self) -> bool:
        """Whether the image's health check says so."""
        kind, *test = self.image.config["Healthcheck"]["Test"]
        return self.run(*(["/bin/sh", "-c", *test] if kind == "CMD-SHELL" else test)).returncode == 0

    def kill(self, name: str) -> None:
        """Sends a signal to the first process, as `docker kill` does."""
        subprocess.run(self._crun("kill", self.name, name), check=True, capture_output=True)

    def stop(self) -> int:
        """Asks it to leave, as `docker stop` does; returns its exit status."""
        self.kill("TERM")
        return self.ends()

    def ends(self) -> int:
        """Waits for its end; returns its exit status."""
        return self._process.wait(PATIENCE_S)

    def _crun(self, *arguments: str | Path) -> list[str]:
        return self.network.inside("crun", "--cgroup-manager=disabled", *arguments)

    def _specification(self) -> dict[str, Any]:
        """What umoci made of the image, with what the compose file says. Any: values of JSON."""
        service = compose()
        specification: dict[str, Any] = json.loads((self.image.folder / "config.json").read_text())
        specification["process"] = self._process_of([*self.image.config["Entrypoint"], *self.arguments])
        specification["root"] = {"path": str(self.image.folder / "rootfs"), "readonly": service["read_only"]}
        # cgroups are off here, /data is a folder of the test.
        elsewhere = {"/sys/fs/cgroup", "/data"}
        mounts = [mount for mount in specification["mounts"] if mount["destination"] not in elsewhere]
        mounts += [{"destination": path, "type": "tmpfs", "source": "tmpfs"} for path in service["tmpfs"]]
        for seen_at, path in {"/data": self.data, **self.mounts}.items():
            options = ["rbind", "rw"]
            mounts.append({"destination": seen_at, "type": "bind", "source": str(path), "options": options})
        specification["mounts"] = mounts
        kinds = ("pid", "ipc", "uts", "mount")
        namespaces = [{"type": kind} for kind in kinds] + [{"type": "network", "path": self.network.path}]
        specification["linux"] = {
            "namespaces": namespaces,
            "maskedPaths": specification["linux"].get("maskedPaths", []),
        }
        specification["hostname"] = "monitord"
        return specification

    def _process_of(self, command: Sequence[str]) -> dict[str, Any]:
        unpacked = json.loads((self.image.folder / "config.json").read_text())["process"]
        service = compose()
        assert service["cap_drop"] == ["ALL"]
        return {
            "args": list(command),
            "env": [*unpacked["env"], *(f"{name}={value}" for name, value in self.environment.items())],
            "cwd": unpacked["cwd"],
            "user": unpacked["user"] if self.user is None else {"uid": self.user, "gid": self.user},
            "capabilities": {kind: [*self.capabilities] for kind in ("bounding", "effective", "permitted")},
            "noNewPrivileges": "no-new-privileges:true" in service["security_opt"],
        }


def _enter(network: int) -> None:
    """Takes this thread into a network: setns(2), which Python has from 3.12 on."""
    if ctypes.CDLL(None, use_errno=True).setns(network, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


def compose() -> dict[str, Any]:
    """The one service of deploy/container/compose.yaml. Any: values of YAML."""
    services = yaml.safe_load((ROOT / "deploy/container/compose.yaml").read_text())["services"]
    (service,) = services.values()
    return dict(service)


@contextmanager
def data_folder(folder: Path) -> Iterator[Path]:
    """A folder for /data, as README.md there has it made, on a disk that containers may use."""
    data = folder / "data"
    data.mkdir(mode=0o755)
    os.chown(data, USER, USER)
    try:
        yield data
    finally:
        shutil.rmtree(data)
