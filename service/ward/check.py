"""`monitord ward check`: what a ward's file comes to, in words: shards, rooms, load, and whether the machines do."""

from collections.abc import Iterator
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
    """What the machines cannot do: hear all of it, or hear all of it when the largest is lost."""
    shards = ward.shards
    load = Load.of(len(shards), sum(len(shard.config.rooms) for shard in shards.values()))
    cores, memory_gb = _given(ward)
    if load.cores > cores or load.memory_gb > memory_gb:
        yield "the machines are too small for these rooms: add one"
        return
    largest_cores = max(one.cores for one in ward.machines.values())
    largest_gb = max(one.memory_gb for one in ward.machines.values())
    if len(ward.machines) == 1:
        yield "one machine: while it is away no room is heard; a second one would hear them"
    elif load.cores > cores - largest_cores or load.memory_gb > memory_gb - largest_gb:
        yield "with the largest machine lost the others are too small for its rooms: add one"


def _given(ward: WardConfig) -> tuple[float, float]:
    """Cores and gigabytes of all machines."""
    machines = ward.machines.values()
    return sum(one.cores for one in machines), sum(one.memory_gb for one in machines)
