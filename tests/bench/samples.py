"""What a long-lived process holds, looked at again and again, and how fast it grows."""

import time
from pathlib import Path

import numpy as np
import process

WARM = 0.1
"""Share of the time that does not count: caches fill, libraries load."""


class Samples:
    """Memory, file descriptors and threads of one process."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.began = time.monotonic()
        """Monotonic seconds."""
        self._cpu_s = process.cpu_s(pid)
        self._used_s = 0.0  # CPU time since then
        self._at: list[float] = []  # seconds
        self._rows: list[tuple[float, int, int]] = []

    def take(self) -> None:
        """Looks once."""
        proc = Path(f"/proc/{self._pid}")
        pss_mb = process.memory_mb(self._pid)["Pss"]
        self._rows.append((pss_mb, len(list((proc / "fd").iterdir())), len(list((proc / "task").iterdir()))))
        self._used_s = process.cpu_s(self._pid) - self._cpu_s
        self._at.append(time.monotonic() - self.began)

    def report(self) -> str:
        """A line for each: first, last, most, and the slope of a straight line through all after the warm-up."""
        warm = int(len(self._at) * WARM)
        at_h, rows = np.array(self._at[warm:]) / 3600.0, np.array(self._rows[warm:], np.float64)
        cpu = 100.0 * self._used_s / self._at[-1]
        lines = [f"{len(rows)} samples over {60 * (at_h[-1] - at_h[0]):.1f} minutes, CPU {cpu:.1f} % of a core"]
        for name, unit, values in zip(("memory (Pss)", "descriptors", "threads"), ("MB", "", ""), rows.T, strict=True):
            slope = np.polyfit(at_h, values, 1)[0] if len(at_h) > 1 else float("nan")
            lines.append(
                f"{name}: first {values[0]:.1f}, last {values[-1]:.1f}, most {values.max():.1f} {unit};"
                f" slope {slope:+.2f} {unit} an hour"
            )
        return "\n".join(lines)
