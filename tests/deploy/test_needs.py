"""What a machine must be: refused in one sentence before anything on it is changed.

The scripts are the real ones; `uname` and `dpkg` are programs on PATH that answer as another machine's would.
"""

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.scripts import run_script

ARM_32 = "32-bit ARM"
ALONE = "runs on x86-64 and 64-bit ARM alone"


def fakes(checkout: Path, machine: str, packages: str | None) -> str:
    """Returns a PATH on which these programs come first; no `packages`: a system without dpkg."""
    folder = checkout / "fakes"
    folder.mkdir()
    dpkg = "exit 127" if packages is None else f'[ "$1" = --print-architecture ] && echo {packages}'
    # Everything that would change the machine says so instead.
    changes = {name: f'echo "CHANGED by {name}" >&2; exit 1' for name in ("apt-get", "sudo", "gcc", "mkdir", "pip")}
    for name, does in {"uname": f"echo {machine}", "dpkg": dpkg, **changes}.items():
        (folder / name).write_text(f"#!/bin/sh\n{does}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(
    ("machine", "packages", "words"),
    [
        ("armv7l", "armhf", f"{ARM_32} (armhf)"),
        ("armv6l", "armhf", f"{ARM_32} (armhf)"),
        # A Raspberry Pi 4 whose 64-bit kernel carries the 32-bit system.
        ("aarch64", "armhf", f"{ARM_32} (armhf)"),
        ("armv7l", None, f"{ARM_32} (armv7l)"),
        ("x86_64", "i386", f"{ALONE} (amd64, arm64), and this system is i386"),
        ("riscv64", "riscv64", f"{ALONE} (amd64, arm64), and this system is riscv64"),
    ],
)
@pytest.mark.parametrize("script", ["run", "install"])
def test_another_architecture_is_refused(
    checkout: Path, script: str, machine: str, packages: str | None, words: str
) -> None:
    """One sentence, and nothing was installed, compiled or made."""
    command = [str(checkout / "deploy" / script)]
    done = run_script(command, PATH=fakes(checkout, machine, packages))
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"{script}: ")
    assert words in line
    assert not (checkout / ".venv").exists()


@pytest.mark.parametrize(
    ("machine", "packages"), [("x86_64", "amd64"), ("aarch64", "arm64"), ("aarch64", None), ("x86_64", None)]
)
def test_a_supported_architecture_is_taken(checkout: Path, machine: str, packages: str | None) -> None:
    """Debian's word for it, or the kernel's where there is no Debian."""
    code = f'. "{checkout}/deploy/install-lib.sh"; . "$root/deploy/needs-lib.sh"; require_architecture; echo taken'
    done = run_script(["bash", "-euo", "pipefail", "-c", code], PATH=fakes(checkout, machine, packages))
    assert (done.returncode, done.stdout, done.stderr) == (0, "taken\n", "")


def test_the_help_is_for_every_machine(checkout: Path) -> None:
    """Whoever looks before buying may."""
    path = fakes(checkout, "armv7l", "armhf")
    done = subprocess.run(
        [checkout / "deploy" / "install", "--help"],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("usage: sudo deploy/install")


def test_a_service_says_what_it_will_take(checkout: Path) -> None:
    """Packages, disk and memory, before the first of them; a disk that is too small ends it."""
    path = fakes(checkout, "aarch64", "arm64")
    (checkout / "fakes" / "df").write_text("#!/bin/sh\necho Filesystem\necho / 900 880 20 98% /\n")
    (checkout / "fakes" / "df").chmod(0o755)
    code = f"""
    . "{checkout}/deploy/install-lib.sh"; . "$root/deploy/needs-lib.sh"
    also=(mosquitto libsystemd-dev); announce "$root/not/there" "$root/deploy/requirements-service.lock" """
    done = run_script(["bash", "-euo", "pipefail", "-c", code], PATH=path)
    assert done.returncode == 1
    for words in ("mosquitto libsystemd-dev", "is switched off (masked)", "MB of disk", "MB of memory"):
        assert words in done.stderr
    # What counts is the disk on which it would lie.
    assert f"only 20 MB of disk are free in {checkout}" in done.stderr.splitlines()[-1]
    assert "CHANGED" not in done.stderr
