"""`tests/bench/run ward`: how soon a ward's rooms are heard again after each fault, and what shards cost.

Faults are those of a simulated cluster on Ray (`tests/support/ward/ray_lab.py`). What a shard costs is measured of real
ones; what thousands of rooms come to is simulated from that (`simulation.py`).
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

import numpy as np

from tests.bench import process
from tests.bench.markdown import markdown, number
from tests.bench.ward.shard_cost import MEASURED, measure
from tests.bench.ward.simulation import CORES, Costs, shards_of, simulate
from tests.support.ward.ray_lab import MACHINES, NODE, RayLab, ray_lab

ALPHA: Final = MACHINES[0]
ROOMS: Final = (100, 1_000, 10_000)
LOST: Final = (1, 2)
"""Of the simulation: rooms, and machines that are lost at once."""


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


def simulated(costs: Costs) -> str:
    """Two tables: what many rooms come to, and what the loss of one machine, and of two at once, does to them."""
    sizes = [("rooms", "shards", "cores", "memory", "messages a second", f"machines of {CORES} cores, one to spare")]
    rows: list[tuple[str, ...]] = [
        (
            "rooms",
            "machines",
            "lost",
            "heard again: median",
            "99 %",
            "most",
            "cores taken of one left",
            "memory of one left",
        )
    ]
    for rooms in ROOMS:
        shards = shards_of(rooms)
        sizes.append(
            (
                f"{rooms:,}",
                f"{len(shards)}",
                number(rooms * costs.room_cores),
                f"{number(costs.memory_gb(shards))} GB",
                number(rooms * costs.room_messages_s),
                f"{costs.machines(rooms, 1)}",
            )
        )
        for lost in LOST:
            out = simulate(costs, rooms, lost)
            unheard_s = (*np.percentile(out.unheard_s, (50, 99), method="nearest").tolist(), out.unheard_s.max())
            rows.append(
                (
                    f"{rooms:,}",
                    f"{costs.machines(rooms, lost)}",
                    f"{lost}",
                    *(f"{value:.1f} s" if np.isfinite(value) else "never" for value in unheard_s),
                    f"{100 * np.median(out.load):.0f} %, at most {100 * out.load.max():.0f} %",
                    f"at most {number(out.memory_gb.max())} GB",
                )
            )
    return "\n".join((markdown(sizes), markdown(rows)))


def main(argv: list[str] | None = None) -> int:
    """Prints what was measured and simulated, or the simulation alone."""
    parser = argparse.ArgumentParser(prog="tests/bench/run ward", description=__doc__)
    parser.add_argument("--rooms", type=int, default=12, metavar="N", help="of the shard that is measured")
    parser.add_argument("--short", action="store_true", help="without faults, and without Ray: 2 minutes")
    parser.add_argument("--json", type=Path, metavar="FILE", help="every single value")
    parser.add_argument(
        "--simulate",
        nargs="?",
        const="",
        metavar="FILE",
        help="only the simulation, by the figures of the documentation, or by those that --json wrote",
    )
    arguments = parser.parse_args(argv)
    if arguments.simulate is not None:
        costs = Costs(**json.loads(Path(arguments.simulate).read_text())["costs"]) if arguments.simulate else MEASURED
        sys.stdout.write(simulated(costs))
        return 0
    on = process.machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sys.stderr.write(f"shards of one room and of {arguments.rooms} ...\n")
        one = measure(folder, arguments.rooms)
        done = []
        for failover in () if arguments.short else failovers(folder / "faults"):
            sys.stderr.write(f"{failover.fault}: {failover.heard_s:.1f} s\n")
            done.append(failover)
    rows: list[tuple[str, ...]] = [("fault", "nobody hears from", "for", "all rooms heard again", "heard twice")]
    rows += [
        (it.fault, *(f"{number(value)} s" for value in (it.silent_s, it.unheard_s, it.heard_s, it.double_s)))
        for it in done
    ]
    told_s = tuple(it.heard_s - it.silent_s - it.unheard_s for it in done if it.unheard_s) or MEASURED.told_s
    costs = one.costs(told_s)
    shard = (
        ("a shard", ""),
        ("rooms on one core, a third of them noisy", number(1 / costs.room_cores)),
        ("memory of its process", f"{number(costs.shard_mb)} MB"),
        ("memory of each room's decoder", f"{number(costs.decoder_mb)} MB"),
        ("messages of each room", f"{number(costs.room_messages_s)} a second"),
        ("CPU of a start", ", ".join(map(number, costs.process_s)) + " s"),
        ("and for each room", f"{number(costs.room_start_s)} s"),
    )
    tables = [markdown(rows)] if done else []
    tables += [markdown(shard), simulated(costs)]
    head = f"{on['cpu']}, {on['cores']} cores, load {on['load_before']} before"
    sys.stdout.write("\n".join([f"{head}\n", *tables]))
    if arguments.json is not None:
        values = {"on": on, "measured": asdict(one), "costs": asdict(costs), "faults": list(map(asdict, done))}
        arguments.json.write_text(json.dumps(values))
    return 0


if __name__ == "__main__":
    sys.exit(main())
