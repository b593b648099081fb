"""The best rule at each rate of false alarms: which it is, and what it comes to on the other half."""

from training.streams.curves import AT_MOST, Tried, curve
from training.streams.false_alarms import Episodes


def tried(rule: str, found: int, false: int, latency_s: float = 1.0) -> Tried:
    """So many of ten cries in ten hours."""
    episodes = Episodes(
        10.0,
        (True,) * found + (False,) * (10 - found),
        (0.0,) * 10,
        (latency_s,) * found + (None,) * (10 - found),
        false,
    )
    return Tried(rule, episodes)


def test_most_found_then_quickest_then_seldom_wrong() -> None:
    """Among those under the rate: what finds more wins, of two that find the same the quicker."""
    rules = [tried("deaf", 5, 0), tried("slow", 9, 2, 2.0), tried("quick", 9, 3, 1.5), tried("calm", 9, 2, 1.5)]
    made = curve("tiny", {"a": rules, "b": rules})
    assert [at.best.rule for at in made.points] == ["deaf"] + ["calm"] * 7
    assert [at.at_most for at in made.points] == list(AT_MOST)
    assert made.points[1].best.episodes.found.count(True) == 18


def test_a_rate_is_of_both_halves_together() -> None:
    """Two false alarms in ten hours and none in ten others: allowed at 0.1 an hour, but not on the first half."""
    made = curve("tiny", {"a": [tried("one", 9, 2)], "b": [tried("one", 8, 0)]})
    first = made.points[0]
    assert (first.at_most, first.best.episodes.false_per_hour, first.crossed) == (0.1, 0.1, None)


def test_no_point_where_every_rule_is_wrong_too_often() -> None:
    """Three an hour: from four on."""
    made = curve("tiny", {half: [tried("one", 9, 30)] for half in ("a", "b")})
    assert [at.at_most for at in made.points] == [4.0, 8.0]


def test_crosswise_is_judged_where_it_was_not_chosen() -> None:
    """What is best on one half is worst on the other: together the first, crosswise the failures of both."""
    a, b = [tried("one", 9, 0), tried("two", 6, 0)], [tried("one", 5, 5), tried("two", 7, 0)]
    made = curve("tiny", {"a": a, "b": b})
    strict = made.points[0]
    assert strict.best.rule == "two"
    assert strict.crossed is not None
    assert (strict.crossed.found.count(True), strict.crossed.false) == (5 + 6, 5)
    loose = next(at for at in made.points if at.at_most == 0.5)
    assert loose.best.rule == "one"
