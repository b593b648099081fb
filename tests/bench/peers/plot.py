"""Draws the table of the peers: CPU and memory as bars, ours first. Needs matplotlib, of the train extra."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib import ticker

from tests.bench.markdown import number
from tests.bench.peers.table import NOTHING_S, SOUNDS, Rounds

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {"quiet": "#9ecae1", "noisy": "#fdae6b", "crying": "#d6604d"}
"""By sound."""
OURS_COLOUR, PEERS_COLOUR = "#2166ac", "#b0b0b0"
"""Of the bars of memory."""
LEAST_CPU_S = 0.003
"""Left end of the logarithmic axis (CPU seconds per minute)."""
ROW_INCH, BAR = 0.72, 0.26
"""Height of one system (inches), and of one bar (rows)."""


def draw(names: Mapping[str, str], rounds: Rounds, path: Path) -> None:
    """Writes SVG or PNG, by the path's ending."""
    keys = [key for key in names if key in rounds]
    plt.rcParams |= {"font.size": 10, "svg.fonttype": "path", "axes.spines.top": False, "axes.spines.right": False}
    size = (13.0, 1.6 + ROW_INCH * len(keys))
    figure, (left, right) = plt.subplots(1, 2, figsize=size, sharey=True, width_ratios=(3, 2), layout="constrained")
    y = np.arange(len(keys), dtype=np.float64)
    for place, (sound, label) in enumerate(SOUNDS.items()):
        values = [float(np.median([one.cpu_s[sound] for one in rounds[key]])) for key in keys]
        _bars(left, y + (place - 1) * BAR, values, COLOURS[sound], label)
    left.set_xscale("log")
    left.set_xlim(LEAST_CPU_S, left.get_xlim()[1] * 2.5)
    left.set_xlabel("CPU seconds per minute of sound, one core (logarithmic)")
    left.xaxis.set_major_formatter(ticker.FuncFormatter(lambda value, _: f"{value:g}"))
    left.set_ylim(-0.6, len(keys) - 0.4)
    left.set_yticks(y, [names[key] for key in keys])
    for label, key in zip(left.get_yticklabels(), keys, strict=True):
        label.set_fontweight("bold" if _is_ours(key) else "normal")
    left.invert_yaxis()
    left.legend(loc="upper center", bbox_to_anchor=(0.5, 1.0 + 0.55 / len(keys)), ncols=3, frameon=False)
    memory = [float(np.median([one.memory_mb for one in rounds[key]])) for key in keys]
    colours = [OURS_COLOUR if _is_ours(key) else PEERS_COLOUR for key in keys]
    _bars(right, y, memory, colours, None, height=2 * BAR)
    right.set_xlabel("resident memory (Pss), MB")
    right.set_xlim(0, max(memory) * 1.18)
    for axes in (left, right):
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", alpha=0.25)
        axes.set_axisbelow(True)
    figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
    plt.close(figure)


def _bars(
    axes: Any,  # Any: matplotlib's own type says no more
    y: Any,
    values: list[float],
    colours: str | list[str],
    label: str | None,
    *,
    height: float = BAR,
) -> None:
    bars = axes.barh(y, [max(value, LEAST_CPU_S) for value in values], height * 0.92, color=colours, label=label)
    labels = [number(value) if value > NOTHING_S else "" for value in values]  # nothing: it has no listener of its own
    axes.bar_label(bars, labels, padding=3, fontsize=8.5)


def _is_ours(key: str) -> bool:
    return key in {"ours", "daemon", "ours-full"}
