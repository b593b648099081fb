"""Episodes on hours of streams, by the bundle's own rule and by one that was chosen elsewhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tqdm import tqdm

from model.bundle import Bundle
from monitord.tracker import TrackerParams
from training.data.prepared import Prepared
from training.streams.curves import Curve, Tried, curve
from training.streams.false_alarms import Episodes, Heard
from training.streams.mixing import HALVES, Half, Stream, lay
from training.streams.operating_point import Trial, best, judge
from training.streams.scoring import bundle_scorer, hear_stream

SEED: Final = 1
"""Of the streams that the shipped figures rest on."""
THRESHOLDS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""What a family may choose for a room, around the bundle's own 0.6 (calibrated probabilities)."""


@dataclass(frozen=True, slots=True)
class System:
    """One network with one rule."""

    name: str
    rule: str
    episodes: Episodes


def streams_of(prepared: Prepared, half: Half, hours: int) -> list[Stream]:
    """So many hours with cries and as many without, from one half of the held-out recordings."""
    return [stream for cries in (True, False) for stream in lay(prepared, half, hours=hours, seed=SEED, cries=cries)]


def hear_halves(prepared: Prepared, bundle: Bundle, hours: int) -> dict[Half, list[Heard]]:
    """Ours on both halves: `hours` with cries and `hours` without, each."""
    scorer = bundle_scorer(bundle)
    bar = tqdm(total=4 * hours, desc="hear streams", unit="hour")
    out: dict[Half, list[Heard]] = {}
    for half in HALVES:
        out[half] = []
        for stream in streams_of(prepared, half, hours):
            out[half].append(hear_stream(stream, bundle, scorer))
            bar.update()
    bar.close()
    return out


def ours(name: str, heard: Sequence[Heard], tracker: TrackerParams) -> System:
    """The bundle by its own rule."""
    return System(name, words(tracker), judge(heard, tracker))


def by_threshold(heard: Sequence[Heard], tracker: TrackerParams) -> dict[float, Episodes]:
    """The bundle's rule at each of `THRESHOLDS`, as the daemon moves it."""
    return {on_p: judge(heard, replace(tracker, on_p=on_p)) for on_p in THRESHOLDS}


def words(tracker: TrackerParams) -> str:
    """The rule, for tables."""
    return f"evidence of {tracker.on:g}, windows from {tracker.speaks_from(tracker.on_p):.2f}"


def crossed(name: str, tried: Mapping[Half, Sequence[Trial]]) -> System:
    """The bundle with thresholds chosen on each half and judged on the other: what to expect of unheard families.

    Args:
        name: The bundle's.
        tried: By half, what `try_settings` made of its streams.
    """
    counts = Episodes()
    for half, other in zip(HALVES, reversed(HALVES), strict=True):
        chosen = best(tried[half]).tracker
        counts += next(trial.episodes for trial in tried[other] if trial.tracker == chosen)
    return System(name, "thresholds chosen on the other half", counts)


def our_curve(name: str, tried: Mapping[Half, Sequence[Trial]]) -> Curve:
    """The bundle by the best of all settings at each rate of false alarms; arguments as for `crossed`."""
    rules = {half: [Tried(words(trial.tracker), trial.episodes) for trial in tried[half]] for half in HALVES}
    return curve(name, rules)
