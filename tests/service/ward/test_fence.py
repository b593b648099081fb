"""No two processes hear the same rooms, in whatever order things happen."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ward.claim import Claim, Lease
from service.ward.fence import Fence, Read
from tests.support.ward.fence_model import TERMS, Process, Step, World, hasty, settled, step, steps, world

STEADY = Read(None, None, uptime_s=1000.0)


def search(begin: World, depth: int, may: Callable[[World], Iterable[Step]]) -> int:
    """Tries every order of what may happen, so many steps deep; returns in how many states somebody hears."""
    seen, level, heard = {begin}, [begin], 0
    for _ in range(depth):
        following: list[World] = []
        for it in level:
            for what in may(it):
                after = step(it, what)
                if after not in seen:
                    assert len(after.ears) < 2, after
                    heard += len(after.ears)
                    seen.add(after)
                    following.append(after)
        level = following
    return heard


@pytest.mark.parametrize("places", [("a", "b"), ("a", "a"), ("a", "b", "c"), ("a", "b", "a")])
def test_every_order_of_messages(places: tuple[str, ...]) -> None:
    """Two and three that claim at once, at a broker that has run for long: all interleavings, up to a depth."""
    assert search(world(places), 12 if len(places) == 2 else 10, lambda it: steps(it, faults=False))


@pytest.mark.parametrize("places", [("a", "b"), ("a", "a"), ("a", "b", "c")])
@pytest.mark.parametrize("fault", ["cut", "kill", "restart", "forget"])
def test_every_order_of_one_kind_of_fault(places: tuple[str, ...], fault: str) -> None:
    """One hears, then others contend for it while connections break, processes die, or the broker is started anew."""
    kinds = {"connect", "all", "shut", "wait", fault} | ({"save"} if fault == "restart" else set())
    depth = 9 if places == ("a", "b") else 7
    assert search(heard_by_one(world(places)), depth, lambda it: (what for what in hasty(it) if what[0] in kinds))


@given(
    st.sampled_from([("a", "b"), ("a", "a"), ("a", "b", "c"), ("a", "b", "a")]),
    st.lists(st.integers(0, 10**6), max_size=150),
)
def test_any_order_of_anything(places: tuple[str, ...], choices: list[int]) -> None:
    """Also long ones, with every fault."""
    it = heard_by_one(world(places))
    for choice in choices:
        may = list(hasty(it) if choice % 3 else steps(it, faults=True))
        # Faults are rarer than messages: else hardly anything would ever be heard.
        calm = [what for what in may if what[0] not in {"cut", "kill", "restart", "forget"}]
        it = step(it, (may if choice % 7 == 0 else calm)[choice // 7 % len(may if choice % 7 == 0 else calm)])
        assert len(it.ears) < 2, it


@given(st.lists(st.integers(0, 10**6), max_size=60))
def test_somebody_hears_in_the_end(choices: list[int]) -> None:
    """After whatever happened, once nothing breaks any more and messages come through, the rooms are heard."""
    it = world(("a", "b", "c"))
    for choice in choices:
        may = [what for what in steps(it, faults=True) if what[0] != "kill"]
        it = step(it, may[choice % len(may)])
    for number in range(10):
        it = settled(it)
        if all(one.fence.phase == "lost" for one in it.processes):  # whoever starts processes starts another
            fresh = Process(Fence(TERMS, f"again{number}", "a"))
            it = replace(it, processes=(fresh, *it.processes[1:]))
        it = step(it, ("wait", 0))
    assert len(it.ears) == 1


def heard_by_one(it: World) -> World:
    """The first hears, the second is not there yet."""
    it = step(it, ("connect", 0))
    for _ in range(100):
        if it.ears == [0] and not it.processes[0].up and not it.processes[0].down:
            return it
        mine = [one for one in steps(it, faults=False) if one[0] in {"up", "down"}]
        it = step(it, mine[0] if mine else ("wait", 0))
    raise AssertionError(it)


def fence(token: str = "me", place: str = "here") -> Fence:
    """A process that has just started."""
    return Fence(TERMS, token, place)


def claimed(view: Fence, seen: Read, now: float) -> Fence:
    """It has read this, and its claim has come back."""
    view, says = view.read(seen, now)
    [claim] = [one for one in says if isinstance(one, Claim)]
    return view.claim_seen(claim, now)[0]


def hearing_at(view: Fence, now: float, *, locked: bool = False) -> bool:
    """Whether it hears once its next lease has come back."""
    view, says = view.tick(now, locked=locked)
    for one in says:
        if isinstance(one, Lease):
            view = view.lease_seen(one)
    return view.may_hear(now)


def test_nobody_before() -> None:
    """A broker that has run for long and keeps nothing: it hears at once."""
    assert hearing_at(claimed(fence(), STEADY, 10.0), 10.0)


def test_a_broker_that_was_just_started_is_not_believed() -> None:
    """It may have forgotten who hears; whoever does has left after a lease and a second."""
    view = claimed(fence(), replace(STEADY, uptime_s=1.0), 10.0)
    assert not hearing_at(view, 12.9)
    assert hearing_at(view, 13.0)


BEFORE = Claim(4, "you", "there")


@pytest.mark.parametrize(
    ("lease", "locked", "place", "at_once"),
    [
        (Lease("you", 9, hearing=True), False, "here", False),
        (Lease("you", 9, hearing=False, left=True), False, "here", True),
        (Lease("other", 9, hearing=False, left=True), False, "here", False),
        (None, False, "here", True),
        (Lease("you", 9, hearing=True), True, "here", False),
        (Lease("you", 9, hearing=True), True, "there", True),
        (Lease("you", 9, hearing=False), True, "there", False),
        (Lease("other", 9, hearing=True), True, "there", False),
    ],
)
def test_what_proves_that_nobody_hears(*, lease: Lease | None, locked: bool, place: str, at_once: bool) -> None:
    """Alive; has left; another has left; forgotten; alive, and we locked our own place; dead; waited only; unknown."""
    view = claimed(fence(place=place), Read(BEFORE, lease, 1000.0), 10.0)
    assert view.epoch == 5
    assert hearing_at(view, 10.0, locked=locked) is at_once
    assert hearing_at(view, 13.0, locked=False)


def test_it_waits_no_longer_than_the_broker_keeps_the_lease() -> None:
    """A machine that has been dead for a while: its lease runs out before ours has come back so often."""
    view = claimed(fence(), Read(BEFORE, Lease("you", 9, hearing=True), 1000.0, forgets_s=1.5), 10.0)
    assert not hearing_at(view, 11.4)
    assert hearing_at(view, 11.5)


@pytest.mark.parametrize("token", ["you", "other"])
def test_a_sign_of_life_meanwhile_makes_it_wait(token: str) -> None:
    """What the broker said of the lease before that is no proof any more."""
    view = claimed(fence(), Read(BEFORE, Lease("you", 9, hearing=True), 1000.0, forgets_s=1.5), 10.0)
    view = view.lease_seen(Lease(token, 10, hearing=True))
    assert not hearing_at(view, 12.9)
    assert hearing_at(view, 13.0)


@pytest.mark.parametrize("lease", [None, Lease("you", 9, hearing=False, left=True)])
def test_a_sign_of_life_after_a_proof_is_stronger(lease: Lease | None) -> None:
    """One that was silent for long, and went on before it could see our claim."""
    view, says = fence().read(Read(BEFORE, lease, 1000.0), 10.0)
    view = view.lease_seen(Lease("you", 10, hearing=True))
    view, _ = view.claim_seen(says[-1], 10.0)  # type: ignore[arg-type]
    assert not hearing_at(view, 12.9)
    assert hearing_at(view, 13.0)


@pytest.mark.parametrize("lease", [None, Lease("you", 9, hearing=False, left=True), Lease("you", 9, hearing=True)])
def test_a_broker_that_was_just_started_proves_nothing(lease: Lease | None) -> None:
    """Neither what is not there, nor what is, nor our own lock: it may all be as of an hour ago."""
    view = claimed(fence(place="there"), Read(BEFORE, lease, uptime_s=2.9, forgets_s=1.0), 10.0)
    assert not hearing_at(view, 12.9, locked=True)
    assert hearing_at(view, 13.0)


def test_what_goes_out_with_a_claim() -> None:
    """The lease first: a claim alone would read as that of somebody long gone. And who waits is missed later."""
    view, (lease, claim) = fence().read(Read(BEFORE, None, 0.0), 10.0)
    assert isinstance(lease, Lease)
    assert isinstance(claim, Claim)
    assert view.terms.expires_s(lease) == 2 * view.terms.expires_s(replace(lease, hearing=True)) == 8


def test_a_claim_that_comes_in_between() -> None:
    """Then it is that one's that is taken over, and nothing is proven of it."""
    view, says = fence().read(STEADY, 10.0)
    view, _ = view.claim_seen(Claim(1, "you", "there"), 10.0)
    view, _ = view.claim_seen(says[-1], 10.0)  # type: ignore[arg-type]
    assert view.before == Claim(1, "you", "there")
    assert not hearing_at(view, 12.9)
    assert hearing_at(view, 13.0)


@pytest.mark.parametrize("how", ["connection", "claim"])
def test_what_was_waited_for_counts_no_more(how: str) -> None:
    """Another may have claimed in between: before our claim that nobody saw come back, or before it came."""
    view = claimed(fence(), Read(BEFORE, Lease("you", 9, hearing=True), 1000.0), 10.0).disconnected()
    view, (lease, claim) = view.read(Read(Claim(5, "me", "here"), None, 1000.0), 12.0)
    assert isinstance(lease, Lease)
    assert isinstance(claim, Claim)
    if how == "connection":
        view = claimed(view.disconnected(), Read(claim, lease, 1000.0), 12.0)
    else:
        view, _ = view.claim_seen(Claim(6, "you", "there"), 12.0)
        view, _ = view.claim_seen(claim, 12.0)
    assert not hearing_at(view, 14.9)
    assert hearing_at(view, 15.0)


def test_epochs_go_on_where_a_broker_has_forgotten() -> None:
    """From the newest that this disk knows of: else an older document would pass for a newer one."""
    assert claimed(replace(fence(), known=7), STEADY, 10.0).epoch == 8


def test_who_only_waits_says_not_that_it_left() -> None:
    """Whoever came before it may hear still; also where it heard once, and had to claim again."""
    view = claimed(fence(), STEADY, 10.0)
    view, [lease] = view.tick(10.0, locked=False)
    assert isinstance(lease, Lease)
    view = view.lease_seen(lease)
    assert view.left()
    view = claimed(view.disconnected(), replace(STEADY, uptime_s=1.0), 20.0)
    assert view.phase == "waiting"
    assert not view.left()


def test_a_foreign_claim_ends_it() -> None:
    """At once, and for good; and its last word is that it has left."""
    view = claimed(fence(), STEADY, 10.0)
    view, says = view.tick(10.0, locked=False)
    view = view.lease_seen(says[0])  # type: ignore[arg-type]
    assert view.may_hear(10.0)
    view, _ = view.claim_seen(Claim(2, "you", "there"), 10.0)
    assert not view.may_hear(10.0)
    assert view.read(STEADY, 11.0) == (view, ())
    assert view.left() == (Lease("me", view.number + 1, hearing=False, left=True),)


def test_cut_off_it_hears_on_for_a_lease() -> None:
    """Counted from when the lease that came back was sent."""
    view = claimed(fence(), STEADY, 10.0)
    view, [lease] = view.tick(10.0, locked=False)
    assert isinstance(lease, Lease)
    view = view.lease_seen(lease).disconnected()
    assert view.may_hear(11.9)
    assert not view.may_hear(12.0)


def test_a_broker_that_forgot_is_told_again() -> None:
    """A restart without persistence within a lease: it claims again and hears on all the while."""
    view = claimed(fence(), STEADY, 10.0)
    view, [lease] = view.tick(10.0, locked=False)
    assert isinstance(lease, Lease)
    view = view.lease_seen(lease).disconnected()
    view, says = view.read(Read(None, None, 0.0), 11.0)
    assert [one for one in says if isinstance(one, Claim)] == [Claim(2, "me", "here")]
    assert view.may_hear(11.0)
    view, _ = view.claim_seen(Claim(2, "me", "here"), 11.0)
    assert view.phase == "holding"


@pytest.mark.parametrize(("epoch", "phase"), [(1, "lost"), (3, "lost"), (0, "claiming")])
def test_an_older_memory_is_no_loss(epoch: int, phase: str) -> None:
    """A foreign claim as new as ours wins; an older one is what a broker remembers from before."""
    view = claimed(fence(), STEADY, 10.0).disconnected()
    view = replace(view, epoch=1)
    claim = Claim(max(epoch, 1), "you", "there") if epoch else None
    assert view.read(Read(claim, None, 0.0), 11.0)[0].phase == phase
