"""A Debian for 64-bit ARM in a folder, with the locked libraries of a Raspberry Pi, and its processor emulated by QEMU.

It needs mmdebstrap, qemu-user-static and a kernel in which a user namespace may have formats of executables of its own
(Linux 6.7): so nothing is registered on this machine.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.debian.bare_debian import RELEASE, mirror
from tests.support.paths import ROOT

LOCK: Final = ROOT / "deploy" / "requirements.lock"
PYTHON: Final = "3.13"
"""Of that release."""
PACKAGES: Final = ("base-files", f"python{PYTHON}", "python3", "libstdc++6")
PROCESSOR: Final = "cortex-a72"
"""That of a Raspberry Pi 4. QEMU's default has vector instructions that no Pi has (SVE), with which 7.2 computes
another answer: cries of which none is heard."""
WITHOUT_WHEEL: Final = ("pyaudio",)
"""Compiled where it is installed, as the documents say; what opens a microphone is not needed to hear a recording."""
GLIBC: Final = ("manylinux2014", *(f"manylinux_2_{minor}" for minor in (17, 24, 26, 27, 28, 31, 34, 35, 36, 39, 41)))
"""What a wheel may ask of the C library; trixie's is 2.41."""

_CPUINFO: Final = """\
processor\t: 0
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: 0xd08
CPU revision\t: 3
"""
"""As a Raspberry Pi 4 has it. QEMU before 10 shows that of the machine below, and the network's runtime gives up."""

_MAGIC: Final = r":aarch64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
_MASK: Final = r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff"
_EMULATOR: Final = "/usr/bin/qemu-aarch64-static"

_RUN: Final = f"""\
set -e
root=$1
shift
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
echo '{_MAGIC}{_MASK}:{_EMULATOR}:F' >/proc/sys/fs/binfmt_misc/register
mount -t proc proc "$root/proc"
mount --bind "$root/cpuinfo" "$root/proc/cpuinfo"
for device in null urandom; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir -p "$root/srv"
mount --rbind "$CHECKOUT" "$root/srv"
exec env -i PATH=/usr/sbin:/usr/bin LC_ALL=C.UTF-8 QEMU_CPU={PROCESSOR} PYTHONPATH=/srv:/opt/libraries \\
    PYTHONDONTWRITEBYTECODE=1 chroot "$root" "$@"
"""


def arm_root(folder: Path) -> Path:
    """Returns a root with Debian's Python and the locked wheels for it in this folder, which keeps it."""
    root, unfinished = folder / f"{RELEASE}-arm64", folder / f"{RELEASE}-arm64.unfinished"
    if root.exists() and (root / "lock").read_bytes() == LOCK.read_bytes():
        return root
    for old in (root, unfinished):
        shutil.rmtree(old, ignore_errors=True)
    subprocess.run(
        ["mmdebstrap", "--quiet", "--variant=extract", "--architectures=arm64", f"--include={','.join(PACKAGES)}",
         RELEASE, unfinished, *mirror()], check=True,
    )  # fmt: skip
    locked = LOCK.read_text()
    for name in WITHOUT_WHEEL:
        locked, left_out = re.subn(rf"^{name}==.*?[^\\]\n", "", locked, flags=re.MULTILINE | re.DOTALL)
        assert left_out == 1, name
    (unfinished / "wheels.lock").write_text(locked)
    platforms = [word for glibc in GLIBC for word in ("--platform", f"{glibc}_aarch64")]
    abis = ("--abi", f"cp{PYTHON.replace('.', '')}", "--abi", "abi3", "--abi", "none")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--target", unfinished / "opt/libraries", *platforms, *abis,
         "--implementation", "cp", "--python-version", PYTHON, "--only-binary=:all:", "--require-hashes", "--no-deps",
         "--requirement", unfinished / "wheels.lock"], check=True, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    # What the runtime asks of the system about processors.
    (unfinished / "cpuinfo").write_text(_CPUINFO)
    processors = unfinished / "sys/devices/system/cpu"
    processors.mkdir(parents=True)
    for name in ("possible", "present"):
        (processors / name).write_text("0\n")
    shutil.copy(LOCK, unfinished / "lock")
    unfinished.rename(root)
    return root


def run_on_arm(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs that root's Python on the checkout, which lies in /srv there."""
    spaces = ("--user", "--map-root-user", "--mount", "--pid", "--fork", "--kill-child")
    return subprocess.run(
        ["unshare", *spaces, "bash", "-c", _RUN, "bash", root, f"/usr/bin/python{PYTHON}", *arguments],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CHECKOUT": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
