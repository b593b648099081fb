"""Methods side by side: the paper's Table 4, measured on the same folds of the same data."""

from collections.abc import Sequence
from typing import Final

from training.report.drawing import COLOURS, FAINT, SIZE_INCHES, picture, sketch
from training.report.parts import Measured, Picture, Section, Table, measured
from training.results.number_text import per_cent, within
from training.results.result_files import Result

COMMAND: Final = "monitord-train compare --clips CLIPS --out RESULTS/compare.json"
CHANCE: Final = 0.25
"""Unweighted average recall of four reasons by guessing."""


def section(results: Sequence[Result]) -> Section:
    """One table and one picture for each comparison."""
    return Section(
        "methods",
        "Methods compared",
        "The paper compares itself with figures that others measured on data of their own. Here all methods see the "
        "same clips in the same folds.",
        "compare",
        COMMAND,
        [_measured(result) for result in results],
    )


def _measured(result: Result) -> Measured:
    rows = [
        [
            method["name"],
            f"{method['features']}, {method['classifier']}",
            f"{method['weights']:,}" if isinstance(method["weights"], int) else str(method["weights"]),
            per_cent(method["random"]["accuracy"]),
            within(method["random"]["unweighted_average_recall"], method["random"]["unweighted_average_recall_95"]),
            per_cent(method["grouped"]["accuracy"]),
            within(method["grouped"]["unweighted_average_recall"], method["grouped"]["unweighted_average_recall_95"]),
            method["paper_says"],
        ]
        for method in result.figures["methods"]
    ]
    header = [
        "method",
        "features and classifier",
        "weights",
        "accuracy, random",
        "UAR (95 %), random",
        "accuracy, grouped",
        "UAR (95 %), grouped",
        "the paper says, of other data",
    ]
    note = f"UAR: unweighted average recall, by chance {CHANCE:.2f}."
    table = Table(f"{result.figures['folds']} folds (the paper's Table 4)", header, rows, note, wide=True)
    return measured(result, [table, _picture(result)])


def _picture(result: Result) -> Picture:
    methods = list(reversed(result.figures["methods"]))
    with sketch((SIZE_INCHES[0], 1.1 + 0.38 * len(methods))) as canvas:
        axes = canvas.subplots()
        for colour, shift, protocol in ((COLOURS[0], 0.12, "random"), (COLOURS[1], -0.12, "grouped")):
            value = [method[protocol]["unweighted_average_recall"] for method in methods]
            ends = [method[protocol]["unweighted_average_recall_95"] for method in methods]
            at = [row + shift for row in range(len(methods))]
            axes.hlines(at, [low for low, _ in ends], [high for _, high in ends], color=colour, linewidth=1.4)
            axes.plot(value, at, "o", color=colour, label=protocol)
        axes.axvline(CHANCE, color=FAINT, linestyle="--", linewidth=1, label="chance")
        axes.set_yticks(range(len(methods)), [method["name"] for method in methods])
        axes.set(xlim=(0, 1), ylim=(-0.5, len(methods) - 0.5), xlabel="recall, 95 % interval")
        canvas.legend(loc="outside upper center", ncols=3)
        return picture(
            canvas,
            alt="Unweighted average recall of each method with random and grouped folds, and chance.",
            caption="What is left of each method once nobody stands on both sides.",
        )
