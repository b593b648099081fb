"""Hearing and reasons under noise, before and after training with noise: what the paper left for later."""

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any, Final

from training.report.drawing import COLOURS, FAINT, SIZE_INCHES, picture, sketch
from training.report.parts import Measured, Picture, Section, Table, measured
from training.results.number_text import figure, of_100
from training.results.result_files import Result

COMMAND: Final = (
    "monitord-train noise --prepared PREPARED --bundle BUNDLE --before BUNDLE --clips CLIPS --out RESULTS/noise.json"
)
CLEAN_STEP_DB: Final = 10.0
"""How far right of the loudest SNR the clean figure is drawn (dB)."""
CHANCE: Final = 0.25
"""Unweighted average recall of four reasons by guessing."""

Row = Mapping[str, Any]
"""JSON values of one row, as `noise` describes them."""


def section(results: Sequence[Result]) -> Section:
    """A picture for hearing, one for reasons, and the table."""
    return Section(
        "noise",
        "Against noise",
        "The same cries with noise laid over them, from none at all to three times the cry (-10 dB).",
        "noise",
        COMMAND,
        [_measured(result) for result in results],
    )


def _measured(result: Result) -> Measured:
    rows = result.figures["rows"]
    blocks: list[Table | Picture] = [
        _pictures(
            rows,
            "cry_found",
            "cries found of 100",
            "Cries found, against the level of the cry over the noise, by kind of noise.",
        )
    ]
    if any(row["reason_uar_grouped"] is not None for row in rows):
        blocks.append(
            _pictures(
                rows,
                "reason_uar_grouped",
                "unweighted average recall",
                "Reasons on babies never heard before, against the level of the cry over the noise. The dashed line is "
                "chance.",
            )
        )
    return measured(result, [*blocks, _table(rows)])


def _pictures(rows: Sequence[Row], key: str, label: str, caption: str) -> Picture:
    kinds = list(dict.fromkeys(row["noise"] for row in rows if row["snr_db"] is not None))
    levels = sorted({row["snr_db"] for row in rows if row["snr_db"] is not None})
    clean_at = (levels[-1] if levels else 0.0) + CLEAN_STEP_DB
    scale = 100.0 if key == "cry_found" else 1.0
    columns = 2
    lines = max(1, ceil(len(kinds) / columns))
    with sketch((SIZE_INCHES[0], 0.9 + 1.3 * lines)) as canvas:
        grid = canvas.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
        bundles = list(dict.fromkeys((row["bundle"], row["trained_with_noise"]) for row in rows))
        for axes, kind in zip(grid.flat, kinds, strict=False):
            for i, (bundle, after) in enumerate(bundles):
                points = sorted(
                    (clean_at if row["snr_db"] is None else row["snr_db"], scale * row[key])
                    for row in rows
                    if (row["bundle"], row["trained_with_noise"]) == (bundle, after)
                    and (row["noise"] == kind or row["snr_db"] is None)
                    and row[key] is not None
                )
                axes.plot(
                    [x for x, _ in points],
                    [y for _, y in points],
                    "o-" if after else "o--",
                    markersize=3.5,
                    color=COLOURS[i % len(COLOURS)],
                    label=f"{bundle}, {'after' if after else 'before'} noise training",
                )
            if key != "cry_found":
                axes.axhline(CHANCE, color=FAINT, linestyle="--", linewidth=1)
            axes.set_title(str(kind).replace("_", " "))
            axes.set_xticks([*levels, clean_at], [*[f"{level:g}" for level in levels], "clean"])
            axes.tick_params(axis="x", labelsize=7)
        for axes in grid.flat[len(kinds) :]:
            axes.set_visible(False)
        # From nothing: a scale that begins at the worst figure makes hills of noise.
        grid.flat[0].set_ylim(0.0, 102.0 if key == "cry_found" else 0.6)
        canvas.supxlabel("cry over noise (dB)", fontsize=9)
        canvas.supylabel(label, fontsize=9)
        canvas.legend(*grid.flat[0].get_legend_handles_labels(), loc="outside upper center", ncols=1)
        return picture(canvas, alt=f"{caption} The table has the numbers.", caption=caption)


def _table(rows: Sequence[Row]) -> Table:
    return Table(
        "Hearing and reasons by noise and level",
        [
            "bundle",
            "noise training",
            "noise",
            "SNR (dB)",
            "cries found of 100",
            "AUC of windows",
            "UAR of reasons, grouped",
        ],
        [
            [
                row["bundle"],
                "after" if row["trained_with_noise"] else "before",
                "none" if row["snr_db"] is None else str(row["noise"]).replace("_", " "),
                "clean" if row["snr_db"] is None else f"{row['snr_db']:g}",
                of_100(row["cry_found"]),
                figure(row["cry_auc"]),
                figure(row["reason_uar_grouped"]),
            ]
            for row in rows
        ],
        f"UAR: unweighted average recall, by chance {CHANCE:.2f}.",
        folded=True,
    )
