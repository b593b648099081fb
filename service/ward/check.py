"""`monitord ward check`: what a ward's file comes to, in words: shards, rooms, load, and whether the machines do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from service.ward.settings import WardConfig

ROOMS_PER_CORE: Final = 125
"""Rooms that one core hears, a third of them with sound at a time: the safe side of `tests/bench/run ward`."""

FEW_ROOMS: Final = 20
"""A shard of fewer rooms costs as much memory as one of these."""

SHARD_MB, DECODER_MB = 99.0, 15.0
"""Megabytes of a shard's process, and of one that decodes a room: the safe side of `tests/bench/run ward`."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a number of rooms takes."""

    cores: float
    memory_gb: float

    @classmethod
    def of(cls, shards: int, rooms: int) -> "Load":
        """What so many shards with so many rooms together take."""
        return cls(rooms / ROOMS_PER_CORE, (shards * SHARD_MB + rooms * DECODER_MB) / 1000)


def check_lines(ward: WardConfig) -> Iterator[str]:
    """What a person reads of it: a line for each shard, and what all take of the machines."""
    for node, shard in ward.shards.items():
        rooms = len(shard.config.rooms)
        few = f"; up to {FEW_ROOMS} cost the same memory" if rooms < FEW_ROOMS else ""
        yield f"{node}: {rooms} rooms of {shard.site_name}, {Load.of(1, rooms).cores:.2f} cores{few}"
    all_rooms = sum(len(shard.config.rooms) for shard in ward.shards.values())
    load = Load.of(len(ward.shards), all_rooms)
    cores, memory_gb = _given(ward)
    yield (
        f"{len(ward.shards)} shards, {all_rooms} rooms: {load.cores:.1f} of {cores:g} cores,"
        f" {load.memory_gb:.1f} of {memory_gb:g} GB"
    )


def shortages(ward: WardConfig) -> Iterator[str]:
    """What the machines cannot do: hear all of it, or hear all of it whichever of them is lost."""
    machines = {name: Load(one.cores, one.memory_gb) for name, one in ward.machines.items()}
    if left := _left_over(ward, machines.values()):
        yield f"the machines are too small for these rooms: nobody would hear {', '.join(left)}; add one"
    elif len(machines) == 1:
        yield "one machine: while it is away no room is heard; a second one would hear them"
    else:
        without = {lost: _left_over(ward, [machines[one] for one in machines if one != lost]) for lost in machines}
        worst = max(without, key=lambda lost: len(without[lost]))
        if without[worst]:
            yield f"with {worst} lost the others are too small: nobody would hear {', '.join(without[worst])}; add one"


def _left_over(ward: WardConfig, machines: Iterable[Load]) -> list[str]:
    """Shards for which no machine has room, where the largest are placed first, each on the first that has."""
    spare, left = list(machines), []
    for node, shard in sorted(ward.shards.items(), key=lambda one: -len(one[1].rooms)):
        takes = Load.of(1, len(shard.rooms))
        for number, one in enumerate(spare):
            if takes.cores <= one.cores and takes.memory_gb <= one.memory_gb:
                spare[number] = Load(one.cores - takes.cores, one.memory_gb - takes.memory_gb)
                break
        else:
            left.append(node)
    return left


def _given(ward: WardConfig) -> tuple[float, float]:
    """Cores and gigabytes of all machines."""
    machines = ward.machines.values()
    return sum(one.cores for one in machines), sum(one.memory_gb for one in machines)
