"""YAMNet and mn04 on the same streams as ours, counted by the same scorer, with the daemon's hold."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tqdm import tqdm

from training.label.teachers import YAMNET_SAMPLES, Mn04Teacher, YamnetTeacher
from training.streams.comparison import System
from training.streams.curves import Tried
from training.streams.false_alarms import Episodes, Heard, count
from training.streams.mixing import Half
from training.streams.peer_rules import Rule, Votes, rules
from training.streams.scoring import slide, teacher_scorer

MN04_HOP: Final = 7_680
"""Samples at 16 kHz between two of mn04's windows: 0.48 s, YAMNet's own hop in longer sound."""
AS_USED: Final = (
    ("YAMNet", "any window at 0.5, as Frigate", Votes(1, 1, 0.5)),
    ("mn04", "any window at 0.1", Votes(1, 1, 0.1)),
    ("mn04", "2 of 4 windows at 0.1", Votes(2, 4, 0.1)),
)
"""Name, rule in words, rule."""

HeardHalves = Mapping[Half, Sequence[Heard]]


def hear_peers(teachers: Path, heard: HeardHalves) -> dict[str, HeardHalves]:
    """Lets both hear the streams, by name; none where they are not there, which is said.

    Args:
        teachers: Folder with both.
        heard: The streams, as `hear_halves` heard them.
    """
    if not teachers.is_dir():
        tqdm.write(f"{teachers}: no such folder, so YAMNet and mn04 are left out", file=sys.stderr)
        return {}
    networks = {
        "YAMNet": (teacher_scorer(YamnetTeacher(teachers / "yamnet.tflite")), YAMNET_SAMPLES),
        "mn04": (teacher_scorer(Mn04Teacher(teachers / "mn04_as.onnx")), MN04_HOP),
    }
    out: dict[str, HeardHalves] = {}
    for name, (scorer, hop) in networks.items():
        bar = tqdm(total=sum(map(len, heard.values())), desc=f"{name} on streams", unit="hour")
        halves: dict[Half, list[Heard]] = {half: [] for half in heard}
        for half, streams in heard.items():
            for one in streams:
                halves[half].append(slide(one.stream, scorer, hop))
                bar.update()
        bar.close()
        out[name] = halves
    return out


def as_used(peers: Mapping[str, HeardHalves]) -> list[System]:
    """Each by the rules that people run it with."""
    return [
        System(name, words, _judge([one for half in peers[name].values() for one in half], rule))
        for name, words, rule in AS_USED
        if name in peers
    ]


def try_rules(heard: HeardHalves) -> dict[Half, list[Tried]]:
    """Tries every rule on a peer's streams, in the order of `rules`."""
    every = tqdm(list(rules()), desc="rules", unit="rule", mininterval=1.0)
    tried: dict[Half, list[Tried]] = {half: [] for half in heard}
    for rule in every:
        for half, streams in heard.items():
            tried[half].append(Tried(str(rule), _judge(streams, rule)))
    return tried


def _judge(heard: Sequence[Heard], rule: Rule) -> Episodes:
    return sum((count(one.stream, rule.alarms(one)) for one in heard), Episodes())
