"""The tables of streams: JSON values for `report` and the manifest, and the text that a person reads."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from training.results.number_text import seconds
from training.streams.comparison import System
from training.streams.curves import AT_MOST, Curve, Point
from training.streams.false_alarms import Episodes
from training.streams.mixing import StreamParams

EVENING_HOURS: Final = 4.0
"""From a baby's bedtime to its parents'."""
EVENING_SOUNDS_A_MINUTE: Final = 0.5
"""Besides the cries: every two minutes somebody on the stairs, a door, a voice."""
SNR_DB: Final = ((-15.1, -5.0), (-5.0, 0.0), (0.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 60.0))
"""Ranges of a cry over everything else while it lasts (decibels, active levels)."""


def figures(
    systems: Sequence[System],
    hours: int,
    curves: Sequence[Curve] = (),
    thresholds: Mapping[float, Episodes] = MappingProxyType({}),
) -> dict[str, Any]:
    """JSON values of all systems on the same streams (Any: whatever JSON holds).

    Args:
        systems: The first is ours.
        hours: With cries, and as many without, from each half.
        curves: Of each network by its best rules, ours first.
        thresholds: Ours at each threshold that a family may choose.
    """
    first = systems[0].episodes
    return {
        "hours": 2 * hours,
        "quiet_hours": 2 * hours,
        "episodes": len(first.found),
        "systems": [_system(system) for system in systems],
        "thresholds": [{"threshold": at, **point(episodes)} for at, episodes in thresholds.items()],
        "curves": [{"name": one.name, "points": [_at_most(at) for at in one.points]} for one in curves],
        "by_snr": [
            _row(systems, low, high) for low, high in SNR_DB if any(low <= snr_db < high for snr_db in first.snr_db)
        ],
        "false_by_kind": {label(system): dict(system.episodes.false_by_kind.most_common()) for system in systems},
    }


def label(system: System) -> str:
    """For tables: the name and its rule."""
    return f"{system.name}, {system.rule}"


def rounded_s(value: float) -> float | None:
    """Seconds for JSON, which has no infinity: None where there is nothing to take a percentile of."""
    return None if value == float("inf") else round(value, 2)


def point(episodes: Episodes) -> dict[str, float | None]:
    """What a rule comes to: share found, false alarms an hour over all hours, seconds to the alarm."""
    return {
        "found": round(episodes.share_found, 3),
        "false_per_hour": round(episodes.false_per_hour, 2),
        "latency_p50_s": rounded_s(episodes.latency(50)),
        "latency_p95_s": rounded_s(episodes.latency(95)),
    }


def _row(systems: Sequence[System], low: float, high: float) -> dict[str, Any]:
    def of(value: Callable[[Episodes], float | None]) -> dict[str, float | None]:
        return {label(system): value(system.episodes.within(low, high)) for system in systems}

    return {
        "snr_db": [round(low), round(high)],
        "episodes": len(systems[0].episodes.within(low, high).found),
        "found": of(lambda cries: round(cries.share_found, 3)),
        "latency_p50_s": of(lambda cries: rounded_s(cries.latency(50))),
        "latency_p95_s": of(lambda cries: rounded_s(cries.latency(95))),
    }


def _system(system: System) -> dict[str, Any]:
    low, high = system.episodes.found_interval()
    return {
        "name": system.name,
        "rule": system.rule,
        "found_95": [round(low, 3), round(high, 3)],
        **point(system.episodes),
        "after_teacher_p50_s": rounded_s(system.episodes.after_teacher(50)),
        "after_teacher_p95_s": rounded_s(system.episodes.after_teacher(95)),
    }


def _at_most(at: Point) -> dict[str, Any]:
    best = {"at_most": at.at_most, "rule": at.best.rule, **point(at.best.episodes)}
    return best | {"crossed": None if at.crossed is None else point(at.crossed)}


def markdown(found: Mapping[str, Any]) -> str:
    """Writes the tables that a person reads."""
    hours = found["hours"] + found["quiet_hours"]
    lines = [
        (
            f"{found['episodes']} cries in {found['hours']} hours, and {found['quiet_hours']} hours without a cry. "
            f"False is an alarm while nobody cries; an hour is one of all {hours}, with cries and without. Seconds to "
            "the alarm are those from a cry's first sound, and those from the end of the first window in which a "
            "teacher hears that cry alone: recordings begin with rustle."
        ),
        "",
        (
            f"| | rule | found (95 %) | false an hour, of all {hours} | from the first sound: median | 95 % | "
            "after a teacher: median | 95 % |"
        ),
        "|---" * 8 + "|",
    ]
    for system in found["systems"]:
        low, high = system["found_95"]
        told = [system[f"{what}_{p}_s"] for what in ("latency", "after_teacher") for p in ("p50", "p95")]
        lines.append(
            f"| {system['name']} | {system['rule']} | {system['found']:.1%} ({low:.1%} to {high:.1%}) | "
            f"{system['false_per_hour']:.2f} | " + " | ".join(map(seconds, told)) + " |"
        )
    lines += ["", _evening(found["systems"][0])]
    if found["thresholds"]:
        lines += ["", *_thresholds(found["thresholds"])]
    if found["curves"]:
        lines += ["", *_curves(found["curves"])]
    names = list(found["false_by_kind"])
    head = ["| dB | cries | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    lines += ["", "Share found, by decibels of the cry over everything else:", "", *head]
    lines += [_cells(row, [f"{row['found'][name]:.0%}" for name in names]) for row in found["by_snr"]]
    lines += ["", "Seconds from the first sound, median and 95th percentile, by the same:", "", *head]
    for row in found["by_snr"]:
        p50, p95 = row["latency_p50_s"], row["latency_p95_s"]
        lines.append(_cells(row, [f"{seconds(p50[name])}, {seconds(p95[name])}" for name in names]))
    lines += ["", "What sounded when an alarm was false:", ""]
    for name, kinds in found["false_by_kind"].items():
        lines.append(f"- {name}: " + (", ".join(f"{kind} {n}" for kind, n in kinds.items()) or "none"))
    return "\n".join(lines)


def _evening(system: Mapping[str, Any]) -> str:
    busy = 3600.0 / StreamParams().every_s
    sounds = EVENING_SOUNDS_A_MINUTE * 60.0 * EVENING_HOURS
    return (
        f"These hours hold {busy / 60:g} sounds a minute besides the cries. An evening of {EVENING_HOURS:g} hours with "
        f"{EVENING_SOUNDS_A_MINUTE:g} a minute holds {sounds:g}, as many as {60 * sounds / busy:.0f} minutes of these: "
        f"{system['false_per_hour'] * sounds / busy:.1f} false alarms an evening by the first row, "
        "were its sounds as hard."
    )


def _thresholds(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        (
            "The bundle as it ships, at each threshold that a family may choose for a room; its bounds were chosen on "
            "these very hours, at its own threshold:"
        ),
        "",
        "| threshold | found | false an hour | from the first sound: median | 95 % |",
        "|---" * 5 + "|",
    ]
    return lines + [
        f"| {row['threshold']:g} | {row['found']:.1%} | {row['false_per_hour']:.2f} | "
        f"{seconds(row['latency_p50_s'])} | {seconds(row['latency_p95_s'])} |"
        for row in rows
    ]


def _curves(curves: Sequence[Mapping[str, Any]]) -> list[str]:
    lines = [
        (
            "Each network by the best of all rules that were tried with at most so many false alarms an hour: found, "
            "and the median from the first sound. The rule was chosen on these very hours, which flatters all alike; "
            "in brackets, chosen on one half and judged on the other, with the false alarms an hour that came of it."
        ),
        "",
        "| false an hour at most | " + " | ".join(one["name"] for one in curves) + " |",
        "|---" * (1 + len(curves)) + "|",
    ]
    points = [{at["at_most"]: at for at in one["points"]} for one in curves]
    lines += [f"| {bound:g} | " + " | ".join(_told(of.get(bound)) for of in points) + " |" for bound in AT_MOST]
    return lines


def _told(at: Mapping[str, Any] | None) -> str:
    if at is None:
        return "-"
    best = f"{at['found']:.1%}, {seconds(at['latency_p50_s'])}"
    crossed = at["crossed"]
    if crossed is None:
        return f"{best} (-)"
    found, false, p50 = crossed["found"], crossed["false_per_hour"], crossed["latency_p50_s"]
    return f"{best} ({found:.1%} at {false:.2f}, {seconds(p50)})"


def _cells(row: Mapping[str, Any], cells: Sequence[str]) -> str:
    return f"| {row['snr_db'][0]} to {row['snr_db'][1]} | {row['episodes']} | " + " | ".join(cells) + " |"
