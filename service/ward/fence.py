"""The fence: that no two processes hear the same rooms, whatever network, broker and machines do. Pure.

    away ──read──> claiming ──own claim──> waiting ──nobody hears any more──> holding
      ^               ^  └───────own claim, and heard all along───────────────> │
      └──connection lost, from any──────────────────────────────────────────────┘
    a foreign claim, from waiting and holding, or newer than ours when read ──> lost (for good)

Who is `holding` may hear until `lease_s` after it *sent* the newest lease that came back from the broker. Messages come
back in the order in which the broker took them: a lease that comes back before any foreign claim was taken before any.
So nobody hears later than `lease_s` after a foreign claim was taken; it has left `leave_s` later; and whoever has
waited for both, from when its own claim came back, is alone. All that shortens this wait is a proof:

- the one before said that it has left;
- its place is ours: the lock of its state directory is, so its process is dead;
- its lease is not there: the broker has forgotten it, after longer than both; or the time is over after which the
  broker said that it would forget it, and no newer one came;
- the claim before was ours, and it was we who heard.

Where the claim before was ours and nobody has claimed since, what was waited for counts: whose connection breaks again
and again must hear one day, too.

What is read is believed only of a broker that has run for longer than both: one that was just started may have
forgotten, or remember what was true an hour ago. Assumed is that clocks run equally fast, not that they agree, and that
the broker gives one connection its messages in order.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from service.ward.claim import (
    UPTIME,
    Claim,
    Lease,
    claim_topic,
    lease_topic,
    read_claim,
    read_kept_lease,
    read_uptime_s,
)

RENEW_S: Final = 1.0
"""From one lease to the next (seconds): a fifth of what it is good for, so that four may be lost."""

LEAVE_S: Final = 1.5
"""What a shard that may not hear any more has to close its sources (seconds): they take up to 0.8; else it ends itself
before that time is over."""

Phase = Literal["away", "claiming", "waiting", "holding", "lost"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What all shards of a ward must agree on."""

    lease_s: float
    """For how long a shard hears on without a word from the broker (seconds)."""
    leave_s: float = LEAVE_S
    renew_s: float = RENEW_S

    @property
    def over_s(self) -> float:
        """After which whoever has lost the shard does not hear it any more (seconds)."""
        return self.lease_s + self.leave_s

    def expires_s(self, lease: Lease) -> int:
        """After how long the broker forgets a lease (whole seconds).

        One second more than needed, by which a broker that counts whole seconds may be early; of one who waits twice
        as long, for the one before it may hear on as long.
        """
        return (math.ceil(self.over_s) + 1) * (1 if lease.hearing or lease.left else 2)


@dataclass(frozen=True, slots=True)
class Read:
    """What the broker kept when all of it was read."""

    claim: Claim | None
    lease: Lease | None
    uptime_s: float
    """For how long it says that it has run; 0 where it does not say."""
    forgets_s: float = math.inf
    """For how long it says that it keeps this lease; infinite where it does not say."""

    @classmethod
    def of(cls, node: str, kept: Mapping[str, bytes], forgets_s: float) -> "Read":
        """Reads what was kept of a shard, by topic."""
        return cls(
            read_claim(kept.get(claim_topic(node), b"")),
            read_kept_lease(kept.get(lease_topic(node), b"")),
            read_uptime_s(kept.get(UPTIME, b"")),
            forgets_s,
        )

    def steady(self, terms: Terms) -> bool:
        """Whether it is believed: else it may have forgotten who hears, or remember who did an hour ago."""
        return self.uptime_s >= terms.over_s


Says = tuple[Claim | Lease, ...]
"""What is to be published, in this order."""


@dataclass(frozen=True, slots=True)
class Fence:
    """The view of one process. Every method returns the next view, and what is to be published.

    Times are in seconds, of a clock that goes on while the machine sleeps.
    """

    terms: Terms
    token: str
    place: str
    machine: str = ""
    known: int = 0
    """The newest epoch that this disk knows of: a broker that has forgotten all must not begin at 1 again."""
    phase: Phase = "away"
    epoch: int = 0
    """Of our newest claim; 0 before the first."""
    hears_until: float = -math.inf
    heard: bool = False
    """Whether we heard under this claim, so that our leaving is worth a word."""
    before: Claim | None = None
    """Whose the shard was before our claim."""
    gone: bool = False
    """Whether it is proven that nobody hears it any more."""
    gone_at: float = math.inf
    """When it is, if nothing comes meanwhile."""
    steady: bool = False
    """Whether the broker has run for so long that it is believed."""
    lease: Lease | None = None
    """The newest of others."""
    claimed_at: float = math.inf
    """Since when no claim but ours was taken, as far as is known (seconds)."""
    number: int = 0
    renewed_at: float = -math.inf
    """When the newest lease was sent."""
    sent: tuple[tuple[int, float], ...] = ()
    """Leases that have not come back: number, and when they were sent."""

    def may_hear(self, now: float) -> bool:
        """Whether this process, and no other, may hear the rooms."""
        return self.phase != "lost" and now < self.hears_until

    def disconnected(self) -> "Fence":
        """The connection is over; what was promised goes on for as long as it was."""
        if self.phase == "lost":
            return self
        # Of a claim that has not come back nobody knows what was taken before it.
        claimed_at = math.inf if self.phase == "claiming" else self.claimed_at
        return replace(self, phase="away", sent=(), claimed_at=claimed_at)

    def read(self, seen: Read, now: float) -> tuple["Fence", Says]:
        """All that the broker kept was read."""
        if self.phase == "lost":
            return self, ()
        claim = seen.claim
        mine = claim is not None and claim.token == self.token
        if claim is not None and not mine and 0 < self.epoch <= claim.epoch:
            return replace(self, phase="lost"), ()
        on = now < self.hears_until
        if on and mine and claim is not None and claim.epoch == self.epoch:
            return _renewed(replace(self, phase="holding"), now)
        epoch = max(self.epoch, self.known, 0 if claim is None else claim.epoch) + 1
        steady = seen.steady(self.terms)
        view = replace(
            self,
            phase="claiming",
            epoch=epoch,
            before=claim,
            lease=seen.lease,
            steady=steady,
            gone=nobody_has(seen, self.terms, dead=mine and self.heard),
            gone_at=now + seen.forgets_s if steady else math.inf,
            heard=self.heard and on,
            claimed_at=self.claimed_at if steady and mine and seen.claim == _claim(self) else math.inf,
        )
        # The lease first: a claim without one would read as that of somebody who is long gone.
        view, says = _renewed(view, now)
        return view, (*says, _claim(view))

    def claim_seen(self, claim: Claim, now: float) -> tuple["Fence", Says]:
        """The broker took a claim, ours or a foreign one."""
        mine = claim.token == self.token
        match self.phase:
            case "claiming" if mine and claim.epoch == self.epoch:
                if now < self.hears_until:
                    return _renewed(replace(self, phase="holding"), now)
                return replace(self, phase="waiting", claimed_at=min(self.claimed_at, now)), ()
            case "claiming" if not mine:
                return replace(self, before=claim, gone=False, gone_at=math.inf, lease=None, claimed_at=math.inf), ()
            case "waiting" | "holding" if not mine:
                return replace(self, phase="lost"), ()
        return self, ()

    def lease_seen(self, lease: Lease) -> "Fence":
        """The broker took a lease, ours or a foreign one."""
        if lease.token != self.token:
            left = self.phase in {"claiming", "waiting"} and _left(self.before, lease)
            # Taken before our claim: its writer is there after all, and may hear until it has seen our claim.
            there = self.phase == "claiming" and not lease.left
            return replace(self, lease=lease, gone=left or (self.gone and not there), gone_at=math.inf)
        at = dict(self.sent).get(lease.number)
        if at is None:
            return self
        view = replace(self, sent=tuple(one for one in self.sent if one[0] > lease.number))
        if self.phase == "holding" and lease.hearing:
            return replace(view, hears_until=max(self.hears_until, at + self.terms.lease_s), heard=True)
        return view

    def tick(self, now: float, *, locked: bool) -> tuple["Fence", Says]:
        """Time passes.

        Args:
            now: Seconds.
            locked: Whether the lock of our place is ours.
        """
        if self.phase == "waiting" and (self.gone or self._dead(locked=locked) or self._waited(now)):
            return _renewed(replace(self, phase="holding"), now)
        if self.phase in {"claiming", "waiting", "holding"} and now >= self.renewed_at + self.terms.renew_s:
            return _renewed(self, now)
        return self, ()

    def left(self) -> Says:
        """The sources are closed, for good: what is to be said, so that the next need not wait."""
        return (Lease(self.token, self.number + 1, hearing=False, left=True),) if self.heard else ()

    def _waited(self, now: float) -> bool:
        return now >= min(self.claimed_at + self.terms.over_s, self.gone_at)

    def _dead(self, *, locked: bool) -> bool:
        before, lease = self.before, self.lease
        if not (locked and self.steady) or before is None or lease is None:
            return False
        # One who only waited may itself have waited for somebody who hears on.
        return before.place == self.place and before.token == lease.token and lease.hearing


_MOST_SENT: Final = 60
"""Leases that are waited for: a broker that has answered none of so many has ended the connection long before."""


def nobody_has(seen: Read, terms: Terms, *, dead: bool) -> bool:
    """Whether what a broker keeps proves that nobody has the shard now.

    Args:
        seen: What it keeps.
        terms: Of the ward.
        dead: Whether the process that claimed last is dead for sure, or is ours.
    """
    return seen.steady(terms) and (dead or seen.lease is None or _left(seen.claim, seen.lease))


def listen_s(seen: Read, terms: Terms) -> float:
    """For how long whoever would rather not take it has to hear no sign of life, to know that nobody has it (seconds).

    As long as whoever hears may be silent; less where the broker says that it forgets the last sign before.
    """
    return min(terms.lease_s, seen.forgets_s) if seen.steady(terms) else terms.lease_s


def _claim(fence: Fence) -> Claim:
    return Claim(fence.epoch, fence.token, fence.place, fence.machine)


def _left(before: Claim | None, lease: Lease) -> bool:
    return before is not None and lease.left and lease.token == before.token


def _renewed(fence: Fence, now: float) -> tuple[Fence, Says]:
    number = fence.number + 1
    hearing = fence.phase == "holding" or now < fence.hears_until
    view = replace(fence, number=number, renewed_at=now, sent=(*fence.sent[-_MOST_SENT:], (number, now)))
    return view, (Lease(fence.token, number, hearing=hearing),)
