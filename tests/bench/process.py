"""What a process has cost so far, alone and with those that it started, as Linux counts it.

The daemon decodes recordings and streams in such processes.
"""

import contextlib
import os
from pathlib import Path

TICKS_HZ = os.sysconf("SC_CLK_TCK")
"""Unit of the times in /proc/PID/stat (hertz), proc(5)."""


def cpu_s(pid: int) -> float:
    """CPU time of all its threads, user and system (seconds)."""
    return _times_s(pid)[0]


def cpu_with_children_s(pid: int) -> float:
    """CPU time of the process, of its living children, and of those that have ended (seconds)."""
    total_s = sum(_times_s(pid))
    for child in children(pid):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            total_s += cpu_s(child)
    return total_s


def memory_mb(pid: int, kind: str = "Pss") -> float:
    """Resident memory (MB of 10^6 bytes), by default with shared pages counted in part; 0 where it has ended.

    Args:
        pid: The process.
        kind: A line of smaps_rollup, proc(5).
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith(f"{kind}:")), 0.0)


def memory_with_children_mb(pid: int) -> float:
    """The same of the process and its living children together."""
    return sum(map(memory_mb, (pid, *children(pid))))


def children(pid: int) -> list[int]:
    """Process ids of those that any of its threads started, and that live."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # the thread has ended
            found += map(int, (task / "children").read_text(encoding="utf-8").split())
    return found


def machine() -> dict[str, object]:
    """On what the figures were taken, and what else ran there."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return {"cpu": next(models, "unknown"), "cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2)}


def _times_s(pid: int) -> tuple[float, float]:
    """CPU time of the process, and of its children that have ended (seconds)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    own, ended = after_name[11:13], after_name[13:15]  # fields 14 to 17 of proc(5); the first after the name is the 3rd
    return sum(map(int, own)) / TICKS_HZ, sum(map(int, ended)) / TICKS_HZ
