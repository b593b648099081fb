"""Hearing on hours of sound: episodes found, false alarms an hour and seconds to the alarm, ours and the peers."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from matplotlib.ticker import MaxNLocator

from training.report import systems, trade_off
from training.report.drawing import COLOURS, SIZE_INCHES, picture, sketch
from training.report.parts import Cell, Measured, Picture, Section, Table, measured
from training.report.systems import System
from training.results.number_text import NONE, hourly, of_100, seconds, spoken
from training.results.result_files import Result
from training.streams import promise

COMMAND: Final = "monitord-train streams --prepared PREPARED --out RESULTS/streams.json"
MOST_KINDS: Final = 12
"""Kinds of sound in the diagram of false alarms; the table has them all."""


def section(results: Sequence[Result], name: str) -> Section:
    """All about streams; `name` is the bundle's."""
    return Section(
        "hearing",
        "Hearing, on hours of sound",
        "Cries laid over household sound at known levels, heard from beginning to end as the daemon hears a room. "
        "An episode counts as found when the alarm is raised while the baby cries; every other alarm is false.",
        "streams",
        COMMAND,
        [_measured(result, name) for result in results],
    )


def _measured(result: Result, name: str) -> Measured:
    found = result.figures
    every: Sequence[System] = found["systems"]
    mine = systems.ours(every, name)
    blocks: list[Table | Picture] = [
        systems_table(every, mine, "Ours and the peers, on the same hours"),
        trade_off.diagram(found["curves"], every, found["hours"] + found["quiet_hours"]),
        _latency(every),
    ]
    tables: list[Table | Picture] = [trade_off.table(found["curves"])]
    if found.get("by_snr"):
        blocks.append(_by_snr(found["by_snr"], every))
        tables += [_snr_table(found["by_snr"], every), _latency_table(found["by_snr"], every)]
    if found.get("false_by_kind"):
        counts = [systems.value_of(found["false_by_kind"], s) or {} for s in every]
        first = next(i for i, s in enumerate(every) if s is mine)
        blocks.append(_kinds(systems.labels(every), counts, first))
        tables.append(_kinds_table(systems.labels(every), counts))
    words = (
        f"{found['hours']:g} hours with {found['episodes']} crying episodes, and {found['quiet_hours']:g} hours "
        f"without a cry; ours is {mine['name']}."
    )
    return measured(result, blocks + tables, words)


def systems_table(every: Sequence[System], mine: System, caption: str) -> Table:
    """Each system against the promise: what keeps it is marked."""
    rows: list[list[str | Cell]] = []
    for s in every:
        kept = promise.kept(s["found"], s["false_per_hour"], s["latency_p50_s"], s["latency_p95_s"])
        low, high = s["found_95"] or (None, None)
        texts = {
            "found": f"{of_100(s['found'])} ({of_100(low)} to {of_100(high)})",
            "false_per_hour": hourly(s["false_per_hour"]),
            "p50": seconds(s["latency_p50_s"]),
            "p95": seconds(s["latency_p95_s"]),
        }
        after = f"{seconds(s['after_teacher_p50_s'])}, {seconds(s['after_teacher_p95_s'])}"
        cells = [Cell(text, mark="kept" if kept[part] else "broken") for part, text in texts.items()]
        rows.append([s["name"] + (" (ours)" if s is mine else ""), *cells, after, s["rule"]])
    return Table(
        caption,
        [
            "",
            "found of 100 (95 %)",
            "false alarms an hour, of all hours",
            "from the first sound to the alarm, median",
            "95th percentile",
            "after a teacher, median and 95th percentile",
            "alarm when",
        ],
        rows,
        f"✓ keeps the promise, ✗ does not: at least {of_100(1 - promise.MOST_MISSED)} of 100 found, fewer than "
        f"{promise.MOST_FALSE_PER_HOUR:g} false alarms an hour over all hours, with cries and without, "
        f"{promise.MOST_P50_S:g} s at the median, {promise.MOST_P95_S:g} s at the 95th percentile. After a teacher: "
        "from the end of the first window in which YAMNet or mn04 hears the cry alone: recordings begin with rustle.",
        wide=True,
    )


def _latency(every: Sequence[System]) -> Picture:
    named = reversed(list(zip(systems.labels(every), every, strict=True)))
    shown = [(n, s) for n, s in named if s["latency_p50_s"] is not None and s["latency_p95_s"] is not None]
    with sketch((SIZE_INCHES[0], 1.3 + 0.36 * len(shown))) as canvas:
        axes = canvas.subplots()
        for row, (_, s) in enumerate(shown):
            axes.hlines(row, s["latency_p50_s"], s["latency_p95_s"], color=COLOURS[0], linewidth=2)
            axes.plot(s["latency_p50_s"], row, "o", color=COLOURS[0], label="median" if row == 0 else None)
            axes.plot(s["latency_p95_s"], row, "|", color=COLOURS[0], markersize=12, label="95 %" if row == 0 else None)
        axes.axvline(promise.MOST_P50_S, color=COLOURS[2], linestyle="--", linewidth=1, label="promised median")
        axes.axvline(promise.MOST_P95_S, color=COLOURS[4], linestyle="--", linewidth=1, label="promised 95 %")
        axes.set_yticks(range(len(shown)), [n.replace(", ", ",\n") for n, _ in shown])
        axes.set(xlabel="seconds to the alarm", ylim=(-0.6, len(shown) - 0.4))
        axes.set_xlim(left=0.0)
        canvas.legend(loc="outside upper center", ncols=2)
        return picture(
            canvas,
            alt="Seconds to the alarm of each system: "
            + "; ".join(f"{n} {seconds(s['latency_p50_s'])} to {seconds(s['latency_p95_s'])}" for n, s in shown),
            caption="How long a cry goes on before the alarm: the dot is the median, the far end what 95 of 100 stay "
            "under.",
        )


def _by_snr(rows: Sequence[Mapping[str, Any]], every: Sequence[System]) -> Picture:
    names = systems.labels(every)
    with sketch() as canvas:
        axes = canvas.subplots()
        for i, (name, s) in enumerate(zip(names, every, strict=True)):
            shares = [(x, systems.value_of(row["found"], s)) for x, row in enumerate(rows)]
            points = [(x, 100 * share) for x, share in shares if share is not None]
            axes.plot(
                [x for x, _ in points],
                [y for _, y in points],
                marker="o",
                color=COLOURS[i % len(COLOURS)],
                label=name,
                linewidth=2.4 if i == 0 else 1.2,
            )
        axes.set_xticks(range(len(rows)), [_range(row["snr_db"]) for row in rows])
        axes.set(xlabel="cry above everything else that sounds (dB)", ylabel="found of 100 episodes", ylim=(0, 102))
        canvas.legend(loc="outside upper center", ncols=systems.columns(names))
        return picture(
            canvas,
            alt="Episodes found of 100 against the level of the cry over the noise, for each system; the table below "
            "has the numbers.",
            caption="A cry that drowns in noise is missed first. Left: quieter than the noise around it.",
        )


def _snr_table(rows: Sequence[Mapping[str, Any]], every: Sequence[System]) -> Table:
    return Table(
        "Found of 100, by how far the cry stands over the noise",
        ["dB", "episodes", *systems.labels(every)],
        [
            [
                _range(row["snr_db"]),
                f"{row['episodes']}",
                *[of_100(systems.value_of(row["found"], s)) for s in every],
            ]
            for row in rows
        ],
        folded=True,
    )


def _latency_table(rows: Sequence[Mapping[str, Any]], every: Sequence[System]) -> Table:
    def told(row: Mapping[str, Any], s: System) -> str:
        p50, p95 = (systems.value_of(row[what], s) for what in ("latency_p50_s", "latency_p95_s"))
        return f"{seconds(p50)}, {seconds(p95)}"

    return Table(
        "From the first sound to the alarm, median and 95th percentile, by how far the cry stands over the noise",
        ["dB", "episodes", *systems.labels(every)],
        [[_range(row["snr_db"]), f"{row['episodes']}", *[told(row, s) for s in every]] for row in rows],
        folded=True,
    )


def _range(snr_db: Sequence[float | None]) -> str:
    low, high = snr_db
    if low is None:
        return f"under {high:g}"
    return f"over {low:g}" if high is None else f"{low:g} to {high:g}"


def _kinds(names: Sequence[str], counts: Sequence[Mapping[str, int]], mine: int) -> Picture:
    totals = {kind: sum(of.get(kind, 0) for of in counts) for kind in _all_kinds(counts)}
    kinds = sorted(totals, key=lambda kind: (-counts[mine].get(kind, 0), -totals[kind]))[:MOST_KINDS][::-1]
    height = 0.8 / len(counts)
    with sketch((SIZE_INCHES[0], 1.2 + 0.3 * len(kinds))) as canvas:
        axes = canvas.subplots()
        for i, (name, of) in enumerate(zip(names, counts, strict=True)):
            at = [y + 0.4 - height * (i + 0.5) for y in range(len(kinds))]
            axes.barh(at, [of.get(kind, 0) for kind in kinds], height, color=COLOURS[i % len(COLOURS)], label=name)
        axes.set_yticks(range(len(kinds)), [spoken(kind) for kind in kinds])
        axes.set(xlabel="false alarms")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid(visible=False, axis="y")
        canvas.legend(*axes.get_legend_handles_labels(), loc="outside upper center", ncols=systems.columns(names))
        return picture(
            canvas,
            alt="False alarms by the kind of sound that raised them, for each system; the table below has the numbers.",
            caption="What is mistaken for a cry: the kinds that fool ours most, and how the peers fare on them.",
        )


def _kinds_table(names: Sequence[str], counts: Sequence[Mapping[str, int]]) -> Table:
    most = max((n for of in counts for n in of.values()), default=1) or 1
    rows: list[list[str | Cell]] = [
        [spoken(kind), *[Cell(f"{of[kind]}" if kind in of else NONE, of.get(kind, 0) / most) for of in counts]]
        for kind in _all_kinds(counts)
    ]
    return Table("False alarms by kind of sound", ["kind", *names], rows, folded=True)


def _all_kinds(counts: Sequence[Mapping[str, int]]) -> list[str]:
    return sorted({kind for of in counts for kind in of})
