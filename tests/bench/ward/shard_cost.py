"""What one shard costs: measured of real ones, and what was measured for the documentation."""

import statistics
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench import process
from tests.bench.ward.simulation import Costs
from tests.support.daemon.daemon import crying_room, looped, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.ward.shards import ShardProcess, ward_file

SETTLE_S: Final = 15.0
"""Before anything is counted (seconds): the floor of a quiet room is found by then."""
COUNT_S: Final = 30.0
"""For how long it is counted (seconds)."""
STARTS: Final = 5
"""Starts of which the CPU is counted, of a shard of one room and of one of many."""
LOOK_S: Final = 0.05
"""Between two looks at whether all rooms are heard (seconds)."""
GIVEN_UP_S: Final = (5.5, 6.0)
"""Until Ray gives a lost machine up (seconds): the next health check is due within 0.5 s, and four of 1 s each fail,
0.5 s apart (`deploy/ward.env`)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """Of real shards, a third of their rooms with a cry that never ends."""

    rooms: int
    cores: float
    """That all processes of the one of many rooms take."""
    shard_mb: float
    """Pss of the shard's own process."""
    decoder_mb: float
    """Pss of one process that decodes a room."""
    messages_s: float
    """That the broker gets of it (a second)."""
    one_room_starts_s: tuple[float, ...]
    """CPU from the start of the process until its only room is heard (seconds)."""
    starts_s: tuple[float, ...]
    """The same until all of many rooms are heard."""

    def costs(self, told_s: tuple[float, ...]) -> Costs:
        """What a simulation needs.

        Args:
            told_s: From the sound of its rooms until a shard says that all are heard, measured with Ray (seconds).
        """
        more_s = statistics.median(self.starts_s) - statistics.median(self.one_room_starts_s)
        room_start_s = max(0.0, more_s / (self.rooms - 1))
        return Costs(
            room_cores=self.cores / self.rooms,
            shard_mb=self.shard_mb,
            decoder_mb=self.decoder_mb,
            room_messages_s=self.messages_s / self.rooms,
            process_s=tuple(start_s - room_start_s for start_s in self.one_room_starts_s),
            room_start_s=room_start_s,
            told_s=told_s,
            given_up_s=GIVEN_UP_S,
        )


def measure(folder: Path, rooms: int) -> Measured:
    """Measures a shard of one room and one of many.

    Args:
        folder: For sounds and state.
        rooms: Of the second one, at least 2.
    """
    cry, quiet = crying_room(folder / "cry.wav", 0.5, 0.5), quiet_room(folder / "quiet.wav")
    sources = {f"bed{number}": looped(quiet if number % 3 else cry) for number in range(rooms)}
    starts: dict[int, tuple[float, ...]] = {}
    for many in (1, rooms):
        with Mosquitto(folder / f"broker{many}") as broker, Subscriber(broker) as subscriber:
            slices = {"north": {"shards": {"1": {"rooms": dict(list(sources.items())[:many])}}}}
            path = ward_file(folder / f"ward{many}", broker, "alpha", sites=slices)
            for _ in range(STARTS - 1):
                shard, start_s = _started(path, subscriber, many)
                shard.stop()
                starts[many] = (*starts.get(many, ()), start_s)
            shard, start_s = _started(path, subscriber, many)
            starts[many] = (*starts[many], start_s)
            pid = shard.process.pid
            try:
                if many < rooms:
                    continue
                time.sleep(SETTLE_S)
                before, heard, began = process.cpu_with_children_s(pid), len(subscriber.heard), time.monotonic()
                time.sleep(COUNT_S)
                lasted_s = time.monotonic() - began
                return Measured(
                    rooms,
                    (process.cpu_with_children_s(pid) - before) / lasted_s,
                    process.memory_mb(pid),
                    sum(map(process.memory_mb, process.children(pid))) / rooms,
                    (len(subscriber.heard) - heard) / lasted_s,
                    starts[1],
                    starts[rooms],
                )
            finally:
                shard.stop()
    raise ValueError("a shard of one room alone says nothing of what a room takes")


def _started(path: Path, subscriber: Subscriber, rooms: int) -> tuple[ShardProcess, float]:
    """Starts a shard; returns it once all rooms are heard, and the CPU of that (seconds)."""
    shard, before = ShardProcess(path, "alpha"), len(subscriber.heard)
    shard.start()
    status = "monitord/north_1/bed"
    heard: set[str] = set()
    while len(heard) < rooms:
        time.sleep(LOOK_S)
        assert shard.process.poll() is None, shard.log
        new, before = subscriber.heard[before:], len(subscriber.heard)
        heard |= {
            one.topic
            for one in new
            if one.topic.startswith(status) and one.topic.endswith("/status") and one.payload == "online"
        }
    return shard, process.cpu_with_children_s(shard.process.pid)


MEASURED: Final = Costs(
    room_cores=0.007,
    shard_mb=81.9,
    decoder_mb=15.6,
    room_messages_s=1.31,
    process_s=(0.627, 0.567, 0.557, 0.597, 0.537),
    room_start_s=0.103,
    told_s=(0.98, 0.55, 0.38, 0.52, 0.51),
    given_up_s=GIVEN_UP_S,
)
"""What `tests/bench/run ward` gave on two cores with nothing else; `told_s` are the faults of `ward.md` in
which rooms were unheard: what is left of "all rooms heard again" without the two columns before it."""
