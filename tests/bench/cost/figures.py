"""Figures with their spread, and the table of them, with the peers beside."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import numpy as np

from tests.bench.markdown import markdown


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured quantity."""

    name: str
    unit: str
    values: tuple[float, ...]
    """One for each repetition, at least one."""
    target: float | None = None
    """What it stays under (in `unit`); None: only told."""
    judged: float = 50.0
    """Percentile that the target is for: the median, unless told otherwise."""


PEERS = (
    ("BirdNET-Go, memory", "400 MB", "its users"),
    ("Frigate's audio detector, CPU", "from `small for 4 cameras` to 33 % of a core", "its users"),
    ("TensorFlow, import alone", "2.5 to 3.3 s warm, 19 s cold, 490 MB", "measured, 2 cores"),
    ("full VGGish on TensorFlow, a window", "28 to 44 ms, 1230 MB", "measured, 2 cores, one thread"),
    ("full VGGish on LiteRT int8, a window", "6.7 ms, 180 MB", "measured, 2 cores, one thread"),
)
"""Who, what, and where the figure comes from. No peer publishes its latency, or how many streams it was tested with."""


def table(figures: Iterable[Figure]) -> str:
    """Writes figures and peers as Markdown."""
    head = ("", "median", "least", "95 %", "most", "n", "target")
    rows = [head, *(_row(figure) for figure in figures)]
    peers = [("peer", "figure", "from"), *PEERS]
    return f"{markdown(rows)}\n{markdown(peers)}"


def to_json(machine: dict[str, object], figures: Iterable[Figure]) -> str:
    """Writes every single value, for a later comparison."""
    return json.dumps({"machine": machine, "figures": [asdict(figure) for figure in figures]}, indent=1) + "\n"


def _row(figure: Figure) -> tuple[str, ...]:
    values = np.array(figure.values)
    numbers = (np.median(values), values.min(), np.percentile(values, 95), values.max())
    target = ""
    if figure.target is not None:
        reached = np.percentile(values, figure.judged) < figure.target
        whose = "" if figure.judged == 50 else f"{figure.judged:g} % "
        target = f"{whose}{'under' if reached else 'NOT UNDER'} {figure.target:g}"
    return (f"{figure.name} ({figure.unit})", *map(_number, numbers), str(len(values)), target)


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"  # three digits, no exponent
