"""What a data set holds: the paper's Table 1, clips by baby and reason, as markdown."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from monitord.types import RATE_HZ, REASONS
from training.data.clips import Clip, ClipSet
from training.data.splits import groups_of

MOST_ROWS: Final = 20
"""Rows before the rest is summed up: the paper's table has 10; an app's users are hundreds."""


def table_one(clips: ClipSet) -> str:
    """Lines to print: title, a table with totals, and what else a reader asks.

    Each baby is a row; where no baby is known, what stands for one: the installation, else the recording.
    """
    named = [_row_name(clip) for clip in clips.clips]
    of_all = Counter(named)
    rows = list(of_all)
    shown, rest = (rows, []) if len(rows) <= MOST_ROWS else _biggest(of_all)
    lines = [
        f"Table 1. {clips.name}{' (synthetic: no baby ever cried in it)' if clips.synthetic else ''}",
        "",
        f"| {_heading(clips.clips)} | {' | '.join(REASONS)} | total |",
        f"|---|{'---|' * (len(REASONS) + 1)}",
    ]
    lines += [_line(name, [c for c, row in zip(clips.clips, named, strict=True) if row == name]) for name in shown]
    if rest:
        summed = set(rest)
        left = [clip for clip, row in zip(clips.clips, named, strict=True) if row in summed]
        lines.append(_line(f"{len(rest)} others", left))
    lines += [_line("total", clips.clips), "", _facts(clips)]
    return "\n".join(lines)


def _row_name(clip: Clip) -> str:
    return clip.baby or clip.installation or clip.recording


def _heading(clips: Sequence[Clip]) -> str:
    if all(clip.baby for clip in clips):
        return "baby"
    if any(clip.baby for clip in clips):
        return "baby, or what stands for one"
    return "installation" if all(clip.installation for clip in clips) else "installation or recording"


def _biggest(of_all: Counter[str]) -> tuple[list[str], list[str]]:
    ordered = [name for name, _ in of_all.most_common()]
    return ordered[:MOST_ROWS], ordered[MOST_ROWS:]


def _line(name: str, clips: Sequence[Clip]) -> str:
    count = Counter(clip.label for clip in clips)
    cells = [str(count[reason]) for reason in REASONS]
    return f"| {name} | {' | '.join(cells)} | {len(clips)} |"


def _facts(clips: ClipSet) -> str:
    seconds = np.array([clip.end - clip.start for clip in clips.clips]) / RATE_HZ
    shortest, median, longest = np.quantile(seconds, [0.0, 0.5, 1.0]).tolist()
    recordings = len({clip.recording for clip in clips.clips})
    groups = len(np.unique(groups_of(clips.clips)))
    return (
        f"{len(clips.clips)} clips of {shortest:.2f} to {longest:.2f} s (median {median:.2f} s), {seconds.sum():.1f} s "
        f"in all, {len(clips.clip)} windows; {recordings} recordings in {groups} groups "
        "that share no baby, recording or installation."
    )
