"""The trade-off of detection: episodes found, and seconds to the alarm, against false alarms an hour."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, ScalarFormatter

from training.report.drawing import COLOURS, SIZE_INCHES, picture, sketch
from training.report.parts import Picture, Table
from training.report.systems import System, columns, labels
from training.results.number_text import NONE, hourly, of_100, seconds
from training.streams import promise

Curve = Mapping[str, Any]
"""JSON values of one network, as `streams` describes them: its best rule at each rate."""


def diagram(curves: Sequence[Curve], systems: Sequence[System], hours: float) -> Picture:
    """Every network's curves by its best rules, and where each system stands by its own.

    An hourly rate of zero has no place on a logarithmic axis: it is drawn where half a false alarm in all the hours
    would be, which is as little as they can tell from none.
    """
    least = 0.5 / hours
    names = list(dict.fromkeys([*(one["name"] for one in curves), *(s["name"] for s in systems)]))
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(names)}
    rates = [at["at_most"] for one in curves for at in one["points"]] + [s["false_per_hour"] for s in systems]
    with sketch((SIZE_INCHES[0], 5.6)) as canvas:
        found, told = canvas.subplots(2, 1, sharex=True)
        right = promise.MOST_FALSE_PER_HOUR - least / 2
        for axes, bottom, height in (
            (found, 100 * (1 - promise.MOST_MISSED), 100 * promise.MOST_MISSED),
            (told, 0.0, promise.MOST_P50_S),
        ):
            corner = Rectangle((least / 2, bottom), right, height, color=COLOURS[2], alpha=0.22, linewidth=0)
            axes.add_patch(corner)
        for one in curves:
            _draw(found, one, colours, lambda at: 100 * at["found"])
            _draw(told, one, colours, lambda at: at["latency_p50_s"])
        for s in systems:
            at = max(s["false_per_hour"], least)
            found.plot(at, 100 * s["found"], "*", color=colours[s["name"]], markersize=12)
            if s["latency_p50_s"] is not None:
                told.plot(at, s["latency_p50_s"], "*", color=colours[s["name"]], markersize=12)
        found.set_xscale("log")
        found.set_xlim(least / 2, max([*rates, 2 * promise.MOST_FALSE_PER_HOUR]) * 1.4)
        lowest = min(100 * at["found"] for at in [*systems, *(at for one in curves for at in one["points"])])
        found.set_ylim(max(0.0, min(lowest, 90.0) - 4), 101)
        told.set_ylim(bottom=0.0)
        told.xaxis.set_major_formatter(ScalarFormatter())
        told.xaxis.set_minor_formatter(NullFormatter())
        found.set(ylabel="found of 100 episodes")
        told.set(xlabel="false alarms an hour, of all hours (logarithmic)", ylabel="seconds to the alarm, median")
        canvas.legend(*found.get_legend_handles_labels(), loc="outside upper center", ncols=columns(names))
        return picture(
            canvas,
            alt="Episodes found of 100, and median seconds to the alarm, against false alarms an hour; the table has "
            "the curves. Chosen points: "
            + "; ".join(
                f"{name} {of_100(s['found'])} at {hourly(s['false_per_hour'])}"
                for name, s in zip(labels(systems), systems, strict=True)
            ),
            caption="Each curve is one network by the best of all rules with at most so many false alarms an hour, "
            "chosen on these very hours for each alike; a star is a system by its own rule. Shaded is what a parent "
            "was promised. A rate of none is drawn at the left edge.",
        )


def _draw(
    axes: Axes, one: Curve, colours: Mapping[str, str], value: Callable[[Mapping[str, Any]], float | None]
) -> None:
    points = [(at["at_most"], value(at)) for at in one["points"]]
    xs, ys = [x for x, y in points if y is not None], [y for _, y in points if y is not None]
    axes.plot(xs, ys, label=one["name"], color=colours[one["name"]], marker="o", markersize=3)


def table(curves: Sequence[Curve]) -> Table:
    """What is drawn, and what comes of choosing the rule on other families and sounds."""
    bounds = list(dict.fromkeys(at["at_most"] for one in curves for at in one["points"]))
    points = [{at["at_most"]: at for at in one["points"]} for one in curves]
    return Table(
        "Found of 100 and median seconds, by the best rule with at most so many false alarms an hour",
        ["false an hour at most", *(one["name"] for one in curves)],
        [[f"{bound:g}", *(_cell(of.get(bound)) for of in points)] for bound in sorted(bounds)],
        "In brackets: the rule chosen on one half of the families and sounds and judged on the other, both ways, with "
        "the false alarms an hour that came of it.",
        folded=True,
    )


def _cell(at: Mapping[str, Any] | None) -> str:
    if at is None:
        return NONE
    best = f"{of_100(at['found'])}, {seconds(at['latency_p50_s'])}"
    crossed = at["crossed"]
    if crossed is None:
        return f"{best} ({NONE})"
    beside = f"{of_100(crossed['found'])} at {hourly(crossed['false_per_hour'])}, {seconds(crossed['latency_p50_s'])}"
    return f"{best} ({beside})"
