"""Control groups of version 2, in which a system of its own runs beside this machine's."""

from pathlib import Path


def cgroup2() -> Path | None:
    """Where they are mounted; None: nowhere."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return next((Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"), None)


def new_cgroups(name: str) -> list[Path]:
    """Where a new one stands, in each hierarchy; a hybrid system has two."""
    unified, old = cgroup2(), Path("/sys/fs/cgroup/systemd")
    assert unified is not None
    return [parent / name for parent in (unified, *([old] if old.is_dir() and old != unified else []))]


def removed(cgroup: Path) -> bool:
    """Removes it, innermost first; False while the kernel still ends the processes in it."""
    try:
        for folder in sorted((path for path in cgroup.rglob("*") if path.is_dir()), reverse=True):
            folder.rmdir()
        cgroup.rmdir()
    except OSError:
        return False
    return True
