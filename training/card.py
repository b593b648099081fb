"""`MODEL_CARD.md`: what a parent and an engineer should know of a bundle, from its manifest alone."""

from collections.abc import Mapping
from typing import Any

from model.manifest import Manifest
from model.vggish import count_weights
from monitord.types import REASONS


def write(manifest: Manifest) -> str:
    """Returns the card's text."""
    grouped: Mapping[str, Any] = manifest.metrics["grouped"]  # type: ignore[assignment]  # JSON values that `fit` wrote
    random: Mapping[str, Any] = manifest.metrics["random"]  # type: ignore[assignment]  # the same
    cry, episodes = grouped["cry"], grouped["episodes"]
    low, high = cry["window_auc_95"]
    counts = ", ".join(f"{n} {reason}" for reason, n in grouped["reasons"]["recordings"].items())
    tracker = manifest.tracker
    lines = [
        f"# {manifest.name}",
        "",
        "Hears a baby's cry in one second of sound. **Not a medical device.**",
        "",
        "## For parents",
        "",
        (
            f"- Of {episodes['cry_recordings']} recordings of crying that it had never heard, it raised the alarm in "
            f"{episodes['found']:.0%}; of {episodes['other_recordings']} recordings of other sound (dogs, laughter, "
            f"speech ...) in {episodes['false_alarms']:.1%}. That took "
            f"{episodes['latency_p50_s']:.1f} s from the first sound at the median, "
            f"{episodes['latency_p95_s']:.1f} s at the 95th percentile."
        ),
        (
            "- It nearly always says `unsure` about the reason, and that is the truth: from public recordings nobody "
            "can hear why a baby who was never heard before is crying. The bare figures are below."
        ),
        "",
        "## Hearing",
        "",
        (
            f"Cry against the rest, window by window, on groups that training never saw: AUC {cry['window_auc']:.4f} "
            f"(95 % interval over groups {low:.4f} to {high:.4f}). `monitord-train evaluate` has the peers beside it."
        ),
        f"Alarm: {tracker.n} of the newest {tracker.m} windows at {tracker.on_p:g} or more.",
        "",
        *[f"- `{name}`: {why}." for name, why in manifest.rests_on.items()],
        "",
        "## Reasons",
        "",
        (
            f"donateacry recordings with a reason: {counts}. A softmax on the frozen embedding, five folds, by both "
            "protocols: random over recordings (a family stands on both sides), and grouped (never)."
        ),
        "",
        "| | random | | | grouped | | |",
        "|---|---|---|---|---|---|---|",
        "| | accuracy | UAR (95 %) | macro-F1 | accuracy | UAR (95 %) | macro-F1 |",
        *[_row(name, random["reasons"], grouped["reasons"]) for name in ("model", "majority", "shuffled_labels")],
        "",
        f"UAR: unweighted average recall; by chance it is {1 / len(REASONS):.2f}.",
        "",
        "## Made of",
        "",
        (
            f"{count_weights(manifest.architecture, heads=True):,} weights: VGGish's layer table at width "
            f"{manifest.architecture.width:g} with dense layers {manifest.architecture.dense}. Trained by "
            "`monitord-train prepare`, `pretrain` and `fit` as `training/README.md` says; no recording is in it."
        ),
        "",
        *[f"- {data.name} ({data.licence}): {data.use}. {data.attribution}." for data in manifest.data],
        "",
    ]
    return "\n".join(lines)


def _row(name: str, random: Mapping[str, Any], grouped: Mapping[str, Any]) -> str:
    cells = []
    for figures in (random[name], grouped[name]):
        low, high = figures["unweighted_average_recall_95"]
        recall = figures["unweighted_average_recall"]
        cells += [f"{figures['accuracy']:.3f}", f"{recall:.3f} ({low:.3f} to {high:.3f})", f"{figures['macro_f1']:.3f}"]
    return f"| {name.replace('_', ' ')} | " + " | ".join(cells) + " |"
