"""The table of ours and the peers: medians, ratios to ours round by round, and the spread."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tests.bench.markdown import markdown, number

SOUNDS = {"quiet": "quiet room", "noisy": "noisy room", "crying": "constant crying"}
"""By key, as the table calls them."""
OURS = "ours"
"""Key of the row that the ratios are to."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one start of one system cost."""

    cpu_s: Mapping[str, float]
    """CPU seconds per minute of sound, by sound."""
    windows: Mapping[str, float]
    """Windows through the network per minute of sound, by sound; empty where nobody counted."""
    memory_mb: float
    """Pss, MB of 10^6 bytes."""
    start_s: float
    """From the start of the process until the first window was decided (seconds)."""
    alert_s: tuple[float | None, ...] = ()
    """From the onset of each cry to the decision (seconds); None where it was missed; empty where it cannot say."""

    @property
    def windows_per_s(self) -> float | None:
        """Windows in a second of one core, all work on the sound included, in the noisy room."""
        windows, cpu_s = self.windows.get("noisy"), self.cpu_s["noisy"]
        return windows / cpu_s if windows and cpu_s else None


Rounds = Mapping[str, Sequence[Round]]
"""By system; all systems with as many rounds, round i of each at about the same time."""
Value = Callable[[Round], float | None]

NOTHING_S = 5e-4
"""CPU seconds per minute of a system without a gate of its own, told that there is no sound: no cost of its."""


def _quiet(one: Round) -> float | None:
    return one.cpu_s["quiet"] if one.cpu_s["quiet"] > NOTHING_S else None


COLUMNS: Mapping[str, Value] = {
    "CPU s, quiet": _quiet,
    "CPU s, noisy": lambda one: one.cpu_s["noisy"],
    "CPU s, crying": lambda one: one.cpu_s["crying"],
    "memory MB": lambda one: one.memory_mb,
    "hears after s": lambda one: one.start_s,
    "windows/s of a core": lambda one: one.windows_per_s,
}


def table(names: Mapping[str, str], rounds: Rounds) -> str:
    """Writes Markdown: medians, with the ratio to ours (median over the rounds) behind.

    Args:
        names: What a person calls each system, by key, in the order of the rows.
        rounds: Those that were measured; ours among them.
    """
    rows = [["", *COLUMNS, "windows a minute, crying", "onset to decision s (found)"]]
    for key, name in names.items():
        if key in rounds:
            cells = [_cell(rounds, key, value) for value in COLUMNS.values()]
            windows = [one.windows["crying"] for one in rounds[key] if one.windows]
            rows.append([name, *cells, f"{np.median(windows):.0f}" if windows else "", _alert(rounds[key])])
    return markdown(rows)


def spread(names: Mapping[str, str], rounds: Rounds) -> str:
    """Writes Markdown: least to most of each column."""
    rows = [["", *COLUMNS]]
    for key, name in names.items():
        if key in rounds:
            rows.append([name, *(_range(rounds[key], value) for value in COLUMNS.values())])
    return markdown(rows)


def ratio(rounds: Rounds, key: str, value: Value) -> float | None:
    """How often ours goes into it: the median over rounds, so that other work on the machine weighs on both."""
    pairs = [(value(theirs), value(ours)) for theirs, ours in zip(rounds[key], rounds[OURS], strict=True)]
    ratios = [theirs / ours for theirs, ours in pairs if theirs is not None and ours]
    return float(np.median(ratios)) if ratios else None


def _cell(rounds: Rounds, key: str, value: Value) -> str:
    values = [found for one in rounds[key] if (found := value(one)) is not None]
    if not values:
        return ""
    times = ratio(rounds, key, value)
    behind = "" if key == OURS or times is None else f" ({times:.2g}x)" if times < 100 else f" ({times:.0f}x)"
    return number(float(np.median(values))) + behind


def _range(rounds: Sequence[Round], value: Value) -> str:
    values = [found for one in rounds if (found := value(one)) is not None]
    return f"{number(min(values))} to {number(max(values))}" if values else ""


def _alert(rounds: Sequence[Round]) -> str:
    tried = [alert for one in rounds for alert in one.alert_s]
    found = [alert for alert in tried if alert is not None]
    if not tried:
        return ""
    share = f"({len(found)} of {len(tried)})"
    return f"{number(float(np.median(found)))} {share}" if found else share
