"""The page's first screen: what a parent asks, answered from the results, beside what was promised and the peers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from training.report import hearing, systems
from training.report.parts import Table
from training.results.number_text import hourly, of_100, seconds
from training.results.result_files import Kind, Result
from training.streams import promise

CHANCE: Final = 0.25
"""Unweighted average recall of four reasons by guessing."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure, large."""

    value: str
    unit: str
    words: str
    promised: str
    state: Literal["kept", "broken", "unknown"]


@dataclass(frozen=True, slots=True)
class Summary:
    """What a parent understands first."""

    tiles: Sequence[Tile]
    sentences: Sequence[str]
    beside: Table | None
    """Ours and the peers; None where nobody measured."""
    synthetic: bool
    """Whether the tiles are of synthetic data."""


def summarise(results: Mapping[Kind, Sequence[Result]], name: str) -> Summary:
    """Answers from the first result of each kind that is of real data, else from the first; `name` is the bundle's."""
    streams = _best(results.get("streams", ()))
    reasons = _best(results.get("crossval", ()))
    sentences = [*_hearing(streams, name), *_reasons(reasons)]
    beside = None
    if streams is not None:
        every = streams.figures["systems"]
        beside = hearing.systems_table(every, systems.ours(every, name), "Beside what people run today")
    return Summary(_tiles(streams, name), sentences, beside, streams is not None and streams.synthetic)


def _best(results: Sequence[Result]) -> Result | None:
    return next((result for result in results if not result.synthetic), results[0] if results else None)


def _tiles(streams: Result | None, name: str) -> list[Tile]:
    found, false, p50, p95 = (
        f"promised: at least {of_100(1 - promise.MOST_MISSED)}",
        f"promised: under {promise.MOST_FALSE_PER_HOUR:g}",
        f"promised: {promise.MOST_P50_S:g} s",
        f"promised: {promise.MOST_P95_S:g} s",
    )
    words = ("crying episodes found", "false alarms an hour", "from the first sound to the alarm, half of the time",
             "from the first sound to the alarm, 95 times in 100")  # fmt: skip
    promised = (found, false, p50, p95)
    units = ("of 100", "", "s", "s")
    if streams is None:
        return [Tile("?", "", w, p, "unknown") for w, p in zip(words, promised, strict=True)]
    s = systems.ours(streams.figures["systems"], name)
    kept = promise.kept(s["found"], s["false_per_hour"], s["latency_p50_s"], s["latency_p95_s"]).values()
    values = (
        of_100(s["found"]),
        hourly(s["false_per_hour"]),
        *[seconds(s[key]).removesuffix(" s") for key in ("latency_p50_s", "latency_p95_s")],
    )
    return [
        Tile(value, unit, w, p, "kept" if ok else "broken")
        for value, unit, w, p, ok in zip(values, units, words, promised, kept, strict=True)
    ]


def _hearing(streams: Result | None, name: str) -> list[str]:
    if streams is None:
        return [f"How well it hears over hours was not measured; {hearing.COMMAND} does."]
    found = streams.figures
    s = systems.ours(found["systems"], name)
    false = s["false_per_hour"]
    wolf = "no false alarm at all"
    if false:
        wolf = f"{false:.1f} false alarms an hour" if false >= 1 else f"one false alarm in about {1 / false:.1f} hours"
    return [
        (
            f"Of 100 times that a baby cries, it raises the alarm {of_100(s['found'])} times; over all hours it "
            f"gave {wolf}. Measured on {found['hours']:g} hours with {found['episodes']} crying "
            f"episodes and {found['quiet_hours']:g} hours without, made of recordings that training never heard and "
            "busier than a home at night."
        )
    ]


def _reasons(crossval: Result | None) -> list[str]:
    if crossval is None:
        return ["Whether it can tell why a baby cries was not measured here."]
    if crossval.synthetic:
        return [
            (
                "Whether it can tell why a baby cries was measured on SYNTHETIC cries only (no baby cried in them), "
                "which says nothing about babies."
            )
        ]
    f: Mapping[str, Any] = crossval.figures["grouped"]["model"]
    low, high = f["unweighted_average_recall_95"]
    recall = f["unweighted_average_recall"]
    skill = (
        "better than guessing"
        if low > CHANCE
        else "worse than guessing"
        if high < CHANCE
        else "no better than guessing, as far as can be told"
    )
    return [
        (
            f"Why a baby cries, for a baby never heard before: right in {of_100(recall)} of 100 with every reason "
            f"weighing the same ({of_100(low)} to {of_100(high)}), and guessing gives {of_100(CHANCE)}: "
            f"{skill} (measured on {crossval.data})."
        ),
    ]
