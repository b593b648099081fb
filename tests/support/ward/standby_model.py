"""The world of `fence_model` as actors live in it: who has lost the shard, or was killed, looks and claims again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from service.ward.claim import Lease
from service.ward.fence import Fence, Read, nobody_has
from tests.support.ward.fence_model import TERMS, Process, World, settled, step


@dataclass
class Looks:
    """How far one of them is, as `service/ward/standby.py` does it."""

    at: float
    """When it looks next (seconds)."""
    until: float | None = None
    """For how long it listens (seconds); None while it does not."""
    last: Lease | None = None
    """The newest sign of life, when it began to listen."""

    def nobody(self, it: World, place: str, pause_s: float) -> bool:
        """Whether it has found that nobody has the shard."""
        kept = it.kept.at(it.now)
        if self.until is None and it.now >= self.at:
            self.until, self.last = it.now + TERMS.lease_s, kept.lease
            dead = kept.claim is not None and kept.claim.place == place and not _locked(it, place)
            return nobody_has(Read(kept.claim, kept.lease, it.now - it.up_since), TERMS, dead=dead)
        if self.until is None:
            return False
        if kept.lease is not None and kept.lease != self.last and not kept.lease.left:
            self.at, self.until = it.now + pause_s, None
            return False
        return it.now >= self.until


def lived(it: World, pauses_s: Sequence[float], seconds: int) -> Iterator[World]:
    """Nothing breaks any more, and everybody does what it does by itself; yields the world at the end of each second.

    Args:
        it: The world.
        pauses_s: Between two looks of each process (seconds).
        seconds: For so long.
    """
    looks: dict[int, Looks] = {}
    for second in range(seconds):
        it = settled(it)
        for number, (one, pause_s) in enumerate(zip(it.processes, pauses_s, strict=True)):
            if one.alive and (one.fence.phase != "lost" or one.ears_until is not None):
                looks.pop(number, None)
                continue
            # Ray starts anew who was killed: it looks at once.
            look = looks.setdefault(number, Looks(it.now + (pause_s if one.alive else 0.0)))
            if look.nobody(it, one.fence.place, pause_s):
                fresh = Process(Fence(TERMS, f"{number} at {second}", one.fence.place))
                it = replace(it, processes=(*it.processes[:number], fresh, *it.processes[number + 1 :]))
        it = settled(it)
        yield it
        it = step(it, ("wait", 0))


def _locked(it: World, place: str) -> bool:
    return any(one.alive and one.fence.phase != "lost" and one.fence.place == place for one in it.processes)
