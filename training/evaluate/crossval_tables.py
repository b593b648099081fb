"""`crossval`'s figures as a person reads them: the paper's Tables 2 and 3, twice, in markdown."""

from collections.abc import Mapping
from typing import Any, Final

from monitord.types import REASONS

PAPER: Final = (0.965, 0.954, 0.960, 0.959, 0.977)
"""The source paper's accuracy by fold (its Table 2)."""
ROWS: Final = (("the recipe", "model"), ("majority class", "majority"), ("shuffled labels", "shuffled_labels"))
UNSEEN: Final = "no group on both sides"

Figures = Mapping[str, Any]
"""Any: JSON values, as `crossval` makes them."""


def markdown(figures: Figures, data: str, *, synthetic: bool) -> str:
    """Returns the tables.

    Args:
        figures: What `crossval` made.
        data: Name of the clips.
        synthetic: Whether no baby ever cried in them: said in the title.
    """
    clips = ", ".join(f"{n} {reason}" for reason, n in figures["clips"].items())
    lines = [
        f"# {'SYNTHETIC: ' if synthetic else ''}{data}, {figures['folds']}-fold cross-validation",
        "",
        (
            f"Clips: {clips}; {figures['groups']} groups (clips that share a baby, a recording or an installation). "
            f"Recipe: {figures['recipe']}. Intervals: 95 %, from resampling groups. Shuffled labels: "
            f"{figures['shuffled_labels_by']}."
        ),
        *(["", "No baby cried here: these figures prove the program, not the method."] if synthetic else []),
        "",
        "## By fold (the paper's Table 2)",
        "",
        *_folds(figures),
        "",
        "## Beside chance",
        "",
        *_beside(figures),
        "",
        "## By reason (the paper's Table 3)",
        "",
        *_by_reason(figures),
    ]
    for protocol, what in (("random", "random over clips"), ("grouped", UNSEEN)):
        lines += ["", f"## Told against said, {what}", "", *_confusion(figures[protocol]["model"]["confusion"])]
    return "\n".join(lines)


def _folds(figures: Figures) -> list[str]:
    n = figures["folds"]
    lines = [
        "| accuracy | " + " | ".join(f"fold {i + 1}" for i in range(n)) + " | mean |",
        "|---" * (n + 2) + "|",
    ]
    rows = {protocol: figures[protocol]["fold_accuracy"] for protocol in ("random", "grouped")}
    if n == len(PAPER):
        rows["the paper, random, its own data"] = PAPER
    for name, shares in rows.items():
        cells = [f"{share:.3f}" for share in (*shares, sum(shares) / len(shares))]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _beside(figures: Figures) -> list[str]:
    lines = [
        "| protocol | | accuracy | UAR | macro-F1 | calibration error |",
        "|---|---|---|---|---|---|",
    ]
    for protocol in ("random", "grouped"):
        for name, key in ROWS:
            one = figures[protocol][key]
            cells = [_interval(one, value) for value in ("accuracy", "unweighted_average_recall", "macro_f1")]
            lines.append(
                f"| {protocol} | {name} | " + " | ".join(cells) + f" | {one['expected_calibration_error']:.3f} |"
            )
    lines += ["", f"UAR: unweighted average recall; by chance {1 / len(REASONS):.2f}. Grouped: {UNSEEN}."]
    return lines


def _interval(figures: Figures, name: str) -> str:
    low, high = figures[f"{name}_95"]
    return f"{figures[name]:.3f} ({low:.3f} to {high:.3f})"


def _by_reason(figures: Figures) -> list[str]:
    lines = [
        "| reason | clips | random: precision | recall | F1 | grouped: precision | recall | F1 |",
        "|---" * 8 + "|",
    ]
    models = [figures[protocol]["model"] for protocol in ("random", "grouped")]
    for reason in REASONS:
        cells = [_triple(model["per_class"][reason]) for model in models]
        lines.append(f"| {reason} | {models[0]['per_class'][reason]['clips']} | " + " | ".join(cells) + " |")
    cells = [_triple(model["weighted"]) for model in models]
    return [*lines, f"| weighted | {sum(figures['clips'].values())} | " + " | ".join(cells) + " |"]


def _triple(figures: Figures) -> str:
    return " | ".join(f"{figures[name]:.3f}" for name in ("precision", "recall", "f1"))


def _confusion(table: list[list[int]]) -> list[str]:
    lines = ["| told | " + " | ".join(f"said {reason}" for reason in REASONS) + " |", "|---" * (len(REASONS) + 1) + "|"]
    return lines + [
        f"| {reason} | " + " | ".join(str(n) for n in row) + " |" for reason, row in zip(REASONS, table, strict=True)
    ]
