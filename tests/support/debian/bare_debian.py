"""A bare Debian that boots: its own root, systemd, network and user, thrown away with what was installed in it.

It needs root, mmdebstrap, overlay file systems, control groups of version 2 and slirp4netns, by which it reaches
mirrors as a machine behind a router does; nothing on this machine reaches in, and its loopback is its own.
"""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Final, Self

from tests.support.cgroups import new_cgroups, removed
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import until

RELEASE: Final = "trixie"
"""Debian 13, the newest that the documents name."""
PACKAGES: Final = ("ca-certificates", "dbus", "iproute2", "sudo", "systemd-sysv")
"""What a machine has that Debian's installer made and a minimal root has not."""
HOME: Final = "/home/parent"
CHECKOUT: Final = f"{HOME}/monitord"
ROUTER: Final = "10.0.2.3"
"""Where slirp4netns answers questions for names."""

_START: Final = """\
set -e
for cgroup in $CGROUPS; do mkdir -p $cgroup; echo $$ >$cgroup/cgroup.procs; done
exec unshare --mount --propagation private --cgroup --pid --net --fork --kill-child --uts --ipc bash -c '
    set -e
    umount -l -R /sys/fs/cgroup
    root=$LAB/root
    mount -t overlay overlay -o lowerdir=$BASE,upperdir=$LAB/upper,workdir=$LAB/work $root
    mount -t proc proc $root/proc
    mount --bind $root/proc/sys $root/proc/sys
    mount -o remount,bind,ro $root/proc/sys # the kernel is the machine'"'"'s
    mount -t sysfs -o ro sysfs $root/sys
    mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
    mount -t tmpfs -o mode=755 tmpfs $root/run
    mount -t tmpfs -o mode=755 tmpfs $root/dev
    mkdir $root/dev/pts $root/dev/shm
    mount -t devpts -o newinstance,ptmxmode=666 devpts $root/dev/pts
    mount -t tmpfs tmpfs $root/dev/shm
    ln -s pts/ptmx $root/dev/ptmx
    ln -s /proc/self/fd $root/dev/fd
    for device in null zero full random urandom tty; do
        touch $root/dev/$device
        mount --bind /dev/$device $root/dev/$device
    done
    echo nursery >$root/etc/hostname
    cd $root
    mkdir -p old
    pivot_root . old
    umount -l /old
    mount --make-rshared /
    exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --show-status=no
'
"""


def mirror() -> list[str]:
    """Returns where this machine gets Debian's packages; nothing on another system, for mmdebstrap has a default."""
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages", "Origin: Debian"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    return [one for one in listed if one.rstrip("/").endswith("/debian")][:1]


def bare_root(folder: Path, release: str = RELEASE) -> Path:
    """Returns a root with a bare Debian in this folder, which keeps it; made where there is none."""
    root, unfinished = folder / release, folder / f"{release}.unfinished"
    made_of = folder / f"{release}.packages"
    if not root.exists() or made_of.read_text() != str(PACKAGES):
        for old in (root, unfinished):
            shutil.rmtree(old, ignore_errors=True)
        subprocess.run(
            [
                "mmdebstrap",
                "--quiet",
                "--variant=minbase",
                f"--include={','.join(PACKAGES)}",
                release,
                unfinished,
                *mirror(),
            ],
            check=True,
        )
        _trust_what_this_machine_trusts(unfinished)
        made_of.write_text(str(PACKAGES))
        unfinished.rename(root)
    return root


def _trust_what_this_machine_trusts(root: Path) -> None:
    """An administrator's own authorities, as of a proxy that all of the house passes."""
    for certificate in Path("/usr/local/share/ca-certificates").glob("*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates")
    subprocess.run(["chroot", root, "update-ca-certificates"], check=True, capture_output=True)
    # uv brings authorities of its own, and looks at the system's where it is told to.
    with (root / "etc/environment").open("a") as environment:
        environment.write("UV_SYSTEM_CERTS=true\n")


class BareDebian:
    """A with-block boots it and ends it.

    Args:
        folder: Where what is written in it lies, on a disk.
        base: From `bare_root`.
    """

    def __init__(self, folder: Path, base: Path) -> None:
        self.folder, self._base = folder, base
        self._cgroups = new_cgroups(f"monitord-bare-{os.getpid()}")
        self._network: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for part in ("root", "upper", "work"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        environment = {
            "PATH": os.environ["PATH"],
            "LAB": str(self.folder),
            "BASE": str(self._base),
            "CGROUPS": " ".join(map(str, self._cgroups)),
        }
        with (self.folder / "log").open("wb") as log:
            self._unshare = subprocess.Popen(
                ["bash", "-c", _START], env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            until(self._is_up)
            self._connect()
            self._move_in()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._network is not None:
            self._network.kill()
            self._network.wait()
        self._unshare.kill()
        self._unshare.wait()
        for cgroup in self._cgroups:
            until(lambda cgroup=cgroup: removed(cgroup))  # type: ignore[misc]

    def types(self, line: str) -> subprocess.CompletedProcess[str]:
        """A parent types a line in the checkout, and says yes to what it asks; returns what came of it."""
        return self._run(*self._login(line), answer="y\n")

    def starts(self, line: str, said: Path) -> subprocess.Popen[bytes]:
        """A parent types a line that stays; what it says goes into a file of this machine."""
        with said.open("wb") as out:
            return subprocess.Popen(
                self._inside(*self._login(f"exec {line}")), stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                process_group=0,
            )  # fmt: skip

    def file(self, path: str) -> Path:
        """Returns one of its files, as seen from outside."""
        return Path(f"/proc/{self._init}/root{path}")

    def _login(self, line: str) -> tuple[str, ...]:
        return ("su", "--login", "parent", "--command", f"cd {CHECKOUT} && {line}")

    def _run(self, *command: str, answer: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(self._inside(*command), input=answer, capture_output=True, text=True, check=False)

    def _inside(self, *command: str) -> list[str]:
        spaces = ("--mount", "--pid", "--cgroup", "--uts", "--ipc", "--net")
        clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8")
        return ["nsenter", "--target", self._init, *spaces, "--root", "--wdns=/", *clean, *command]

    def _is_up(self) -> bool:
        assert self._unshare.poll() is None, (self.folder / "log").read_text()
        children = subprocess.run(
            ["pgrep", "--parent", str(self._unshare.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        if not children:
            return False
        self._init = children[0]
        return self._run("systemctl", "is-system-running").stdout.strip() in {"running", "degraded"}

    def _connect(self) -> None:
        with (self.folder / "network.log").open("wb") as log:
            self._network = subprocess.Popen(
                ["slirp4netns", "--configure", "--disable-host-loopback", self._init, "tap0"], stdout=log, stderr=log
            )
        until(lambda: " tap0 " in self._run("ip", "route").stdout.replace("\n", " "))
        self.file("/etc/resolv.conf").unlink(missing_ok=True)
        self.file("/etc/resolv.conf").write_text(f"nameserver {ROUTER}\n")
        self.file("/etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 nursery\n")

    def _move_in(self) -> None:
        """A user who may use sudo, with a checkout that was just fetched."""
        done = self._run("useradd", "--create-home", "--shell", "/bin/bash", "parent")
        assert done.returncode == 0, done.stderr
        self.file("/etc/sudoers.d/parent").write_text("parent ALL=(ALL) NOPASSWD: ALL\n")
        files = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True,
            check=True,
        ).stdout
        there = b"\0".join(name for name in files.split(b"\0") if name and (ROOT / os.fsdecode(name)).exists())
        self.file(CHECKOUT).mkdir()
        packed = self.folder / "checkout.tar"
        subprocess.run(["tar", "-C", ROOT, "--null", "--files-from=-", "-cf", packed], input=there, check=True)
        subprocess.run(["tar", "-C", self.file(CHECKOUT), "-xf", packed], check=True)
        self._run("chown", "-R", "parent:", CHECKOUT)
