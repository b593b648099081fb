"""What a long-lived process holds, looked at again and again, and how fast it grows."""

import time
from pathlib import Path

import numpy as np

from tests.bench import process
from tests.bench.process import children, memory_mb

WARM = 0.1
"""Share of the time that does not count: caches fill, libraries load."""

_NAMES = ("memory (Pss)", "memory of its own (Anonymous)", "descriptors", "threads", "children", "memory of those")
_UNITS = ("MB", "MB", "", "", "", "MB")
"""Pss counts shared pages in part, so it grows when another Python program ends; a leak shows in the second."""


class Samples:
    """Memory, file descriptors and threads of one process, and the processes that it started."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.began = time.monotonic()
        """Monotonic seconds."""
        self._cpu_s = process.cpu_s(pid)
        self._used_s = 0.0  # CPU time since then
        self._at: list[float] = []  # seconds
        self._rows: list[tuple[float, ...]] = []

    def take(self) -> None:
        """Looks once."""
        proc = Path(f"/proc/{self._pid}")
        started = children(self._pid)
        self._rows.append(
            (
                memory_mb(self._pid),
                memory_mb(self._pid, "Anonymous"),
                len(list((proc / "fd").iterdir())),
                len(list((proc / "task").iterdir())),
                len(started),
                sum(map(memory_mb, started)),
            )
        )
        self._used_s = process.cpu_s(self._pid) - self._cpu_s
        self._at.append(time.monotonic() - self.began)

    def write(self, path: Path) -> None:
        """Writes all of it as CSV, with the time in seconds, to see when something grew."""
        rows = [(at_s, *row) for at_s, row in zip(self._at, self._rows, strict=True)]
        np.savetxt(path, rows, "%.2f", ",", header=", ".join(("seconds", *_NAMES)))

    def report(self) -> str:
        """A line for each: first, last, most, and the slope of a straight line through all after the warm-up."""
        warm = int(len(self._at) * WARM)
        at_h, rows = np.array(self._at[warm:]) / 3600.0, np.array(self._rows[warm:], np.float64)
        cpu = 100.0 * self._used_s / self._at[-1]
        lines = [f"{len(rows)} samples over {60 * (at_h[-1] - at_h[0]):.1f} minutes, CPU {cpu:.1f} % of a core"]
        for name, unit, values in zip(_NAMES, _UNITS, rows.T, strict=True):
            slope = np.polyfit(at_h, values, 1)[0] if len(at_h) > 1 else float("nan")
            lines.append(
                f"{name}: first {values[0]:.1f}, last {values[-1]:.1f}, most {values.max():.1f} {unit};"
                f" slope {slope:+.2f} {unit} an hour"
            )
        return "\n".join(lines)
