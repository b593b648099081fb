"""What a network comes to at each rate of false alarms, by the best of all rules that were tried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from training.streams.false_alarms import Episodes
from training.streams.mixing import HALVES, Half

AT_MOST: Final = (0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False alarms an hour, over all hours, under which the best rule is sought."""


@dataclass(frozen=True, slots=True)
class Tried:
    """A rule in words and what it comes to."""

    rule: str
    episodes: Episodes


@dataclass(frozen=True, slots=True)
class Point:
    """The best rule with so few false alarms."""

    at_most: float
    """False alarms an hour."""
    best: Tried
    """Chosen on these very hours, and flattered by them."""
    crossed: Episodes | None
    """Chosen on each half, judged on the other; None where a half has no rule with so few."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One network at every rate that it can reach."""

    name: str
    points: tuple[Point, ...]


def curve(name: str, tried: Mapping[Half, Sequence[Tried]]) -> Curve:
    """Finds the best rule at each rate.

    Args:
        name: The network's.
        tried: By half, the same rules in the same order.
    """
    both = [Tried(a.rule, a.episodes + b.episodes) for a, b in zip(*(tried[half] for half in HALVES), strict=True)]
    points = []
    for at_most in AT_MOST:
        at = _best(both, at_most)
        if at is not None:
            points.append(Point(at_most, both[at], _crossed(tried, at_most)))
    return Curve(name, tuple(points))


def _best(tried: Sequence[Tried], at_most: float) -> int | None:
    """Of those with so few false alarms an hour the one that finds most, then the quickest, then the seldom wrong."""
    kept = [i for i, one in enumerate(tried) if one.episodes.false_per_hour <= at_most]
    found = [tried[i].episodes for i in kept]
    order = [(-one.share_found, one.latency(50), one.false_per_hour) for one in found]
    return kept[order.index(min(order))] if kept else None


def _crossed(tried: Mapping[Half, Sequence[Tried]], at_most: float) -> Episodes | None:
    counts = Episodes()
    for half, other in zip(HALVES, reversed(HALVES), strict=True):
        at = _best(tried[half], at_most)
        if at is None:
            return None
        counts += tried[other][at].episodes
    return counts
