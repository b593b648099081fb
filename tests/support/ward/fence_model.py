"""A model of processes that claim one shard, of their connections and of the broker: whatever may happen, one by one.

Immutable and hashable, so that a search can try every order of what happens and come to no state twice. Time is in
whole seconds, and what a process has to do within a second it does as late as it may.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from service.ward.claim import Claim, Lease
from service.ward.fence import Fence, Read, Terms

TERMS: Final = Terms(lease_s=2.0, leave_s=1.0, renew_s=1.0)

SENTINEL: Final = "sentinel"

Said = Claim | Lease | Literal["sentinel"]


@dataclass(frozen=True)
class Kept:
    """What the broker keeps."""

    claim: Claim | None = None
    lease: Lease | None = None
    forgets_at: float = 0.0
    """When the lease is forgotten."""

    def at(self, now: float) -> "Kept":
        """What is left of it."""
        return self if self.lease is None or now < self.forgets_at else replace(self, lease=None)


@dataclass(frozen=True)
class Process:
    """One claimant, its connection, and its ears."""

    fence: Fence
    connected: bool = False
    up: tuple[Said, ...] = ()
    """On the way to the broker."""
    down: tuple[Said | Read, ...] = ()
    """On the way from it; the answer to the sentinel carries what was kept when the subscription was taken."""
    subscribed: bool = False
    ears_until: float | None = None
    """None while they are shut; else the time at which they are shut at the latest, were the fence to say so now."""
    alive: bool = True


@dataclass(frozen=True)
class World:
    """All of it. `step` says what became of it."""

    processes: tuple[Process, ...]
    now: float = 10.0
    kept: Kept = field(default_factory=Kept)
    saved: Kept = field(default_factory=Kept)
    """What a broker with a disk remembers after its power was cut."""
    up_since: float = 0.0

    @property
    def ears(self) -> list[int]:
        """Who hears."""
        return [number for number, one in enumerate(self.processes) if one.ears_until is not None]


def world(places: tuple[str, ...]) -> World:
    """Nobody has claimed anything; a process for each place."""
    return World(tuple(Process(Fence(TERMS, f"t{number}", place)) for number, place in enumerate(places)))


Step = tuple[str, int]


def steps(it: World, *, faults: bool) -> Iterator[Step]:
    """What may happen next."""
    for number, one in enumerate(it.processes):
        if not one.alive:
            continue
        if not one.connected and one.fence.phase != "lost":
            yield "connect", number
        if one.up:
            yield "up", number
        if one.down:
            yield "down", number
        if one.ears_until is not None and not one.fence.may_hear(it.now):
            yield "shut", number
        if faults:
            yield "kill", number
            if one.connected:
                yield "cut", number
    yield "wait", 0
    if faults:
        yield "save", 0
        yield "restart", 0
        yield "forget", 0


def hasty(it: World) -> Iterator[Step]:
    """What may happen next where messages do not dawdle: fewer steps, so that a search sees further."""
    for number, one in enumerate(it.processes):
        if one.alive and (one.up or one.down):
            yield "all", number
    yield from (what for what in steps(it, faults=True) if what[0] not in {"up", "down"})


def settled(it: World) -> World:
    """All that is under way arrives, and all connect."""
    for _ in range(1000):
        what = next((one for one in steps(it, faults=False) if one[0] != "wait"), None)
        if what is None:
            return it
        it = step(it, what)
    raise AssertionError(it)


def step(it: World, what: Step) -> World:
    """Returns the world after this."""
    kind, number = what
    if kind == "all":
        while it.processes[number].up or it.processes[number].down:
            it = step(it, ("up" if it.processes[number].up else "down", number))
        return it
    one = it.processes[number]
    match kind:
        case "connect":
            after = _put(it, number, replace(one, connected=True, up=(SENTINEL,)))
        case "up":
            after = _taken(it, number)
        case "down":
            after = _come(it, number)
        case "shut":
            after = _put(it, number, _shut(one))
        case "wait":
            after = _later(it, it.now + 1.0)
        case _:
            after = _fault(it, what)
    return _looked(after)


def _later(it: World, now: float) -> World:
    """Time passes; ears are shut at the last moment."""
    late = [one.ears_until is not None and one.ears_until <= now for one in it.processes]
    shut = (_shut(one) if due else one for one, due in zip(it.processes, late, strict=True))
    return replace(it, now=now, processes=tuple(shut))


def _fault(it: World, what: Step) -> World:
    kind, number = what
    match kind:
        case "cut":
            return _put(it, number, _cut(it.processes[number]))
        case "kill":  # the lock of its place is free, and nothing hears
            return _put(it, number, replace(_cut(it.processes[number]), alive=False, ears_until=None))
        case "save":
            return replace(it, saved=it.kept)
    kept = it.saved if kind == "restart" else Kept()
    return replace(it, processes=tuple(_cut(one) for one in it.processes), kept=kept, up_since=it.now)


def _cut(one: Process) -> Process:
    return replace(one, connected=False, subscribed=False, up=(), down=(), fence=one.fence.disconnected())


def _shut(one: Process) -> Process:
    says = one.fence.left() if one.fence.phase == "lost" and one.connected else ()
    return replace(one, ears_until=None, up=(*one.up, *says))


def _put(it: World, number: int, one: Process) -> World:
    return replace(it, processes=(*it.processes[:number], one, *it.processes[number + 1 :]))


def _taken(it: World, number: int) -> World:
    """The broker takes the next message of this one."""
    one = it.processes[number]
    said, rest = one.up[0], one.up[1:]
    if said == SENTINEL:
        kept = it.kept.at(it.now)
        forgets_s = math.inf if kept.lease is None else kept.forgets_at - it.now
        seen = Read(kept.claim, kept.lease, it.now - it.up_since, forgets_s)
        return _put(it, number, replace(one, up=rest, subscribed=True, down=(*one.down, seen)))
    if isinstance(said, Claim):
        kept = replace(it.kept, claim=said)
    else:
        assert isinstance(said, Lease)
        kept = replace(it.kept, lease=said, forgets_at=it.now + TERMS.expires_s(said) - 1)
    it = replace(_put(it, number, replace(one, up=rest)), kept=kept)
    told = tuple(replace(one, down=(*one.down, said)) if one.subscribed else one for one in it.processes)
    return replace(it, processes=told)


def _come(it: World, number: int) -> World:
    """This one gets its next message."""
    one = it.processes[number]
    came, one = one.down[0], replace(one, down=one.down[1:])
    says: tuple[Claim | Lease, ...] = ()
    match came:
        case Read():
            fence, says = one.fence.read(came, it.now)
        case Claim():
            fence, says = one.fence.claim_seen(came, it.now)
        case Lease():
            fence = one.fence.lease_seen(came)
        case _:
            raise AssertionError(came)
    return _put(it, number, replace(one, fence=fence, up=(*one.up, *says)))


def _looked(it: World) -> World:
    """Every process looks at the clock and opens its ears where it may; the lock of a place goes to who is there."""
    for number, one in enumerate(it.processes):
        if not one.alive:
            continue
        others = [other for other in it.processes if other is not one and other.fence.place == one.fence.place]
        # A place is locked from the first claim of a process to its end; who comes second gets it when that is dead.
        locked = not any(other.alive and other.fence.epoch for other in others)
        fence, says = one.fence.tick(it.now, locked=locked)
        ears = one.ears_until
        if fence.may_hear(it.now):
            ears = fence.hears_until + TERMS.leave_s
        elif ears is not None:
            ears = min(ears, it.now + TERMS.leave_s)
        it = _put(it, number, replace(one, fence=fence, ears_until=ears, up=(*one.up, *says)))
    return it
