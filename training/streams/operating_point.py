"""Where the tracker says `started`: bounds tried on hours of streams, by the daemon's own tracker.

Only two numbers are chosen. How much one window counts, either way, and how fast evidence fades hardly mattered over
wide ranges, and each number more is one more that fits the few hard sounds of one half.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

from tqdm import tqdm

from monitord.tracker import TrackerParams
from training.streams import promise
from training.streams.false_alarms import Episodes, Heard, score

USUAL: Final = TrackerParams(on_p=0.6, lean=0.0, most_for=1.5, most_against=1.0, fade_per_s=0.5)
"""What is not chosen. The threshold is the family's scale and stays where it was: a kept 0.5 still hears more."""
LEANS: Final = (0.4, 0.9, 1.4, 1.9, 2.4, 2.9)
"""Natural log-odds."""
ONS: Final = (4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 12.0, 14.0, 17.0, 20.0, 25.0)
"""Evidence, natural log-odds. Less than three windows' worth is one loud moment, which any sound has."""
OFF_SHARE: Final = 0.25
"""Share of `on` that keeps an episode alive: a whimper between two cries does not end it."""


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
    for lean, on in product(LEANS, ONS):
        yield replace(USUAL, lean=lean, on=on, off=on * OFF_SHARE)


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
