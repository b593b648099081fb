"""Where the tracker says `started`: thresholds tried on hours of streams, by the daemon's own tracker."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from tqdm import tqdm

from monitord.tracker import TrackerParams
from training.streams import promise
from training.streams.false_alarms import Episodes, Heard, score

THRESHOLDS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995)
VOTES: Final = ((3, 4), (3, 5), (4, 5), (4, 6), (5, 6), (5, 7), (6, 7), (6, 8))
"""N of M windows. Fewer than three are one loud moment: chosen on one half of the sounds, they fail on the other."""
OFF_SHARE: Final = 0.6
"""Share of the threshold that keeps an episode alive: a whimper between two cries does not end it."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What one setting comes to."""

    tracker: TrackerParams
    episodes: Episodes

    @property
    def broken(self) -> float:
        """By how much the promises are broken, each as a share of itself; 0 where all are kept."""
        episodes = self.episodes
        kept = (
            (1.0 - episodes.share_found, promise.MOST_MISSED),
            (episodes.false_per_hour, promise.MOST_FALSE_PER_HOUR),
            (self.episodes.latency(50), promise.MOST_P50_S),
            (self.episodes.latency(95), promise.MOST_P95_S),
        )
        return sum(max(0.0, measured / promised - 1.0) for measured, promised in kept)


def settings() -> Iterator[TrackerParams]:
    """Yields all that are tried."""
    for (n, m), on_p in product(VOTES, THRESHOLDS):
        yield replace(TrackerParams(), on_p=on_p, off_p=round(on_p * OFF_SHARE, 3), n=n, m=m)


def judge(heard: Sequence[Heard], tracker: TrackerParams) -> Episodes:
    """Adds one setting's counts over several streams."""
    return sum((score(one, tracker) for one in heard), Episodes())


def try_settings(heard: Sequence[Heard]) -> list[Trial]:
    """Tries every setting on these streams, in the order of `settings`."""
    bar = tqdm(list(settings()), desc="thresholds", unit="setting", mininterval=1.0)
    return [Trial(tracker, judge(heard, tracker)) for tracker in bar]


def best(tried: Sequence[Trial]) -> Trial:
    """The one that breaks the promises least, all four weighing the same.

    Of several, the one that finds most, is seldom wrong, and is quickest.
    """
    return min(
        tried,
        key=lambda t: (t.broken, -t.episodes.share_found, t.episodes.false_per_hour, t.episodes.latency(50)),
    )
