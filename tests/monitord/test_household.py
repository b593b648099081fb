"""The household: which rooms hear the same cry, which one tells it, and who must be reminded."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.household import HEARD_S, JOIN_S, SPILL_DB, Episode, Household

WALL = 1_800_000_000.0
"""Wall time at which the first episode's cry began (Unix seconds)."""
START = 100.0
"""Monotonic seconds at which it was told."""


def every_minute(_: Episode) -> float:
    """Whatever the episode, a reminder is due after 60 s."""
    return 60.0


def crying_nursery(loudness_db: float = 30.0) -> Household:
    """One episode, `one`, told by the nursery."""
    household = Household()
    household.begin("one", "nursery", WALL, loudness_db, START)
    return household


@pytest.mark.parametrize(
    ("after_s", "heard_s", "louder_db", "joins"),
    [
        (0.0, 0.0, 0.0, True),  # both at once
        (JOIN_S, JOIN_S, 20.0, True),  # a phone's stream, 3 s late and much louder
        (-JOIN_S, 0.5, 20.0, True),  # the other way round: it is the nursery that lags
        (JOIN_S, JOIN_S + 5, 0.0, True),  # it is the onset that counts, not when it was told
        (JOIN_S + 0.1, 4.0, 0.0, False),  # as loud and later: two babies
        (60.0, 60.0, 0.0, False),
        (60.0, 60.0, 20.0, False),  # a louder baby
        (60.0, 60.0, -SPILL_DB, True),  # through the wall
        (60.0, 60.0, -SPILL_DB + 0.1, False),
        (60.0, 60.0 + HEARD_S, -20.0, True),  # the nursery was heard 2 s ago
        (60.0, 60.1 + HEARD_S, -20.0, False),  # the nursery is silent: what is heard here is not its cry
    ],
)
def test_a_room_joins_what_it_hears(*, after_s: float, heard_s: float, louder_db: float, joins: bool) -> None:
    """By onset within 3 s, or 6 dB quieter than a room that is crying now; otherwise it is a cry of its own."""
    household = crying_nursery()
    if after_s > JOIN_S:
        household.hear("nursery", 30.0, START + after_s)
    episode = household.join("bedroom", WALL + after_s, 30.0 + louder_db, START + heard_s)
    assert (episode is not None) == joins
    assert (household.of("bedroom") is not None) == joins


def test_the_loudness_of_now_decides_not_that_of_then() -> None:
    """A nursery that screamed and whimpers now is no reason to take a cry next door for its echo."""
    household = crying_nursery(50.0)
    household.hear("nursery", 20.0, START + 10)
    assert household.join("bedroom", WALL + 10, 15.0, START + 10) is None
    household.hear("nursery", 21.0, START + 10.5)
    assert household.join("bedroom", WALL + 10, 15.0, START + 11) is not None


def test_two_babies_are_two_episodes() -> None:
    """Each in its own room, with its own told_by, acknowledgement and end."""
    household = crying_nursery()
    household.hear("nursery", 30.0, START + 20)
    assert household.join("bedroom", WALL + 20, 32.0, START + 20) is None
    household.begin("two", "bedroom", WALL + 20, 32.0, START + 20)
    assert [e.id for e in household.episodes] == ["one", "two"]
    assert [e.id for e in household.acknowledge("bedroom")] == ["two"]
    assert [e.acknowledged for e in household.episodes] == [False, True]
    ended = household.leave("nursery")
    assert ended is not None
    assert (ended.id, [e.id for e in household.episodes]) == ("one", ["two"])


def test_a_third_room_joins_the_louder_of_two_babies() -> None:
    """What comes through two walls is taken for the louder one."""
    household = crying_nursery()
    household.begin("two", "bedroom", WALL + 20, 40.0, START + 20)
    household.hear("nursery", 35.0, START + 21)
    joined = household.join("parlour", WALL + 21, 10.0, START + 21)
    assert joined is household.of("bedroom")


def test_the_quieter_room_pauses_and_starts_again() -> None:
    """It is in the same episode again, even if it is nearly as loud; the rooms stand loudest first."""
    household = crying_nursery()
    assert household.join("bedroom", WALL + 1, 20.0, START + 1) is household.of("nursery")
    assert household.leave("bedroom") is None
    assert household.of("bedroom") is None
    household.hear("nursery", 30.0, START + 60)
    episode = household.join("bedroom", WALL + 60, 34.0, START + 60)
    assert episode is household.of("nursery")
    assert episode is not None
    assert (episode.rooms, episode.crying) == (["bedroom", "nursery"], ["bedroom", "nursery"])


@pytest.mark.parametrize(("nursery_heard_s", "loudness_db"), [(60.0, 30.0 + SPILL_DB), (50.0, 20.0)])
def test_a_second_baby_in_a_room_that_heard_the_first_one(nursery_heard_s: float, loudness_db: float) -> None:
    """Far louder than the nursery is now, or heard while the nursery is silent: a parent must be told."""
    household = crying_nursery()
    household.join("bedroom", WALL + 1, 20.0, START + 1)
    household.leave("bedroom")
    household.hear("nursery", 30.0, START + nursery_heard_s)
    assert household.join("bedroom", WALL + 60, loudness_db, START + 60) is None
    household.begin("two", "bedroom", WALL + 60, loudness_db, START + 60)
    assert [e.crying for e in household.episodes] == [["nursery"], ["bedroom"]]


def test_an_episode_ends_with_its_last_room() -> None:
    """The room that tells it may fall silent first, and start again: it is the same episode, and the same told_by."""
    household = crying_nursery()
    household.join("bedroom", WALL + 1, 20.0, START + 1)
    assert household.leave("nursery") is None
    assert household.episodes[0].crying == ["bedroom"]
    household.hear("bedroom", 20.0, START + 60)
    assert household.join("nursery", WALL + 60, 40.0, START + 60) is household.episodes[0]
    assert household.leave("bedroom") is None
    ended = household.leave("nursery")
    assert ended is not None
    assert (ended.id, ended.told_by, ended.rooms) == ("one", "nursery", ["nursery", "bedroom"])
    assert household.episodes == []
    assert household.leave("nursery") is None


@pytest.mark.parametrize("which", ["one", "nursery", "bedroom"])
def test_acknowledged_once_from_any_room(which: str) -> None:
    """By the episode's id or by any room that hears or heard it; the second time is no news."""
    household = crying_nursery()
    household.join("bedroom", WALL, 20.0, START)
    household.leave("bedroom")
    assert [e.id for e in household.acknowledge(which)] == ["one"]
    assert household.acknowledge("one") == household.acknowledge("nursery") == []
    assert household.acknowledge("parlour") == []


def test_reminders_come_on_time_and_once() -> None:
    """After 60 s, 120 s and so on, missed ones as one, whoever cries, until a parent is on the way."""
    household = crying_nursery()
    household.join("bedroom", WALL, 20.0, START)
    household.leave("nursery")

    def due(after_s: float) -> list[str]:
        return [e.id for e in household.due(START + after_s, every_minute)]

    assert [due(s) for s in (59.9, 60.0, 60.1, 119.9, 120.2, 179.9, 180.0)] == [
        [],
        ["one"],
        [],
        [],
        ["one"],
        [],
        ["one"],
    ]
    assert [due(s) for s in (430.0, 431.0, 479.9, 480.0)] == [["one"], [], [], ["one"]]
    household.acknowledge("one")
    assert due(1000.0) == []


def test_the_profile_of_the_room_that_tells_decides_about_reminders() -> None:
    """None: never. A longer wait counts from the newest reminder on."""
    household = crying_nursery()
    household.begin("two", "bedroom", WALL + 20, 40.0, START)

    def due(at_s: float, bedroom_s: float) -> list[str]:
        after_s = {"nursery": None, "bedroom": bedroom_s}
        return [e.id for e in household.due(START + at_s, lambda e: after_s[e.told_by])]

    assert due(125, 60.0) == ["two"]
    assert due(419, 300.0) == []
    assert due(420, 300.0) == ["two"]


def test_an_episode_is_as_hard_as_in_its_hardest_room() -> None:
    """Also once that room is quiet; a room that is in none, or knows nothing, changes nothing."""
    household = crying_nursery()
    (episode,) = household.episodes
    assert episode.distress is None
    household.join("bedroom", WALL, 20.0, START)
    household.judge("nursery", 0.7, None)
    household.judge("bedroom", 0.3, None)
    household.judge("parlour", 0.9, None)
    assert episode.distress == 0.7
    household.leave("nursery")
    household.judge("nursery", 0.9, None)
    assert episode.distress == 0.7


ROOMS = ("nursery", "bedroom", "parlour")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["start", "start", "hear", "leave", "acknowledge"]),
        st.sampled_from(ROOMS),
        st.floats(0, 40),
        st.floats(0, 5),
    ),
    max_size=60,
)
"""What happens, in which room, how loud (dB over the floor), how long after the last (seconds)."""


@given(STEPS)
@settings(max_examples=300)
def test_every_crying_room_is_in_exactly_one_episode(steps: list[tuple[str, str, float, float]]) -> None:
    """Whatever happens: an episode begins once and ends once, with its last room, and keeps its told_by."""
    household, crying, now = Household(), set[str](), START
    begun: dict[str, str] = {}
    ended = list[str]()

    def leave(room: str) -> None:
        crying.discard(room)
        episode = household.leave(room)
        if episode is not None:
            assert episode.crying == []
            ended.append(episode.id)

    for kind, room, loudness_db, wait_s in steps:
        now += wait_s
        if kind == "start" and room not in crying:
            crying.add(room)
            if household.join(room, WALL + now, loudness_db, now) is None:
                begun[f"e-{len(begun)}"] = room
                household.begin(f"e-{len(begun) - 1}", room, WALL + now, loudness_db, now)
        elif kind == "hear":
            household.hear(room, loudness_db, now)
        elif kind == "leave":
            leave(room)
        elif kind == "acknowledge":
            household.acknowledge(room)
        assert Counter(r for e in household.episodes for r in e.crying) == Counter(crying)
        assert all(e.crying and e.told_by == begun[e.id] and e.told_by in e.heard for e in household.episodes)
        assert {e.id for e in household.episodes} == begun.keys() - set(ended)
    for room in ROOMS:
        leave(room)
    assert household.episodes == []
    assert sorted(ended) == sorted(begun)
