"""Shipped against fine-tuned on a family's held-back recordings: figures, gain with interval, verdict."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from monitord.types import REASONS
from training.evaluate.reason_metrics import figures as judge
from training.recipes.fine_tuning_head import Cries, among, cross_validate, log_loss

RESAMPLES: Final = 2000
"""Bootstrap samples of recordings; the ends of a 95 % interval then move by about a tenth of its width."""
DIGITS: Final = 4
"""After the point, in what is written."""
SYSTEMS: Final = ("shipped", "adapted", "shuffled_labels")


def compare(cries: Cries, adapted: NDArray[np.float64], unsure_below: tuple[float, float]) -> dict[str, Any]:
    """Judges by one protocol.

    Accuracy, recall, F1 and log loss are among the reasons that the family told of: knowing which these are is no
    skill. Told and right when told are as the daemon would tell, among all four.

    Args:
        cries: What is counted.
        adapted: float64 [cries, 4], calibrated, each from a fit that never saw the cry's group.
        unsure_below: Thresholds of the shipped and the adapted bundle.

    Returns:
        JSON values: `shipped`, `adapted`, `shuffled_labels`: what `reason_metrics.figures` says, `log_loss` (nats,
        every reason weighing the same), `told` and `right_when_told` (None where nothing was told); and `gain`:
        `log_loss` and `unweighted_average_recall`, adapted against shipped, each with `_95`.
    """
    shipped = cries.pool(cries.offset)
    shuffled = Cries(
        cries.embedding,
        cries.offset,
        cries.weight,
        cries.cry,
        np.random.default_rng(0).permutation(cries.label),
        cries.group,
    )
    draws = _draws(cries)
    losses = np.stack([log_loss(shipped, cries.label), log_loss(adapted, cries.label)])
    right = np.stack([among(p, cries.label).argmax(axis=1) == cries.label for p in (shipped, adapted)])
    return {
        "shipped": _figures(cries, shipped, unsure_below[0]),
        "adapted": _figures(cries, adapted, unsure_below[1]),
        "shuffled_labels": _figures(shuffled, cross_validate(shuffled), unsure_below[1]),
        "gain": _with_interval("log_loss", losses[0] - losses[1], cries.label, draws)
        | _with_interval("unweighted_average_recall", right[1] * 1.0 - right[0], cries.label, draws),
    }


def is_better(figures: Mapping[str, Any]) -> bool:
    """Whether the grouped gain is more than luck: the whole interval of the log loss and of the recall is above 0."""
    gain = figures["grouped"]["gain"]
    return bool(gain["log_loss_95"][0] > 0 and gain["unweighted_average_recall_95"][0] > 0)


def table(figures: Mapping[str, Any], name: str, *, synthetic: bool) -> str:
    """Markdown of both protocols."""
    counts = ", ".join(f"{n} {reason}" for reason, n in figures["recordings"].items())
    left_out = ", ".join(f"{n} {reason}" for reason, n in figures["left_out"].items())
    gain = figures["grouped"]["gain"]
    n_reasons = len(figures["recordings"])
    loss, recall = _gain(gain, "log_loss", 3), _gain(gain, "unweighted_average_recall", 2)
    lines = [
        (
            f"{'Synthetic: no baby ever cried in it. ' if synthetic else ''}{name}: {figures['clips']} cry sounds; "
            f"recordings: {counts}{f'; too few to learn from: {left_out}' if left_out else ''}."
        ),
        "",
        "| | random | | | grouped | | | | |",
        "|---|---|---|---|---|---|---|---|---|",
        "| | UAR (95 %) | macro-F1 | log loss | UAR (95 %) | macro-F1 | log loss | told | right when told |",
        *[_row(system, figures["random"][system], figures["grouped"][system]) for system in SYSTEMS],
        "",
        f"Gain, grouped: log loss {loss}, UAR {recall}.",
        "",
        (
            "Random: over cry sounds, so a recording stands on both sides. Grouped: no recording does. UAR: unweighted "
            f"average recall; the majority class, and chance, have {1 / n_reasons:.2f}. Told: not `unsure`."
        ),
    ]
    return "\n".join(lines)


def _figures(cries: Cries, told: NDArray[np.float64], unsure_below: float) -> dict[str, Any]:
    said = told.max(axis=1) >= unsure_below
    right = told.argmax(axis=1) == cries.label
    return judge(among(told, cries.label), cries.label, cries.group) | {
        "log_loss": _rounded(_even_mean(log_loss(told, cries.label), cries.label)),
        "told": _rounded(said.mean()),
        "right_when_told": _rounded(right[said].mean()) if said.any() else None,
    }


def _with_interval(
    name: str, values: NDArray[np.float64], label: NDArray[np.int64], draws: NDArray[np.int64]
) -> dict[str, Any]:
    means = []
    for reason in np.unique(label):
        of = label == reason
        n = draws[:, of].sum(axis=1)
        means.append(np.divide(draws[:, of] @ values[of], n, out=np.full(len(n), np.nan), where=n > 0))
    low, high = np.nanpercentile(np.nanmean(means, axis=0), [2.5, 97.5]).tolist()
    return {name: _rounded(_even_mean(values, label)), f"{name}_95": [_rounded(low), _rounded(high)]}


def _draws(cries: Cries) -> NDArray[np.int64]:
    """[resamples, cries], how often each cry's recording was drawn."""
    names, of = np.unique(cries.group, return_inverse=True)
    rng = np.random.default_rng(0)
    return np.asarray(rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=RESAMPLES)[:, of])


def _even_mean(values: NDArray[np.float64], label: NDArray[np.int64]) -> float:
    """Mean over reasons of the mean in each."""
    counts = np.bincount(label, minlength=len(REASONS))
    sums = np.bincount(label, values, minlength=len(REASONS))
    return float(np.mean(sums[counts > 0] / counts[counts > 0]))


def _row(name: str, random: dict[str, Any], grouped: dict[str, Any]) -> str:
    cells = []
    for one in (random, grouped):
        low, high = one["unweighted_average_recall_95"]
        recall = one["unweighted_average_recall"]
        cells += [f"{recall:.2f} ({low:.2f} to {high:.2f})", f"{one['macro_f1']:.2f}", f"{one['log_loss']:.3f}"]
    right = grouped["right_when_told"]
    cells += [f"{grouped['told']:.0%}", "-" if right is None else f"{right:.0%}"]
    return f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |"


def _gain(gain: dict[str, Any], name: str, digits: int) -> str:
    low, high = gain[f"{name}_95"]
    return f"{gain[name]:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"


def _rounded(value: float) -> float:
    return round(float(value), DIGITS)
