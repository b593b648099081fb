"""`tests/bench/load`: adds crying rooms until the daemon cannot keep up, and says what it does then."""

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from monitord.types import RATE_HZ, Pcm
from tests.bench import process, sounds
from tests.bench.altered_daemon import AlteredDaemon
from tests.support.daemon.daemon import configure, looped
from tests.support.servers.mosquitto import Heard, Mosquitto, Subscriber
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


def main() -> int:
    """Prints the table, row by row."""
    parser = argparse.ArgumentParser(prog="tests/bench/load", description=__doc__)
    parser.add_argument("rooms", type=int, nargs="*", default=ROOMS, help="loads to try (%(default)s)")
    parser.add_argument("--seconds", type=float, default=45.0, help="of each (%(default)s)")
    parser.add_argument("--window-ms", type=float, default=0.0, help="that a slower network takes more for a window")
    arguments = parser.parse_args()
    sys.stdout.write("| rooms | CPU % | segments/s | first s | then s | lag ms | lost s | faults\n")
    folder = Path(tempfile.mkdtemp(prefix="monitord-load-"))
    crying = sounds.crying(LOOP_S)
    for rooms in arguments.rooms:
        row = _load(folder / str(rooms), crying, rooms, arguments.seconds, arguments.window_ms)
        sys.stdout.write(f"{row}\n")
        sys.stdout.flush()
        if row.then_s > row.first_s + GROWS_S or row.lost_s:
            return 0
    return 0


def _load(folder: Path, crying: Pcm, rooms: int, seconds: float, window_ms: float) -> Row:
    folder.mkdir()
    sources = {
        f"room{number + 1}": looped(
            write_wav(folder / f"{number + 1}.wav", np.roll(crying, -round(number * PHASE_S * RATE_HZ)))
        )
        for number in range(rooms)
    }
    with _Broker(folder / "broker") as broker, Subscriber(broker, topic="monitord/#") as subscriber:
        with AlteredDaemon(folder, configure(folder, broker, sources), "slow", str(window_ms)) as daemon:
            daemon.wait_for(lambda: bool(daemon.segments()), "the first segment")
            began, cpu_s = time.monotonic(), process.cpu_s(daemon.pid)
            time.sleep(seconds)
            took_s = time.monotonic() - began
            cpu = 100.0 * (process.cpu_s(daemon.pid) - cpu_s) / took_s
            segments = [heard for heard in list(subscriber.heard) if heard.topic.endswith("/segment")]
            daemon.stop()
        late = [(heard.at_s, heard.at - _end(heard)) for heard in segments]
        halves = [[late_s for at, late_s in late if (at - began > took_s / 2) is second] for second in (False, True)]
        healths = [json.loads(heard.payload) for heard in subscriber.heard if heard.topic.endswith("/health")]
        lags = [json.loads(heard.payload)["lag_ms"] for heard in subscriber.heard if heard.topic.endswith("/heartbeat")]
        lost = {name: subscriber.latest(f"monitord/home/{name}/health").get("lost", 0) for name in sources}
    faults = sorted({health["fault"] for health in healths} - {"ok"})
    first_s, then_s = (float(np.median(half)) if half else float("nan") for half in halves)
    lost_s = sum(lost.values()) / RATE_HZ
    return Row(rooms, cpu, len(late) / took_s, first_s, then_s, max(lags, default=0), lost_s, ", ".join(faults))


def _end(segment: Heard) -> float:
    """When its sound ended (Unix seconds)."""
    values = json.loads(segment.payload)
    return float(datetime.fromisoformat(values["ts"]).timestamp() + values["duration_s"])


if __name__ == "__main__":
    sys.exit(main())
