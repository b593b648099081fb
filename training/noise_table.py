"""What `monitord-train noise` prints: found, area under the curve, and reasons, by noise and level."""

from collections.abc import Mapping
from typing import Any

from training.noise import CLEAN, SNRS_DB

TITLES = {
    "cry_found": "Cry windows found at the bundle's threshold",
    "cry_auc": "Area under the curve: cry windows against others in the same noise and the noise alone",
    "reason_uar_grouped": "Reasons, grouped, by heads that learnt without noise: unweighted average recall",
}
"""By key of a row."""


def markdown(figures: Mapping[str, Any]) -> str:
    """Returns the tables of `training.noise.noise_figures`."""
    rows = figures["rows"]
    reasons = f"{figures['reason_windows']} windows of {figures['reason_recordings']} recordings"
    sizes = f"{figures['cries']} held-out cry windows and {figures['others']} others in noise, {figures['alone']} of "
    lines = [f"{sizes}each noise alone; reasons: {reasons}."]
    for key, title in TITLES.items():
        if all(row[key] is None for row in rows):
            continue
        lines += ["", f"**{title}**", "", f"| noise | bundle | clean | {' | '.join(f'{x:g} dB' for x in SNRS_DB)} |"]
        lines.append("|---" * (3 + len(SNRS_DB)) + "|")
        lines += _lines(rows, key)
    return "\n".join(lines)


def _lines(rows: list[Mapping[str, Any]], key: str) -> list[str]:
    bundles = list(dict.fromkeys((row["bundle"], row["trained_with_noise"]) for row in rows))
    noises = list(dict.fromkeys(row["noise"] for row in rows if row["noise"] != CLEAN))
    lines = []
    for noise in noises:
        for name, trained in bundles:
            own = [row for row in rows if (row["bundle"], row["trained_with_noise"]) == (name, trained)]
            at = {row["snr_db"]: row[key] for row in own if row["noise"] in {noise, CLEAN}}
            cells = [f"{at[x]:.0%}" if key == "cry_found" else f"{at[x]:.3f}" for x in (None, *SNRS_DB)]
            label = f"{name}, {'with' if trained else 'without'} noise training"
            lines.append(f"| {noise} | {label} | {' | '.join(cells)} |")
    return lines
