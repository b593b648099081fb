"""The bench's simulation of a ward: what can be computed by hand must come out of it."""

from dataclasses import replace

import numpy as np
import pytest

from tests.bench.ward.simulation import CORES, KEPT_S, TERMS, Costs, Ward, shards_of, simulate

COSTS = Costs(
    room_cores=0.01,
    shard_mb=100.0,
    decoder_mb=15.0,
    room_messages_s=1.0,
    process_s=(1.0,),
    room_start_s=0.1,
    told_s=(0.5,),
    given_up_s=(6.0, 6.0),
)
"""A shard of 40 rooms takes 0.4 cores and 0.7 GB; it starts with 1 s on one core, then 4 s on all that are free."""


def ward(shards: int, machines: int, at_once: int = CORES) -> Ward:
    """A ward of whole shards."""
    return Ward(COSTS, [40] * shards, machines, np.random.default_rng(1), at_once)


def silences_s(ward: Ward) -> list[float]:
    """For how long its shards, all of 40 rooms, were not heard, in the order in which they are again (seconds)."""
    assert {rooms for rooms, _ in ward.unheard_s} == {40}
    return [unheard_s for _, unheard_s in ward.unheard_s]


def test_one_shard_starts_where_another_one_hears() -> None:
    """Given up, the process on one core, the lease of the dead over, the rooms on the 7.6 cores that are free, told."""
    two = ward(shards=2, machines=2)
    two.lose([(0.0, 0)])
    assert silences_s(two) == pytest.approx([KEPT_S + 4 / 7.6 + 0.5])
    assert two.load(two.machines[1]) == pytest.approx(0.8 / CORES)
    assert two.memory_gb(two.machines[1]) == pytest.approx(1.4)


def test_two_shards_share_what_is_free() -> None:
    """Two that start at a time have a core each for their processes, then half of 7.2 each for their rooms."""
    two = ward(shards=4, machines=2)
    two.lose([(0.0, 0)])
    assert silences_s(two) == pytest.approx([KEPT_S + 4 / 3.6 + 0.5] * 2)


def test_a_shard_waits_for_its_turn() -> None:
    """One at a time, the second begins when the first hears, and has 0.4 cores less."""
    two = ward(shards=4, machines=2, at_once=1)
    two.lose([(0.0, 0)])
    first_s = KEPT_S + 4 / 7.2
    assert silences_s(two) == pytest.approx([first_s + 0.5, first_s + 1 + 4 / 6.8 + 0.5])


@pytest.mark.parametrize("second_s", [6.5, 7.6])
def test_a_machine_is_lost_where_a_lost_shard_starts(second_s: float) -> None:
    """In its start, or while it waits (7.0 to 8.0 s): all begins again, as one silence, and the next waits longest."""
    three = ward(shards=1, machines=3)
    three.lose([(0.0, 0), (second_s, 1)])
    assert silences_s(three) == pytest.approx([second_s + 6 + 1 + TERMS.over_s + 4 / 8 + 0.5])


def test_a_machine_is_lost_before_a_shard_could_say_that_it_hears() -> None:
    """It hears from 8.5 s on, and would say so at 9.0: one silence, too."""
    three = ward(shards=1, machines=3)
    three.lose([(0.0, 0), (8.6, 1)])
    assert silences_s(three) == pytest.approx([8.6 + KEPT_S + 4 / 8 + 0.5])


def test_a_shard_is_placed_where_a_loss_is_not_known_yet() -> None:
    """The second machine is lost after 3 s and given up after 9: placed there after 6 s, the shard waits for that."""
    three = ward(shards=1, machines=3)
    three.lose([(0.0, 0), (3.0, 1)])
    assert silences_s(three) == pytest.approx([9 + 1 + 4 / 8 + 0.5])


def test_a_machine_is_lost_after_a_shard_was_heard_there() -> None:
    """Then these are two silences."""
    three = ward(shards=1, machines=3)
    three.lose([(0.0, 0), (20.0, 1)])
    assert silences_s(three) == pytest.approx([9.0] * 2)


def test_nobody_hears_what_has_no_place() -> None:
    """Rooms that no machine has cores for are not heard, and that is what comes out."""
    full = Ward(replace(COSTS, room_cores=0.15), [40] * 2, 2, np.random.default_rng(1))
    full.lose([(0.0, 0)])
    assert silences_s(full) == [np.inf]


def test_every_lost_room_is_counted() -> None:
    """90 rooms are shards of 40, 40 and 10 on two machines: each loss is one of 50 rooms or one of 40."""
    assert shards_of(90) == [40, 40, 10]
    assert COSTS.machines(90, 1) == 2
    outcome = simulate(COSTS, 90, 1, trials=50)
    assert 50 * 40 <= len(outcome.unheard_s) <= 50 * 50
    assert len(outcome.unheard_s) % 10 == 0
    assert outcome.load == pytest.approx(0.9 / CORES)


def test_same_seed_gives_the_same_losses() -> None:
    """Two runs are equal to the last room."""
    drawn = replace(COSTS, process_s=(1.0, 2.0, 4.0), told_s=(0.5, 1.4), given_up_s=(5.5, 6.0))
    first, second = (simulate(drawn, 2000, 2, trials=10) for _ in range(2))
    assert np.array_equal(first.unheard_s, second.unheard_s)
    assert first.unheard_s.min() > KEPT_S + 0.5
