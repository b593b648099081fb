"""`tests/bench/load`: adds crying rooms until the daemon cannot keep up, and says what it does then."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho

from monitord.types import RATE_HZ, Pcm
from tests.bench import process, sound_files
from tests.support.daemon.daemon import Daemon, configure
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import write_wav

ROOMS = (4, 8, 16, 32, 48, 64, 96, 128, 192, 256)
LOOP_S = 60.0
"""Length of the crying before it repeats (seconds)."""
PHASE_S = 1.37
"""By which each room is ahead of the one before it (seconds)."""
GROWS_S = 1.0
"""Growth of a segment's age from the first half to the second, past which the daemon cannot keep up (seconds)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One load."""

    rooms: int
    cpu: float
    """Of one core (percent)."""
    segments_per_s: float
    first_s: float
    """Median time from the end of a segment's sound until it is there, in the first half (seconds)."""
    then_s: float
    """The same in the second half."""
    lag_ms: float
    """Most in a heartbeat."""
    lost_s: float
    """Sound that was lost in all rooms together (seconds)."""
    faults: str
    """What the rooms said was wrong."""

    def __str__(self) -> str:
        """As a row of the table."""
        return (
            f"| {self.rooms:5} | {self.cpu:5.0f} | {self.segments_per_s:10.1f} | {self.first_s:7.2f} |"
            f" {self.then_s:6.2f} | {self.lag_ms:6.0f} | {self.lost_s:6.1f} | {self.faults}"
        )


class _Broker(Mosquitto):
    """One that saves its state now and then, as Debian's does: saving at each change would be the limit."""

    def _configure(self) -> None:
        super()._configure()
        lines = [line for line in self._conf.read_text().splitlines() if not line.startswith(("autosave", "log_type"))]
        self._conf.write_text("\n".join([*lines, "log_type error", ""]))


class _SlowDaemon(Daemon):
    """The daemon of `slow_daemon.py`."""

    def __init__(self, folder: Path, config: Path, window_ms: float) -> None:
        super().__init__(folder)
        self._command = [sys.executable, "-m", "tests.bench.slow_daemon", str(config), str(window_ms)]


class _Clock(Subscriber):
    """A subscriber that knows when each segment came."""

    def __init__(self, broker: Mosquitto) -> None:
        super().__init__(broker, topic="monitord/#")
        self.late_s: list[tuple[float, float]] = []  # (monotonic seconds, seconds after the end of its sound)

    def _on_message(self, client: paho.Client, data: Any, message: paho.MQTTMessage) -> None:
        super()._on_message(client, data, message)
        if message.topic.endswith("/segment"):
            values = json.loads(message.payload)
            end = datetime.fromisoformat(values["ts"]).timestamp() + values["duration_s"]
            self.late_s.append((time.monotonic(), time.time() - end))


def main() -> int:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser(prog="tests/bench/load", description=__doc__)
    parser.add_argument("rooms", type=int, nargs="*", default=ROOMS, help="loads to try (%(default)s)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each (%(default)s)")
    parser.add_argument("--window-ms", type=float, default=0.0, help="that a slower network takes more for a window")
    arguments = parser.parse_args()
    sys.stdout.write("| rooms | CPU % | segments/s | first s | then s | lag ms | lost s | faults\n")
    folder = Path(tempfile.mkdtemp(prefix="monitord-load-"))
    crying = sound_files.crying(LOOP_S)
    for rooms in arguments.rooms:
        row = _load(folder / str(rooms), crying, rooms, arguments.seconds, arguments.window_ms)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
        if row.then_s > row.first_s + GROWS_S or row.lost_s:
            return 0
    return 0


def _load(folder: Path, crying: Pcm, rooms: int, seconds: float, window_ms: float) -> Row:
    folder.mkdir()
    names = [f"room{number + 1}" for number in range(rooms)]
    for number, name in enumerate(names):
        write_wav(folder / f"{name}.wav", np.roll(crying, -round(number * PHASE_S * RATE_HZ)))
    sources = {name: {"file": str(folder / f"{name}.wav"), "loop": True} for name in names}
    with _Broker(folder / "broker") as broker, _Clock(broker) as subscriber:
        with _SlowDaemon(folder, configure(folder, broker, sources), window_ms) as daemon:
            daemon.wait_for(lambda: bool(daemon.segments()), "the first segment")
            began, cpu_s = time.monotonic(), process.cpu_s(daemon.pid)
            time.sleep(seconds)
            took_s = time.monotonic() - began
            cpu = 100.0 * (process.cpu_s(daemon.pid) - cpu_s) / took_s
            late = list(subscriber.late_s)
            daemon.stop()
        halves = [[late_s for at, late_s in late if (at - began > took_s / 2) is second] for second in (False, True)]
        healths = [json.loads(heard.payload) for heard in subscriber.heard if heard.topic.endswith("/health")]
        lags = [json.loads(heard.payload)["lag_ms"] for heard in subscriber.heard if heard.topic.endswith("/heartbeat")]
        lost = {
            name: json.loads(subscriber.last(f"monitord/home/{name}/health") or "{}").get("lost", 0) for name in names
        }
    faults = sorted({health["fault"] for health in healths} - {"ok"})
    first_s, then_s = (float(np.median(half)) if half else float("nan") for half in halves)
    lost_s = sum(lost.values()) / RATE_HZ
    return Row(rooms, cpu, len(late) / took_s, first_s, then_s, max(lags, default=0), lost_s, ", ".join(faults))


if __name__ == "__main__":
    sys.exit(main())
