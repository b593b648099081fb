"""Does the paper's preprocessing help? Networks trained alike but for the front end: `monitord-train frontends`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from model.frontend import FRONTENDS
from monitord.errors import ConfigError
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import FULL_SCALE
from monitord.types import Pcm
from training.data.prepared import Prepared, samples_of
from training.evaluate.reason_head_crossval import judge
from training.evaluate.window_auc import auc
from training.label.held_out import held_out
from training.learn.forward import forward
from training.learn.pretrain import Trained, load_trained
from training.learn.reason_rows import reason_rows
from training.sound.noises import in_noise

MIXED_DB: Final = 0.0
"""Decibels of a window over the other sound that is mixed in."""


@dataclass(frozen=True, slots=True)
class _Test:
    """What every network hears."""

    windows: Pcm
    """int16 [n, WINDOW_SAMPLES]."""
    mixed: Pcm
    """The same with other held-out sound at `MIXED_DB`."""
    cry: NDArray[np.bool_]
    """[n]."""
    group: NDArray[np.str_]
    """[n], for the bootstrap."""


def frontend_figures(prepared: Prepared, weights: Mapping[str, Path], seed: int = 0) -> dict[str, Any]:
    """Judges each network on the same held-out windows, mixtures and folds.

    Args:
        prepared: What `prepare` wrote.
        weights: By name of `FRONTENDS` what `pretrain --frontend NAME` wrote.
        seed: Draws the other sound.

    Returns:
        JSON values: `rows` of `frontend`, `cry_auc`, `cry_auc_95`, `cry_auc_at_0_db`, `cry_auc_at_0_db_95`, and
        `reasons` {`random`, `grouped`: {`uar`, `uar_95`, `macro_f1`}} or None without told reasons; `chosen`, `why`;
        `cries`, `others` (held-out windows) and `reason_recordings`.

    Raises:
        ConfigError: A name is unknown or not what the file was trained with, the networks differ in more than the
            front end, or the prepared folder holds nothing to judge by.
    """
    networks = {name: _trained(name, path) for name, path in weights.items()}
    if len({trained.architecture for trained, _ in networks.values()}) > 1:
        raise ConfigError("--weights: these networks differ in their layers too; train them alike but for --frontend")
    test = _test(prepared, np.random.default_rng(seed))
    told = reason_rows(prepared)
    cries = np.array(list(samples_of(prepared, told.row, WINDOW_SAMPLES)), np.int16).reshape(-1, WINDOW_SAMPLES)
    rows: list[dict[str, Any]] = []  # Any: JSON values
    for name, (trained, model) in networks.items():
        hear = partial(forward, model, frontend=trained.frontend, desc=f"hear, {name}")
        heard, at_0_db = (auc(test.cry, hear(x, len(x)).cry, test.group) for x in (test.windows, test.mixed))
        reasons: dict[str, Any] | None = None
        if len(np.unique(told.reason)) > 1:
            labelled = told.labelled(hear(cries, len(cries)).embedding)
            reasons = {
                "random": _reasons(judge(labelled, "random").figures),
                "grouped": _reasons(judge(labelled, "grouped").figures),
            }
        rows.append(
            {
                "frontend": name,
                "cry_auc": round(heard.value, 4),
                "cry_auc_95": [round(heard.low, 4), round(heard.high, 4)],
                "cry_auc_at_0_db": round(at_0_db.value, 4),
                "cry_auc_at_0_db_95": [round(at_0_db.low, 4), round(at_0_db.high, 4)],
                "reasons": reasons,
            }
        )
    chosen, why = choose(rows)
    n_cries = int(test.cry.sum())
    sizes = {"cries": n_cries, "others": len(test.cry) - n_cries, "reason_recordings": len(told.reason)}
    return {"rows": rows, "chosen": chosen, "why": why} | sizes


def choose(rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Takes the front end that hears best, by the mean of both areas: hearing is what the product promises.

    Returns:
        Its name, and the sentence that says by how much, and whether that is more than luck.
    """

    def hearing(row: dict[str, Any]) -> float:
        return float(row["cry_auc"] + row["cry_auc_at_0_db"]) / 2

    best, *rest = sorted(rows, key=hearing, reverse=True)
    if not rest:
        return best["frontend"], "the only one tried"
    second = rest[0]
    beyond = [
        what
        for key, what in (("cry_auc", "clean"), ("cry_auc_at_0_db", "at 0 dB"))
        if best[f"{key}_95"][0] > second[key]
    ]
    surely = f"beyond its own interval {' and '.join(beyond)}" if beyond else "within its own intervals, so hardly"
    return best["frontend"], (
        f"hears best: mean area {hearing(best):.4f}, clean and at 0 dB, against {hearing(second):.4f} of "
        f"{second['frontend']}, the next; better {surely}"
    )


def markdown(figures: Mapping[str, Any]) -> str:
    """The table."""
    lines = [
        (
            f"{figures['cries']} held-out cry windows, {figures['others']} others; reasons of "
            f"{figures['reason_recordings']} recordings, logistic regression on the frozen embedding, five folds."
        ),
        "",
        "| front end | cry AUC (95 %) | at 0 dB (95 %) | reasons, random: UAR, macro-F1 | grouped: UAR, macro-F1 |",
        "|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        areas = [
            f"{row[key]:.4f} ({row[f'{key}_95'][0]:.4f} to {row[f'{key}_95'][1]:.4f})"
            for key in ("cry_auc", "cry_auc_at_0_db")
        ]
        reasons = row["reasons"] or {}
        told = [
            f"{reasons[p]['uar']:.3f}, {reasons[p]['macro_f1']:.3f}" if reasons else "-" for p in ("random", "grouped")
        ]
        lines.append(f"| {row['frontend']} | {' | '.join([*areas, *told])} |")
    return "\n".join([*lines, "", f"Chosen: {figures['chosen']}: {figures['why']}."])


def _test(prepared: Prepared, rng: np.random.Generator) -> _Test:
    held = held_out(prepared)
    windows = np.stack(list(samples_of(prepared, held.row, WINDOW_SAMPLES)))
    other = windows[rng.choice(np.flatnonzero(~held.cry), len(windows))]
    mixed = in_noise(windows, other.astype(np.float32) / np.float32(FULL_SCALE), MIXED_DB)
    return _Test(windows, mixed, held.cry, held.group)


def _trained(name: str, path: Path) -> tuple[Trained, keras.Model]:
    if name not in FRONTENDS:
        raise ConfigError(f"--weights {name}={path}: unknown front end; expected one of {', '.join(FRONTENDS)}")
    trained, model = load_trained(path)
    if trained.frontend != FRONTENDS[name]:
        raise ConfigError(f"--weights {name}={path}: was trained with {trained.frontend}, not with {FRONTENDS[name]}")
    return trained, model


def _reasons(figures: dict[str, Any]) -> dict[str, Any]:
    model = figures["model"]
    return {
        "uar": model["unweighted_average_recall"],
        "uar_95": model["unweighted_average_recall_95"],
        "macro_f1": model["macro_f1"],
    }
