"""`tests/bench/run ward`: how soon a ward's rooms are heard again after each fault, and what shards cost.

Faults are those of a simulated cluster on Ray (`tests/support/ward/ray_lab.py`). What a shard costs is measured of real
ones; what thousands of rooms come to is computed from that.
"""

import argparse
import json
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.bench import process
from tests.bench.markdown import markdown, number
from tests.support.daemon.daemon import crying_room, looped, quiet_room
from tests.support.servers.mosquitto import Mosquitto
from tests.support.ward.ray_lab import MACHINES, NODE, RayLab, ray_lab
from tests.support.ward.shards import ShardProcess, ears_of, ward_file

SETTLE_S: Final = 15.0
"""Before anything is counted (seconds): the floor of a quiet room is found by then."""
COUNT_S: Final = 30.0
"""For how long it is counted (seconds)."""
HALF: Final = 0.5
"""Share of the cores that a ward uses: the rest is for a lost machine, and for a noisy hour."""
SHARD_ROOMS: Final = 40
LOST_S: Final = 8.0
"""Until a lost machine's rooms are heard again, where that was not measured (seconds)."""
CORES: Final = 8
"""Of each machine of the simulation."""
ALPHA: Final = MACHINES[0]


@dataclass(frozen=True, slots=True)
class Failover:
    """What a fault came to."""

    fault: str
    silent_s: float
    """From the fault until nobody decoded sound; 0 where somebody did all the while (seconds)."""
    unheard_s: float
    """For how long nobody decoded sound (seconds)."""
    heard_s: float
    """From the fault until its shard says that all rooms are heard (seconds)."""
    double_s: float
    """For how long two decoded it (seconds)."""


def _cut_off(lab: RayLab) -> None:
    lab.ways[ALPHA].cut.set()
    while lab.ears.now:
        time.sleep(0.02)


FAULTS: Final[tuple[tuple[str, Callable[[RayLab], object], bool], ...]] = (
    ("shard killed", RayLab.kill_shard, False),
    ("moved by command", lambda lab: lab.ward.move(NODE, MACHINES[1]), False),
    ("broker restarted", lambda lab: lab.restart_broker(persistence=True), False),
    ("broker restarted, all forgotten", lambda lab: lab.restart_broker(persistence=False), False),
    ("head killed, back after 3 s", RayLab.restart_head, False),
    ("cut off from the broker alone", _cut_off, True),
    ("machine killed", lambda lab: lab.kill_machine(ALPHA), True),
    ("machine frozen", lambda lab: lab.freeze(ALPHA), True),
)
"""Words, what is done, and whether the machine is given up by it."""


def failovers(folder: Path) -> Iterator[Failover]:
    """Does each of them once."""
    with ray_lab(folder) as lab:
        for words, fault, gives_up in FAULTS:
            lab.at(ALPHA)
            time.sleep(3.0)  # a lease or two, and the broker's uptime
            double_s, began = lab.ears.double_s, time.monotonic()
            lab.ears.silent_s, lab.ears.silent_at = 0.0, None
            frozen = fault(lab)
            lab.heard(but=ALPHA if gives_up else None)
            while not lab.ears.now:
                time.sleep(0.02)
            heard_s = time.monotonic() - began
            silent_s = (lab.ears.silent_at or began) - began
            yield Failover(words, silent_s, lab.ears.silent_s, heard_s, lab.ears.double_s - double_s)
            lab.ways[ALPHA].cut.clear()
            if isinstance(frozen, list):
                lab.forget(ALPHA)
                for pid in frozen:
                    lab.signal(pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of real rooms of one shard, a third of them with a cry that never ends."""

    rooms: int
    cores: float
    """That all of its processes take."""
    shard_mb: float
    """Pss of the shard's own process."""
    decoder_mb: float
    """Pss of one process that decodes a room."""
    start_s: float
    """CPU from the start of the process until all rooms are heard (seconds)."""


def cost(folder: Path, rooms: int, count_s: float) -> Cost:
    """Measures one shard."""
    folder.mkdir()
    cry, quiet = crying_room(folder / "cry.wav", 0.5, 0.5), quiet_room(folder / "quiet.wav")
    sources = {f"bed{number}": looped(quiet if number % 3 else cry) for number in range(rooms)}
    with Mosquitto(folder / "broker") as broker:
        path = ward_file(folder / "ward", broker, ALPHA, sites={"north": {"shards": {"1": {"rooms": sources}}}})
        shard = ShardProcess(path, ALPHA)
        shard.start()
        pid = shard.process.pid
        try:
            while ears_of(pid) < rooms:
                time.sleep(0.1)
            start_s = process.cpu_with_children_s(pid)
            time.sleep(SETTLE_S)
            before, began = process.cpu_with_children_s(pid), time.monotonic()
            time.sleep(count_s)
            cores = (process.cpu_with_children_s(pid) - before) / (time.monotonic() - began)
            decoders_mb = sum(map(process.memory_mb, process.children(pid)))
            return Cost(rooms, cores, process.memory_mb(pid), decoders_mb / rooms, start_s)
        finally:
            shard.stop()


def sizes(one: Cost, lost_s: float) -> list[tuple[str, ...]]:
    """What many rooms come to: shards, cores, machines, memory, and how soon the rooms of a lost machine are heard.

    Args:
        one: What a shard costs.
        lost_s: From a machine's loss until Ray starts its shards elsewhere (seconds).
    """
    rows = [("rooms", "shards", "cores", f"machines of {CORES} cores", "memory", "a machine lost: heard again after")]
    per_room = one.cores / one.rooms
    for rooms in (100, 1_000, 10_000):
        shards, cores = -(-rooms // SHARD_ROOMS), rooms * per_room
        machines = max(2, -(-round(cores * 100) // round(CORES * HALF * 100)) + 1)
        memory_gb = (shards * one.shard_mb + rooms * one.decoder_mb) / 1e3
        starting_s = -(-shards // machines) * one.start_s / ((machines - 1) * CORES * HALF)
        alone_s = one.start_s  # no start is faster than one core does it
        rows.append(
            (
                f"{rooms:,}",
                f"{shards}",
                number(cores),
                f"{machines}",
                f"{number(memory_gb)} GB",
                f"{number(lost_s + max(alone_s, starting_s))} s",
            )
        )
    return rows


def main(argv: list[str] | None = None) -> int:
    """Prints three tables."""
    parser = argparse.ArgumentParser(prog="tests/bench/run ward", description=__doc__)
    parser.add_argument("--rooms", type=int, default=12, metavar="N", help="of the shard that is measured")
    parser.add_argument("--short", action="store_true", help="a look, no result: without faults")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single value")
    arguments = parser.parse_args(argv)
    on = process.machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sys.stderr.write(f"one shard of {arguments.rooms} rooms ...\n")
        one = cost(folder / "cost", arguments.rooms, COUNT_S / 3 if arguments.short else COUNT_S)
        done = []
        for failover in () if arguments.short else failovers(folder / "faults"):
            sys.stderr.write(f"{failover.fault}: {failover.heard_s:.1f} s\n")
            done.append(failover)
    rows = [("fault", "nobody hears from", "for", "all rooms heard again", "heard twice")]
    rows += [
        (it.fault, *(f"{number(value)} s" for value in (it.silent_s, it.unheard_s, it.heard_s, it.double_s)))
        for it in done
    ]
    shard = (
        ("a shard", ""),
        ("rooms on one core, a third of them noisy", number(one.rooms / one.cores)),
        ("memory of its process", f"{number(one.shard_mb)} MB"),
        ("memory of each room's decoder", f"{number(one.decoder_mb)} MB"),
        ("CPU of a start", f"{number(one.start_s)} s"),
    )
    lost_s = next((it.heard_s for it in done if it.fault == "machine killed"), LOST_S)
    tables = [markdown(rows)] if done else []
    tables += [markdown(shard), markdown(sizes(one, max(0.0, lost_s - one.start_s)))]
    head = f"{on['cpu']}, {on['cores']} cores, load {on['load_before']} before"
    sys.stdout.write("\n".join([f"{head}\n", *tables]))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps({"on": on, "cost": asdict(one), "faults": list(map(asdict, done))}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
