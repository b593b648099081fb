"""In the end one process has the shard and keeps it, in whatever order those look that stand by."""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.ward.claim import Claim, Lease
from service.ward.fence import Read, listen_s, nobody_has
from tests.support.ward.fence_model import TERMS, Kept, settled, step, steps, world
from tests.support.ward.standby_model import lived

PAUSES_S = st.integers(0, 4).map(float)
"""Shorter than the wait of who claims, and longer (seconds)."""
DEAD = Kept(Claim(4, "you", "there"), Lease("you", 9, hearing=True), forgets_at=100.0)
"""Of one who is dead, which nobody knows: so whoever claims has to wait."""


@settings(max_examples=60)
@given(
    st.sampled_from([("a", "b"), ("a", "a"), ("a", "b", "c"), ("a", "b", "a")]),
    st.sampled_from([Kept(), DEAD]),
    st.tuples(PAUSES_S, PAUSES_S, PAUSES_S),
    st.lists(st.integers(0, 10**6), max_size=40),
)
@example(("a", "b"), DEAD, (0.0, 0.0, 0.0), [])
def test_all_come_to_rest(places: tuple[str, ...], kept: Kept, pauses_s: tuple[float, ...], choices: list[int]) -> None:
    """Whatever happened before: nobody takes the shard from who has it, also while that one only waits."""
    it = replace(world(places), kept=kept)
    for choice in choices:
        may = list(steps(it, faults=True))
        it = step(it, may[choice % len(may)])
    after = [now.ears for now in lived(it, pauses_s[: len(places)], 40)][-20:]
    assert len(after[0]) == 1
    assert after == [after[0]] * 20


def test_a_connection_that_breaks_again_and_again() -> None:
    """Who waits hears all the same when the time is over, though it never waited for so long in one go."""
    it = replace(world(("here",)), kept=DEAD)
    for _ in range(4):
        for _ in range(2):
            it = settled(step(settled(it), ("wait", 0)))
        assert it.now < 13.0 or it.ears == [0], it
        it = step(it, ("cut", 0))


BEFORE = DEAD.claim


@pytest.mark.parametrize(
    ("seen", "dead", "nobody"),
    [
        (Read(None, None, 3.0), False, True),
        (Read(BEFORE, None, 3.0), False, True),
        (Read(BEFORE, Lease("you", 9, hearing=False, left=True), 3.0), False, True),
        (Read(BEFORE, Lease("you", 9, hearing=True), 3.0), True, True),
        (Read(BEFORE, Lease("you", 9, hearing=True), 3.0), False, False),
        (Read(BEFORE, Lease("you", 9, hearing=False), 3.0), False, False),
        (Read(BEFORE, Lease("other", 9, hearing=False, left=True), 3.0), False, False),
        (Read(None, Lease("you", 9, hearing=True), 3.0), False, False),
        (Read(None, None, 2.9), False, False),
        (Read(BEFORE, Lease("you", 9, hearing=True), 2.9), True, False),
    ],
)
def test_who_stands_by_looks_for_a_proof(*, seen: Read, dead: bool, nobody: bool) -> None:
    """Never claimed; forgotten; left; dead; there; waits; another left; its claim cleared; a broker just started."""
    assert nobody_has(seen, TERMS, dead=dead) is nobody


@pytest.mark.parametrize(
    ("forgets_s", "uptime_s", "listens_s"), [(math.inf, 3.0, 2.0), (9.0, 3.0, 2.0), (1.5, 3.0, 1.5), (1.5, 2.9, 2.0)]
)
def test_for_how_long_who_stands_by_listens(forgets_s: float, uptime_s: float, listens_s: float) -> None:
    """For a lease; or until the last sign of life is forgotten, by a broker that is believed."""
    assert listen_s(Read(BEFORE, Lease("you", 9, hearing=True), uptime_s, forgets_s), TERMS) == listens_s
