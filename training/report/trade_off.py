"""The trade-off of detection: episodes found against false alarms an hour, at every threshold."""

from collections.abc import Sequence

from matplotlib.patches import Rectangle
from matplotlib.ticker import NullFormatter, ScalarFormatter

from training.report.drawing import COLOURS, SIZE_INCHES, picture, sketch
from training.report.parts import Picture
from training.report.systems import System, columns, labels
from training.results.number_text import hourly, of_100
from training.streams import promise


def diagram(systems: Sequence[System], quiet_hours: float) -> Picture:
    """Every system's curve and operating point.

    An hourly rate of zero has no place on a logarithmic axis: it is drawn where half a false alarm in all the hours
    without a cry would be, which is as little as they can tell from none.
    """
    least = 0.5 / quiet_hours
    names = labels(systems)
    with sketch((SIZE_INCHES[0], 3.4 + 0.12 * len(systems))) as canvas:
        axes = canvas.subplots()
        corner = Rectangle(
            (least / 2, 100 * (1 - promise.MOST_MISSED)),
            promise.MOST_FALSE_PER_HOUR - least / 2,
            100 * promise.MOST_MISSED,
            color=COLOURS[2],
            alpha=0.22,
            linewidth=0,
            label="the promise",
        )
        axes.add_patch(corner)
        for i, (name, s) in enumerate(zip(names, systems, strict=True)):
            colour = COLOURS[i % len(COLOURS)]
            points = sorted((max(p["false_per_hour"], least), 100 * p["found"]) for p in s["curve"])
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                color=colour,
                linewidth=2.4 if i == 0 else 1.3,
                label=name,
            )
            axes.plot(max(s["false_per_hour"], least), 100 * s["found"], "*", color=colour, markersize=12)
        rates = [p["false_per_hour"] for s in systems for p in (*s["curve"], s)]
        lowest = min((100 * p["found"] for s in systems for p in (*s["curve"], s)), default=0.0)
        axes.set_xscale("log")
        axes.set_xlim(least / 2, max([*rates, 2 * promise.MOST_FALSE_PER_HOUR]) * 1.4)
        axes.set_ylim(max(0.0, min(lowest, 90.0) - 4), 101)
        axes.xaxis.set_major_formatter(ScalarFormatter())
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set(xlabel="false alarms an hour (logarithmic)", ylabel="found of 100 episodes")
        canvas.legend(loc="outside upper center", ncols=columns(names))
        return picture(
            canvas,
            alt="Episodes found of 100 against false alarms an hour. Chosen points: "
            + "; ".join(
                f"{name} {of_100(s['found'])} at {hourly(s['false_per_hour'])}"
                for name, s in zip(names, systems, strict=True)
            ),
            caption="Each curve is one system at all its thresholds, the star where it stands by its own rule. The "
            "shaded corner is what a parent was promised. A rate of none is drawn at the left edge.",
        )
