"""`MODEL_CARD.md`: what a parent and an engineer should know of a bundle, from its manifest alone."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from model.manifest import Manifest
from model.vggish import count_weights
from monitord.types import REASONS
from training.data import attributions
from training.results.number_text import figure, hourly, of_100, per_cent, seconds, spoken, within
from training.streams import promise

MEASURE_STREAMS: Final = "monitord-train streams --prepared PREPARED --bundle BUNDLE"
SELDOM: Final = 0.95
"""Threshold of told reasons from which on a parent hears `unsure` nearly always; `fit` sets it where no skill shows."""
CHANCE: Final = 1.0 / len(REASONS)
"""Unweighted average recall by guessing."""

Figures = Mapping[str, Any]
"""JSON values that the commands wrote; any of them may be absent."""


def write(manifest: Manifest) -> str:
    """Returns the card's text. What was not measured is said to be not measured."""
    grouped: Figures = manifest.metrics["grouped"]  # type: ignore[assignment]  # JSON values that `fit` wrote
    random: Figures = manifest.metrics["random"]  # type: ignore[assignment]  # the same
    return "\n".join(
        [
            f"# {manifest.name}",
            "",
            "Hears a baby's cry in one second of sound. **Not a medical device.**",
            "",
            "## For parents",
            "",
            *_for_parents(manifest, grouped),
            "",
            "## Hearing",
            "",
            *_hearing(manifest, grouped),
            "",
            "## Reasons",
            "",
            *_reasons(random.get("reasons"), grouped.get("reasons")),
            "",
            "## How hard it cries",
            "",
            *_distress(grouped.get("distress")),
            "",
            "## How it was made",
            "",
            *_made(manifest),
            "",
            "## Data, licences, attributions",
            "",
            *[f"- {data.name} ({data.licence}): {data.use}. {data.attribution}." for data in manifest.data],
            "",
            *_attributions(manifest),
        ]
    )


def _for_parents(manifest: Manifest, grouped: Figures) -> list[str]:
    streams: Figures | None = grouped.get("streams")
    lines = []
    if streams is None:
        lines.append(
            "- How often it cries wolf in an hour of household sound, and how many crying episodes it misses, was not "
            f"measured for this bundle. This measures it: `{MEASURE_STREAMS}`."
        )
        lines += _recordings(grouped.get("episodes"))
    else:
        lines += [
            (
                f"- Of 100 times that a baby cries, it raises the alarm {of_100(streams['found'])} times and misses "
                f"{of_100(1.0 - streams['found'])}. Promised: at least {of_100(1.0 - promise.MOST_MISSED)}."
            ),
            (
                f"- Over all hours it gave {hourly(streams['false_per_hour'])} false alarms an hour. "
                f"Promised: fewer than {promise.MOST_FALSE_PER_HOUR:g}."
            ),
            (
                f"- From the first sound of a cry to the alarm it takes {seconds(streams['latency_p50_s'])} at the "
                f"median, {seconds(streams['latency_p95_s'])} at the 95th percentile. Promised: "
                f"{promise.MOST_P50_S:g} s and {promise.MOST_P95_S:g} s."
            ),
            (
                f"- {_kept(streams)} Measured on {streams['hours']:g} hours with {streams['episodes']} crying episodes "
                f"and {streams['quiet_hours']:g} hours without a cry, made of recordings that training never heard, "
                "busier than a home at night."
            ),
        ]
    if manifest.tracker.unsure_below >= SELDOM:
        lines.append(
            "- It nearly always says `unsure` about the reason, and that is the truth: from public recordings nobody "
            "can hear why a baby who was never heard before is crying. The bare figures are below."
        )
    else:
        lines.append(
            f"- It says a reason only when its probability is {manifest.tracker.unsure_below:g} or more, `unsure` "
            "otherwise. A reason is a hint, never a finding: look at your baby, not at the word."
        )
    lines.append("- The alarm never waits for the reason, and never hangs on it.")
    return lines


def _recordings(episodes: Figures | None) -> list[str]:
    if episodes is None:
        return []
    return [
        (
            f"- Of {episodes['cry_recordings']} recordings of crying that it had never heard, it raised the alarm in "
            f"{episodes['found']:.0%}; of {episodes['other_recordings']} recordings of other sound (dogs, laughter, "
            f"speech ...) in {episodes['false_alarms']:.1%}. That took {seconds(episodes['latency_p50_s'])} from the "
            f"first sound at the median, {seconds(episodes['latency_p95_s'])} at the 95th percentile."
        )
    ]


def _kept(streams: Figures) -> str:
    parts = promise.kept(
        streams["found"], streams["false_per_hour"], streams["latency_p50_s"], streams["latency_p95_s"]
    )
    words = {"found": "cries found", "false_per_hour": "false alarms", "p50": "usual delay", "p95": "longest delay"}
    broken = [words[part] for part, ok in parts.items() if not ok]
    return f"Not kept yet: {', '.join(broken)}." if broken else "All of it is kept."


def _hearing(manifest: Manifest, grouped: Figures) -> list[str]:
    tracker = manifest.tracker
    lines = _streams_table(manifest.name, grouped.get("streams"))
    lines += _false_by_kind(grouped.get("false_by_kind"))
    cry: Figures | None = grouped.get("cry")
    if cry is not None:
        low, high = cry["window_auc_95"]
        lines += [
            (
                "Cry against the rest, window by window, on groups that training never saw: AUC "
                f"{cry['window_auc']:.4f} (95 % interval over groups {low:.4f} to {high:.4f}). "
                "`monitord-train evaluate` has the peers beside it."
            ),
            "",
        ]
    frontend = manifest.frontend
    plain = f"pre-emphasis {frontend.pre_emphasis:g}, z-score {'on' if frontend.z_score else 'off'}"
    why = str(grouped.get("frontend") or "why these was not measured for this bundle").rstrip(".")
    return [
        *lines,
        f"Front end: {plain}; {why}.",
        (
            f"Alarm: evidence of {tracker.on:g} (natural log-odds). A window adds to it from a probability of "
            f"{tracker.speaks_from(tracker.on_p):.2f} on, at most {tracker.most_for:g}; one under it takes at most "
            f"{tracker.most_against:g}, and each second {tracker.fade_per_s:g}."
        ),
        "",
        *[f"- `{name}`: {reason.rstrip('.')}." for name, reason in manifest.rests_on.items()],
    ]


def _streams_table(name: str, streams: Figures | None) -> list[str]:
    if streams is None:
        return [
            f"False alarms an hour, missed episodes and delay on streams: not measured (`{MEASURE_STREAMS}`).",
            "",
        ]
    low, high = streams["found_95"]
    rows = [
        (
            f"| **{name}** | {per_cent(streams['found'])} ({per_cent(low)} to {per_cent(high)}) "
            f"| {per_cent(1.0 - streams['found'])} | {hourly(streams['false_per_hour'])} "
            f"| {seconds(streams['latency_p50_s'])} | {seconds(streams['latency_p95_s'])} |"
        )
    ]
    rows += [
        f"| {_named(peer)} | {per_cent(peer['found'])} | {per_cent(1.0 - peer['found'])} "
        f"| {hourly(peer['false_per_hour'])} | {seconds(peer['latency_p50_s'])} "
        f"| {seconds(peer.get('latency_p95_s'))} |"
        for peer in streams["peers"]
    ]
    return [
        "On streams: cries laid over hours of household sound, heard from beginning to end.",
        "",
        "| | episodes found (95 %) | missed | false alarms an hour, of all hours | delay, median | 95th percentile |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
    ]


def _named(peer: Figures) -> str:
    return f"{peer['name']}, {peer['rule']}" if "rule" in peer else str(peer["name"])


def _false_by_kind(kinds: Mapping[str, int] | None) -> list[str]:
    if kinds is None:
        return []
    named = ", ".join(f"{spoken(kind)} {n}" for kind, n in sorted(kinds.items(), key=lambda kind: -kind[1]) if n)
    return [f"What its false alarms were raised by: {named or 'nothing'}.", ""]


def _reasons(random: Figures | None, grouped: Figures | None) -> list[str]:
    if random is None or grouped is None:
        return ["Not measured for this bundle: `monitord-train crossval --clips CLIPS`."]
    found = grouped.get("recordings") or grouped.get("clips") or {}
    counts = ", ".join(f"{n} {reason}" for reason, n in found.items())
    return [
        (
            f"Recordings with a reason that a family told: {counts}, of {grouped.get('groups', 'unknown')} groups; "
            f"{grouped.get('folds', 5)} folds, by both protocols: random (a family stands on both sides), and grouped "
            "(never)."
        ),
        "",
        "| | random | | | grouped | | |",
        "|---|---|---|---|---|---|---|",
        "| | accuracy | UAR (95 %) | macro-F1 | accuracy | UAR (95 %) | macro-F1 |",
        *[_row(name, (random, grouped)) for name in ("model", "majority", "shuffled_labels")],
        "",
        f"UAR: unweighted average recall; by chance it is {CHANCE:.2f}.",
    ]


def _row(name: str, protocols: Sequence[Figures]) -> str:
    cells = []
    for found in protocols:
        f = found[name]
        recall = within(f["unweighted_average_recall"], f["unweighted_average_recall_95"])
        cells += [figure(f["accuracy"]), recall, figure(f["macro_f1"])]
    return f"| {spoken(name)} | " + " | ".join(cells) + " |"


def _distress(found: Figures | None) -> list[str]:
    if found is None:
        return ["Not known to this bundle."]
    lines = [
        (
            f"`distress` was learnt from {found['babies']} babies, in the bath ({found['mild']} recordings) and "
            f"vaccinated ({found['hard']}), and judged on each baby by a head that never heard it. It says what a cry "
            "sounds like, never why."
        ),
        "",
        "| as the cries arrive | AUC (95 % over babies) | shuffled labels | loudness alone |",
        "|---|---|---|---|",
    ]
    for row in found["rows"]:
        cells = [row["arrived"], within(row["auc"], row["auc_95"]), figure(row["shuffled"]), figure(row["loudness"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def commands(manifest: Manifest) -> Sequence[str]:
    """What a person types to make the bundle again, in this order."""
    grouped: Figures = manifest.metrics["grouped"]  # type: ignore[assignment]  # JSON values that `fit` wrote
    return grouped.get("commands") or ()


def _made(manifest: Manifest) -> list[str]:
    return [
        (
            f"{count_weights(manifest.architecture, heads=True):,} weights: VGGish's layer table at width "
            f"{manifest.architecture.width:g} with dense layers {manifest.architecture.dense}. No recording is in it. "
            "`training/README.md` says what each command does."
        ),
        *(["", "```", *commands(manifest), "```"] if commands(manifest) else []),
    ]


def _attributions(manifest: Manifest) -> list[str]:
    if not attributions.owed(manifest.data):
        return []
    _, _, body = attributions.text().partition("\n")  # its own title
    return [body.strip().replace("\n## ", "\n### "), ""]
