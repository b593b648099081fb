"""Does the paper's preprocessing help or hurt? Front ends on the same folds, for hearing and for reasons."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from training.report.parts import Cell, Measured, Section, Table, measured
from training.results.number_text import NONE, figure, within
from training.results.result_files import Result

COMMAND: Final = (
    "monitord-train frontends --prepared PREPARED --weights plain=FILE paper=FILE --out RESULTS/frontends.json"
)
PLAIN: Final = "plain"
"""What the name of the row holds that the others are measured against: VGGish as published."""


def section(results: Sequence[Result]) -> Section:
    """One table for each measurement."""
    return Section(
        "frontends",
        "The paper's preprocessing: help or hurt",
        "Pre-emphasis and z-score are the paper's; VGGish as published has neither. Only what stands in front of the "
        "network differs.",
        "frontends",
        COMMAND,
        [_measured(result) for result in results],
    )


def _measured(result: Result) -> Measured:
    rows = result.figures["rows"]
    chosen = result.figures["chosen"]
    plain = next((row for row in rows if PLAIN in row["frontend"].lower()), None)
    table = Table(
        "Front ends on the same folds",
        [
            "front end",
            "hearing: AUC (95 %)",
            "against plain",
            "hearing at 0 dB: AUC",
            "reasons: UAR random",
            "reasons: UAR grouped",
            "macro-F1 random",
            "macro-F1 grouped",
        ],
        [
            [
                row["frontend"] + (" (in the bundle)" if row["frontend"] == chosen else ""),
                Cell(within(row["cry_auc"], row["cry_auc_95"]), mark="best" if row["frontend"] == chosen else ""),
                verdict(row, plain),
                figure(row["cry_auc_at_0_db"]),
                *[figure(row["reasons"][p][key]) for key in ("uar", "macro_f1") for p in ("random", "grouped")],
            ]
            for row in rows
        ],
        "UAR: unweighted average recall, by chance 0.25. Help or hurt is only said where the plain front end's figure "
        "lies outside the interval.",
        wide=True,
    )
    why = f": {result.figures['why']}" if result.figures.get("why") else ""
    return measured(result, [table], f"Chosen: {chosen}{why}.".replace("..", "."))


def verdict(row: Mapping[str, Any], plain: Mapping[str, Any] | None) -> str:
    """`helps`, `hurts` or `no difference shown`, with by how much; Any: JSON values, as `frontends` describes them."""
    if plain is None or row is plain:
        return NONE
    gain = row["cry_auc"] - plain["cry_auc"]
    low, high = row["cry_auc_95"]
    word = "helps" if plain["cry_auc"] < low else "hurts" if plain["cry_auc"] > high else "no difference shown"
    return f"{word} ({gain:+.4f})"
