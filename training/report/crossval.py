"""Reasons, cross-validated: the paper's Tables 2 and 3 by both protocols, beside what chance would get."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from monitord.types import REASONS
from training.report.drawing import COLOURS, FAINT, picture, sketch
from training.report.parts import Cell, Measured, Picture, Section, Table, measured
from training.results.number_text import figure, per_cent, spoken, within
from training.results.result_files import Result

COMMAND: Final = "monitord-train crossval --clips CLIPS --out RESULTS/crossval.json"
PROTOCOLS: Final = {"random": "random over clips, as the paper", "grouped": "grouped, nobody on both sides"}
BINS: Final = 10
"""Of the reliability diagram: as wide as those of the calibration error."""
PAPER_FOLDS: Final = (0.965, 0.954, 0.960, 0.959, 0.977)
"""The paper's Table 2: accuracy of its five folds, random over the clips of its private data."""
PAPER_F1: Final = {"hunger": 0.969, "boredom": 0.987, "tiredness": 0.932, "discomfort": 0.940}
"""The paper's Table 3."""

Figures = Mapping[str, Any]
"""JSON values as `training.evaluate.reason_metrics.figures` and the command describe them."""


def section(results: Sequence[Result]) -> Section:
    """Folds, classes, confusion and calibration of every cross-validation."""
    return Section(
        "reasons",
        "Reasons, cross-validated",
        "Random folds let clips of one baby stand on both sides; grouped folds ask what a parent asks: does it work "
        "for a baby that was never heard? Chance is what the majority class and shuffled labels get.",
        "crossval",
        COMMAND,
        [_measured(result) for result in results],
    )


def _measured(result: Result) -> Measured:
    found = result.figures
    blocks: list[Table | Picture] = [
        _protocols(found),
        _folds(found),
        *[_classes(found, protocol) for protocol in PROTOCOLS],
        *[_confusion(found, protocol) for protocol in PROTOCOLS],
        reliability(found),
    ]
    counts = ", ".join(f"{n} {reason}" for reason, n in found["clips"].items())
    words = f"{counts}: {sum(found['clips'].values())} clips of {found['groups']} groups; recipe {found['recipe']}."
    return measured(result, blocks, words)


def _protocols(found: Figures) -> Table:
    by = found.get("shuffled_labels_by")
    shuffled = f" Shuffled labels: {by}." if by else ""
    rows = [
        [
            f"{spoken(name)}, {protocol}",
            within(f["accuracy"], f["accuracy_95"]),
            within(f["unweighted_average_recall"], f["unweighted_average_recall_95"]),
            within(f["macro_f1"], f["macro_f1_95"]),
            figure(f["expected_calibration_error"]),
        ]
        for protocol in PROTOCOLS
        for name in ("model", "majority", "shuffled_labels")
        for f in [found[protocol][name]]
    ]
    return Table(
        "Both protocols, with 95 % intervals over groups",
        ["", "accuracy", "unweighted average recall", "macro-F1", "calibration error"],
        rows,
        f"By chance the unweighted average recall is {1 / len(REASONS):.2f}.{shuffled}",
        wide=True,
    )


def _folds(found: Figures) -> Table:
    rows: list[list[str | Cell]] = []
    for protocol, words in PROTOCOLS.items():
        folds = found[protocol]["fold_accuracy"]
        rows.append([words, *map(per_cent, folds), per_cent(float(np.mean(folds)))])
    n = len(rows[0]) - 2
    if n == len(PAPER_FOLDS):
        rows.append(["the paper, on its own data", *map(per_cent, PAPER_FOLDS), per_cent(float(np.mean(PAPER_FOLDS)))])
    header = ["", *[f"fold {i + 1}" for i in range(n)], "mean"]
    return Table("Accuracy fold by fold (the paper's Table 2)", header, rows, wide=True)


def _classes(found: Figures, protocol: str) -> Table:
    model = found[protocol]["model"]
    rows: list[list[str | Cell]] = [
        [
            reason,
            *[figure(f[name]) for name in ("precision", "recall", "f1")],
            f"{f['clips']}",
            figure(PAPER_F1[reason]),
        ]
        for reason, f in model["per_class"].items()
    ]
    rows.append(["weighted", *[figure(model["weighted"][name]) for name in ("precision", "recall", "f1")], "", "0.963"])
    return Table(
        f"Reason by reason (the paper's Table 3): {PROTOCOLS[protocol]}",
        ["reason", "precision", "recall", "F1", "clips", "the paper's F1"],
        rows,
        "The paper's F1: on its own data, random over clips.",
    )


def _confusion(found: Figures, protocol: str) -> Table:
    rows: list[list[str | Cell]] = []
    for reason, counts in zip(REASONS, found[protocol]["model"]["confusion"], strict=True):
        total = max(sum(counts), 1)
        rows.append([f"told {reason}", *[Cell(f"{n}", n / total) for n in counts]])
    return Table(
        f"Confusion: {PROTOCOLS[protocol]}",
        ["clips", *[f"said {reason}" for reason in REASONS]],
        rows,
        "Rows: what the family told. The stronger the colour, the larger the share of the row.",
    )


def reliability(found: Figures) -> Picture:
    """How often the said reason was right, against the probability that it was said with."""
    with sketch() as canvas:
        axes = canvas.subplots()
        axes.plot([0, 1], [0, 1], "--", color=FAINT, linewidth=1, label="perfectly calibrated")
        for colour, protocol in zip(COLOURS, PROTOCOLS, strict=False):
            said, right, clips = bins(found[protocol])
            axes.plot(said, right, "-", color=colour, linewidth=1.2, label=protocol)
            axes.scatter(said, right, s=8 + 120 * clips / clips.sum(), color=colour)
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of the said reason", ylabel="share that was right")
        axes.legend(loc="upper left")
        return picture(
            canvas,
            alt="Reliability diagram: share of right answers against the probability that they were said with, "
            "for random and grouped folds.",
            caption="Reliability. On the diagonal, 0.7 means right seven times in ten; below it, the model is too "
            "sure of itself. The larger the dot, the more clips.",
        )


def bins(protocol: Figures) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Mean top probability, share right and number of clips of each bin that holds clips, in ascending order."""
    probabilities = np.asarray(protocol["probabilities"], np.float64)  # [n, 4]
    top, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == np.asarray(protocol["labels"])
    of = np.clip((top * BINS).astype(np.int64), 0, BINS - 1)
    clips = np.bincount(of, minlength=BINS)
    held = clips > 0
    said = np.bincount(of, weights=top, minlength=BINS)[held] / clips[held]
    share = np.bincount(of, weights=right, minlength=BINS)[held] / clips[held]
    return said, share, clips[held]
