"""Episodes on hours of streams, ours beside the peers: `monitord-train streams`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from tqdm import tqdm

from model.bundle import Bundle
from monitord.tracker import TrackerParams
from training.data.prepared import Prepared
from training.label.teachers import YAMNET_SAMPLES, Mn04Teacher, YamnetTeacher
from training.results.number_text import seconds
from training.streams.false_alarms import Episodes, Heard
from training.streams.mixing import Half, Stream, lay
from training.streams.operating_point import OFF_SHARE, THRESHOLDS, Trial, best, judge
from training.streams.scoring import Scorer, bundle_scorer, hear_stream, slide, teacher_scorer

HALVES: Final[tuple[Half, Half]] = ("a", "b")
SEED: Final = 1
"""Of the streams that the shipped figures rest on."""
SNR_DB: Final = ((-15.1, -5.0), (-5.0, 0.0), (0.0, 5.0), (5.0, 10.0), (10.0, 20.0), (20.0, 60.0))
"""Ranges of a cry over everything else while it lasts (decibels, active levels)."""
MN04_HOP: Final = 7_680
"""Samples at 16 kHz between two of mn04's windows: 0.48 s, YAMNet's own hop in longer sound."""


@dataclass(frozen=True, slots=True)
class System:
    """One network with one rule."""

    name: str
    rule: str
    episodes: Episodes
    curve: tuple[tuple[float, Episodes], ...] = ()
    """By threshold."""


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
    """The bundle by its own rule, and what other thresholds would come to."""
    rule = f"{tracker.n} of {tracker.m} windows at {tracker.on_p:g}"
    return System(name, rule, judge(heard, tracker), _curve(heard, tracker))


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


def peers(teachers: Path, heard: Mapping[Half, Sequence[Heard]]) -> list[System]:
    """YAMNet and mn04 on the same streams, by the same scorer and the same hold; none where they are not there.

    Args:
        teachers: Folder with both.
        heard: The streams, as `hear_halves` heard them.
    """
    if not teachers.is_dir():
        tqdm.write(f"{teachers}: no such folder, so YAMNet and mn04 are left out", file=sys.stderr)
        return []
    yamnet = teacher_scorer(YamnetTeacher(teachers / "yamnet.tflite"))
    mn04 = teacher_scorer(Mn04Teacher(teachers / "mn04_as.onnx"))
    every = [one.stream for half in HALVES for one in heard[half]]
    frigate = _slide(every, yamnet, YAMNET_SAMPLES, "YAMNet on streams")
    tagged = _slide(every, mn04, MN04_HOP, "mn04 on streams")
    one = TrackerParams(n=1, m=1)
    two = TrackerParams(n=2, m=4)
    return [
        _peer("YAMNet", "any window at 0.5, as Frigate", frigate, replace(one, on_p=0.5, off_p=0.5)),
        _peer("mn04", "any window at 0.1", tagged, replace(one, on_p=0.1, off_p=0.1)),
        _peer("mn04", "2 of 4 windows at 0.1", tagged, replace(two, on_p=0.1, off_p=0.1)),
    ]


def _slide(streams: Sequence[Stream], scorer: Scorer, hop: int, what: str) -> list[Heard]:
    return [slide(stream, scorer, hop) for stream in tqdm(streams, desc=what, unit="hour")]


def _peer(name: str, rule: str, heard: Sequence[Heard], tracker: TrackerParams) -> System:
    return System(name, rule, judge(heard, tracker), _curve(heard, tracker))


def _curve(heard: Sequence[Heard], tracker: TrackerParams) -> tuple[tuple[float, Episodes], ...]:
    tried = (replace(tracker, on_p=on_p, off_p=round(on_p * OFF_SHARE, 3)) for on_p in (0.02, 0.05, 0.1, *THRESHOLDS))
    return tuple((params.on_p, judge(heard, params)) for params in tried)


def figures(systems: Sequence[System], hours: int) -> dict[str, Any]:
    """JSON values for `report` and the manifest; Any: whatever JSON holds."""
    first = systems[0].episodes
    return {
        "hours": 2 * hours,
        "quiet_hours": 2 * hours,
        "episodes": len(first.found),
        "systems": [_system(system) for system in systems],
        "by_snr": [
            {
                "snr_db": [round(low), round(high)],
                "episodes": sum(low <= snr < high for snr in first.snr_db),
                "found": {label(system): round(_within(system.episodes, low, high), 3) for system in systems},
            }
            for low, high in SNR_DB
            if any(low <= snr < high for snr in first.snr_db)
        ],
        "false_by_kind": {label(system): dict(system.episodes.false_by_kind.most_common()) for system in systems},
    }


def label(system: System) -> str:
    """For tables: the name and its rule."""
    return f"{system.name}, {system.rule}"


def _within(episodes: Episodes, low: float, high: float) -> float:
    found = [f for f, snr in zip(episodes.found, episodes.snr_db, strict=True) if low <= snr < high]
    return sum(found) / len(found)


def _system(system: System) -> dict[str, Any]:
    low, high = system.episodes.found_interval()
    return {
        "name": system.name,
        "rule": system.rule,
        "found_95": [round(low, 3), round(high, 3)],
        **_point(system.episodes),
        "curve": [{"threshold": threshold, **_point(episodes)} for threshold, episodes in system.curve],
    }


def _point(episodes: Episodes) -> dict[str, float | None]:
    latency = [episodes.latency(50), episodes.latency(95)] if episodes.latency_s else [None, None]
    return {
        "found": round(episodes.share_found, 3),
        "false_per_hour": round(episodes.false_per_hour, 2),
        "latency_p50_s": latency[0] if latency[0] is None else round(latency[0], 2),
        "latency_p95_s": latency[1] if latency[1] is None else round(latency[1], 2),
    }


def markdown(found: dict[str, Any]) -> str:
    """Writes the tables that a person reads."""
    lines = [
        (
            f"{found['episodes']} cries in {found['hours']} hours, and {found['quiet_hours']} hours without a cry. "
            f"False is an alarm while nobody cries, over all {found['hours'] + found['quiet_hours']} hours."
        ),
        "",
        "| | rule | found (95 %) | false an hour | latency p50 | p95 |",
        "|---|---|---|---|---|---|",
    ]
    for system in found["systems"]:
        low, high = system["found_95"]
        lines.append(
            f"| {system['name']} | {system['rule']} | {system['found']:.1%} ({low:.1%} to {high:.1%}) | "
            f"{system['false_per_hour']:.2f} | {seconds(system['latency_p50_s'])} | "
            f"{seconds(system['latency_p95_s'])} |"
        )
    names = list(found["false_by_kind"])
    lines += ["", "Share found, by decibels of the cry over everything else:", ""]
    lines += ["| dB | cries | " + " | ".join(names) + " |", "|---" * (2 + len(names)) + "|"]
    for row in found["by_snr"]:
        shares = " | ".join(f"{row['found'][name]:.0%}" for name in names)
        lines.append(f"| {row['snr_db'][0]} to {row['snr_db'][1]} | {row['episodes']} | {shares} |")
    lines += ["", "What sounded when an alarm was false:", ""]
    for name, kinds in found["false_by_kind"].items():
        lines.append(f"- {name}: " + (", ".join(f"{kind} {n}" for kind, n in kinds.items()) or "none"))
    return "\n".join(lines)
