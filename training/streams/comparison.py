"""Episodes on hours of streams, ours beside the peers: `monitord-train streams`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from tqdm import tqdm

from model.bundle import Bundle
from monitord.tracker import TrackerParams
from training.data.prepared import Prepared
from training.label.teachers import YAMNET_SAMPLES, Mn04Teacher, YamnetTeacher
from training.streams.false_alarms import Episodes, Heard
from training.streams.mixing import Half, Stream, lay
from training.streams.operating_point import OFF_SHARE, THRESHOLDS, Trial, best, judge
from training.streams.scoring import Scorer, bundle_scorer, hear_stream, slide, teacher_scorer

HALVES: Final[tuple[Half, Half]] = ("a", "b")
SEED: Final = 1
"""Of the streams that the shipped figures rest on."""
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
