"""What a process has cost so far, as Linux counts it."""

import os
from pathlib import Path

TICKS_HZ = os.sysconf("SC_CLK_TCK")
"""Unit of the times in /proc/PID/stat (hertz), proc(5)."""


def cpu_s(pid: int) -> float:
    """CPU time of all its threads, user and system (seconds)."""
    after_name = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    user, system = after_name[11:13]  # fields 14 and 15 of proc(5); the first after the name is the third
    return (int(user) + int(system)) / TICKS_HZ


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


def machine() -> dict[str, object]:
    """On what the figures were taken, and what else ran there."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown",
    )
    return {"cpu": model, "cores": os.cpu_count(), "load_before": round(os.getloadavg()[0], 2)}
