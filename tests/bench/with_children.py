"""What a process and its children have cost together: the daemon decodes recordings and streams in such processes."""

import contextlib
from pathlib import Path

from tests.bench import process


def children(pid: int) -> list[int]:
    """Process ids of those that any of its threads started, and that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, (task / "children").read_text(encoding="utf-8").split())
    return found


def cpu_s(pid: int) -> float:
    """CPU time of the process, of its living children, and of those that have ended (seconds)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    ended_s = sum(map(int, after_name[13:15])) / process.TICKS_HZ  # cutime and cstime, fields 16 and 17 of proc(5)
    total_s = process.cpu_s(pid) + ended_s
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            total_s += process.cpu_s(child)
    return total_s


def pss_mb(pid: int) -> float:
    """Resident memory of the process and its living children, shared pages counted in part (MB of 10^6 bytes)."""
    return sum(map(process.memory_mb, (pid, *children(pid))))
