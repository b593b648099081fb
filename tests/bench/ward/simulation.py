"""A simulation of a ward of thousands of rooms that loses machines, from measured costs. NumPy only, no Ray, no clock.

    heard --machine lost--> unheard --given up--> queued --a place is free--> process --lease over--> rooms --> heard

Machines fail at drawn moments. A lost one is given up after some seconds, each of its shards is placed on one that is
left, where as many start at a time as Ray lets, and these share what the shards that hear leave of the processor. A
process that has started claims its shard, and waits until the broker has forgotten the lease of the dead. Where that
machine is lost, too, or was lost unnoticed before, all of it begins again.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from service.ward.claim import Lease
from service.ward.fence import Terms

TERMS: Final = Terms(lease_s=5.0)
"""As a ward's file has them where it says nothing."""

SHARD_ROOMS: Final = 40
"""Rooms of a shard."""
CORES: Final = 8
"""Of each machine. Ray starts as many processes on it at a time (worker_maximum_startup_concurrency); here a shard
keeps its place until its rooms are heard, which is the safe side."""
HALF: Final = 0.5
"""Share of the cores that a ward uses: the rest is for a lost machine, and for a noisy hour. Ray counts whatever is
loaded less as equally free (its scheduler_spread_threshold)."""
CHOICE: Final = 0.2
"""Of this share of the machines, the freest, Ray draws one for a shard whose own is gone (scheduler_top_k_fraction)."""
TOGETHER_S: Final = 10.0
"""Machines that are lost "at once" are lost within this (seconds): one after the other meets shards that start."""
KEPT_S: Final = float(TERMS.expires_s(Lease("", 1, hearing=True)))
"""For how long the broker keeps the lease of a shard that heard (seconds), counted from its last sign of life; that of
one that waited is kept longer than whoever comes next has to wait."""
_WORK: Final = 1e-9
"""CPU time that is none: the rounding of sums (seconds)."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What was measured; of several values one is drawn each time."""

    room_cores: float
    """Of each room that is heard, with its decoder."""
    shard_mb: float
    """Memory of a shard's process."""
    decoder_mb: float
    """Memory of each room's decoder."""
    room_messages_s: float
    """MQTT messages of each room (a second)."""
    process_s: tuple[float, ...]
    """CPU of a shard's start before its rooms, on one core (seconds)."""
    room_start_s: float
    """CPU of each room's start, on as many cores as there are (seconds)."""
    told_s: tuple[float, ...]
    """From the sound of its rooms until a shard says that all are heard (seconds)."""
    given_up_s: tuple[float, float]
    """Until a lost machine is given up: at least, at most (seconds)."""

    def machines(self, rooms: int, spare: int) -> int:
        """Machines that hear so many rooms with half of their cores, and some to spare."""
        return int(np.ceil(rooms * self.room_cores / (CORES * HALF) - _WORK)) + spare

    def memory_gb(self, shards: Sequence[int]) -> float:
        """Memory of shards of so many rooms (10^9 bytes)."""
        return (len(shards) * self.shard_mb + sum(shards) * self.decoder_mb) / 1e3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came out of many losses."""

    unheard_s: NDArray[np.float64]
    """By room that was lost: until it was heard again (seconds); infinite where no machine had a place for it."""
    load: NDArray[np.float64]
    """By machine that was left: share of its cores that is taken, once all is over."""
    memory_gb: NDArray[np.float64]
    """By machine that was left (10^9 bytes)."""


@dataclass(slots=True)
class _Start:
    """A shard that starts."""

    shard: int
    rooms: int
    process_s: float
    """CPU that is left to do on one core (seconds)."""
    rooms_s: float
    """CPU that is left to do after that on any (seconds)."""
    waits: bool = True
    """Whether another one may hear its rooms still."""
    claimed: bool = False

    @property
    def most(self) -> float:
        """Cores that it can use."""
        return 1.0 if self.process_s > _WORK else 0.0 if self.waits else self.rooms

    def work(self, cpu_s: float) -> None:
        """Goes on by so much."""
        if self.process_s > _WORK:
            self.process_s -= cpu_s
        else:
            self.rooms_s -= cpu_s

    def next_s(self, cores: float) -> float:
        """Until it can use more or less than these, or is over (seconds)."""
        left_s = self.process_s if self.process_s > _WORK else self.rooms_s
        return left_s / cores if cores else np.inf


@dataclass(slots=True)
class _Machine:
    number: int
    shards: set[int] = field(default_factory=set)
    """That are here, whether they hear, start or wait to start."""
    hearing: set[int] = field(default_factory=set)
    queue: list[_Start] = field(default_factory=list)
    """In the order in which they came; the first of them start."""
    lost: bool = False
    given_up: bool = False
    """Whether Ray knows that."""


_What = Literal["lost", "given up", "free", "told"]


class Ward:
    """One ward until all is heard again.

    Args:
        costs: Measured.
        shards: Rooms of each.
        machines: How many.
        rng: Where everything is drawn from.
        at_once: Shards that start on one machine at a time.
    """

    def __init__(
        self, costs: Costs, shards: Sequence[int], machines: int, rng: np.random.Generator, at_once: int = CORES
    ) -> None:
        self._costs, self._shards, self._rng, self._at_once = costs, shards, rng, at_once
        self.machines = [_Machine(number) for number in range(machines)]
        for shard in range(len(shards)):
            freest = min(self.machines, key=lambda one: self._cores(one.shards))
            freest.shards.add(shard)
            freest.hearing.add(shard)
        self._events: list[tuple[float, int, _What, int]] = []
        self._since_s: dict[int, float] = {}  # unheard shards, and since when
        self._forgotten_s: dict[int, float] = {}  # and when the broker has forgotten the lease of who heard them
        self.unheard_s: list[tuple[int, float]] = []
        """Rooms, and for how long they were not heard (seconds); infinite: for ever."""

    def lose(self, losses: Sequence[tuple[float, int]]) -> None:
        """Loses machines, by moment (seconds) and number, and goes on until nothing happens any more."""
        for at_s, number in losses:
            self._at(at_s, "lost", number)
        now_s = 0.0
        while True:
            rates = {id(start): rate for one in self.machines for start, rate in self._rates(one)}
            starts = [start for one in self.machines for start in self._starting(one)]
            steps = [start.next_s(rates[id(start)]) for start in starts]
            next_s = min((self._events[0][0] if self._events else np.inf, now_s + min(steps, default=np.inf)))
            if not np.isfinite(next_s):
                break
            for start in starts:
                start.work((next_s - now_s) * rates[id(start)])
            now_s = next_s
            for one in self.machines:
                self._advance(one, now_s)
            while self._events and self._events[0][0] <= now_s:
                self._happen(now_s, *heapq.heappop(self._events)[2:])
        self.unheard_s += [(self._shards[shard], np.inf) for shard in self._since_s]

    def load(self, machine: _Machine) -> float:
        """Share of a machine's cores that its shards take."""
        return self._cores(machine.shards) / CORES

    def memory_gb(self, machine: _Machine) -> float:
        """What its shards take (10^9 bytes)."""
        return self._costs.memory_gb([self._shards[shard] for shard in machine.shards])

    def _advance(self, machine: _Machine, now_s: float) -> None:
        """Has shards claim whose process runs, and those hear whose rooms are open."""
        for start in self._starting(machine):
            if start.process_s > _WORK:
                continue
            if not start.claimed:
                start.claimed = True
                over_s = min(now_s + TERMS.over_s, self._forgotten_s[start.shard])
                self._at(max(now_s, over_s), "free", start.shard)
            elif start.rooms_s <= _WORK:
                machine.queue.remove(start)
                machine.hearing.add(start.shard)
                self._at(now_s + self._draw(self._costs.told_s), "told", start.shard)

    def _happen(self, now_s: float, what: _What, which: int) -> None:
        match what:
            case "lost":
                machine = self.machines[which]
                machine.lost = True
                for shard in machine.shards:
                    self._since_s.setdefault(shard, now_s)
                    self._forgotten_s[shard] = now_s + KEPT_S if shard in machine.hearing else np.inf
                # What was about to happen to them happens no more.
                self._events = [
                    one for one in self._events if one[2] not in {"told", "free"} or one[3] not in machine.shards
                ]
                heapq.heapify(self._events)
                machine.hearing, machine.queue = set(), []
                self._at(now_s + self._rng.uniform(*self._costs.given_up_s), "given up", which)
            case "given up":
                machine = self.machines[which]
                shards, machine.shards, machine.given_up = machine.shards, set(), True
                for shard in sorted(shards):
                    self._place(shard)
            case "free":
                for start in (start for machine in self.machines for start in machine.queue if start.shard == which):
                    start.waits = False
            case "told":
                self.unheard_s.append((self._shards[which], now_s - self._since_s.pop(which)))

    def _place(self, shard: int) -> None:
        """Puts it where Ray does; nowhere if no machine has so much left."""
        there = [one for one in self.machines if not one.given_up and self._cores({*one.shards, shard}) <= CORES]
        there.sort(key=lambda one: (max(HALF, self.load(one)), one.number))
        if not there:
            return
        machine = there[self._rng.integers(max(1, int(CHOICE * len(there))))]
        machine.shards.add(shard)
        if machine.lost:  # and Ray does not know yet: it is placed again when that is given up, too
            return
        rooms = self._shards[shard]
        machine.queue.append(_Start(shard, rooms, self._draw(self._costs.process_s), rooms * self._costs.room_start_s))

    def _starting(self, machine: _Machine) -> list[_Start]:
        return machine.queue[: self._at_once]

    def _rates(self, machine: _Machine) -> list[tuple[_Start, float]]:
        """Cores that each of its starts gets: equal parts of what is free, and none more than it can use."""
        free, starts = CORES - self._cores(machine.hearing), self._starting(machine)
        rates = []
        for number, start in enumerate(sorted(starts, key=lambda one: one.most)):
            rates.append((start, min(start.most, free / (len(starts) - number))))
            free -= rates[-1][1]
        return rates

    def _cores(self, shards: set[int]) -> float:
        return self._costs.room_cores * sum(self._shards[shard] for shard in shards)

    def _draw(self, values: tuple[float, ...]) -> float:
        return values[self._rng.integers(len(values))]

    def _at(self, at_s: float, what: Literal["lost", "given up", "told"], which: int) -> None:
        heapq.heappush(self._events, (at_s, len(self._events), what, which))


def shards_of(rooms: int) -> list[int]:
    """Rooms of each shard."""
    return [min(SHARD_ROOMS, rooms - first) for first in range(0, rooms, SHARD_ROOMS)]


def simulate(costs: Costs, rooms: int, lost: int, *, trials: int = 200, seed: int = 1) -> Outcome:
    """Has a ward, with as many machines to spare, lose so many at once, again and again.

    Args:
        costs: Measured.
        rooms: That are heard.
        lost: Machines that are lost, any of them, within `TOGETHER_S`.
        trials: How often, each time with a ward that is whole.
        seed: The same seed, the same losses.
    """
    rng = np.random.default_rng(seed)
    shards, machines = shards_of(rooms), costs.machines(rooms, lost)
    unheard, load, memory_gb = [], [], []
    for _ in range(trials):
        ward = Ward(costs, shards, machines, rng)
        numbers = rng.choice(machines, lost, replace=False).tolist()
        moments = [0.0, *rng.uniform(0.0, TOGETHER_S, lost - 1).tolist()]
        ward.lose(list(zip(moments, numbers, strict=True)))
        unheard += ward.unheard_s
        left = [one for one in ward.machines if not one.lost]
        load += [ward.load(one) for one in left]
        memory_gb += [ward.memory_gb(one) for one in left]
    counts, times = zip(*unheard, strict=True) if unheard else ((), ())
    return Outcome(np.repeat(np.array(times, np.float64), counts), np.array(load), np.array(memory_gb))
