"""How the sounds nearest to a cry fare: the share of their windows over the threshold, beside YAMNet and mn04."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from training.data.prepared import Prepared
from training.label.teachers import MN04_CLASSES, YAMNET_CLASSES

KINDS: Final = {
    "laughing": ("laughing",),
    "laughs raised to a baby's": ("laugh:raised",),
    "grown-ups who scream and groan": ("emogator:distress",),
    "grown-ups who sob": ("emogator:sorrow",),
    "grown-ups who laugh and shout": ("emogator:joy",),
    "grown-ups' other bursts": ("emogator:calm",),
    "a child's speech": ("speech:child",),
    "an adult's speech": ("speech:adult", "speech:commands"),
    "talk": ("speech:talk",),
    "cat": ("cat",),
    "cats of catmeows": ("catmeows:brushing", "catmeows:isolation", "catmeows:waiting_food"),
    "rooster": ("rooster",),
    "hen": ("hen",),
    "crow": ("crow", "home:misc_crow"),
    "siren": ("siren",),
    "squeaking doors": ("door_wood_creaks",),
    "dog": ("dog",),
    "sheep": ("sheep",),
    "cow": ("cow",),
    "pig": ("pig",),
    "frog": ("frog",),
    "birds": ("chirping_birds",),
    "coughing, sneezing": ("coughing", "sneezing"),
    "other uploads of the cry app": ("phone:android", "phone:ios"),
}
"""Name in the table and kinds of recordings."""
HEARD_AS: Final = {
    "a baby's laughter": ((17,), (14,), 0.1),
    "singing": ((27, 32, 33, 34, 35), (24, 29, 30), 0.3),
}
"""Sounds that no recording is labelled as, by what the teachers hear: rows of mn04's and YAMNet's class lists, and the
score that one of these must reach (baby laughter scores low where it is plain to hear). The teachers stand in a good
light here: what they take for a cry is never chosen."""
YAMNET_ON: Final = 0.5
"""Threshold of YAMNet where it is used as a cry detector (Frigate's default for any label)."""
MN04_ON: Final = 0.1
"""Threshold of mn04, whose probabilities run low: at a half it finds one held-out cry window in thirty."""


@dataclass(frozen=True, slots=True)
class HardNegative:
    """One kind of sound."""

    kind: str
    windows: int
    recordings: int
    ours: float
    """Share of the windows over the bundle's threshold, 0 to 1."""
    yamnet: float
    """Share over `YAMNET_ON`."""
    mn04: float
    """Share over `MN04_ON`."""


def hard_negatives(
    prepared: Prepared, rows: NDArray[np.int64], p_cry: NDArray[np.float32], on_p: float
) -> list[HardNegative]:
    """Counts by kind of sound; what the teachers hear as a baby's laughter or singing counts there and in its kind.

    Args:
        prepared: What `prepare` wrote.
        rows: int64 [k], rows of `prepared.windows`: the held-out ones of `evaluation_rows`. Those of recordings with a
            cry do not count.
        p_cry: float32 [k], calibrated probabilities of a cry for these.
        on_p: The bundle's threshold.
    """
    windows = prepared.windows
    none = np.array([recording.is_cry is False for recording in prepared.recordings])[windows.recording[rows]]
    rows, p_cry = rows[none], p_cry[none]
    kinds = np.array([recording.kind for recording in prepared.recordings])[windows.recording[rows]]
    masks = {name: _heard_as(prepared, rows, *classes) for name, classes in HEARD_AS.items()}
    masks |= {name: np.isin(kinds, of) for name, of in KINDS.items()}
    masks["everything else"] = ~np.any(list(masks.values()), axis=0)
    masks["all together"] = np.ones(len(rows), np.bool_)
    out = []
    for name, mask in masks.items():
        if mask.any():
            at = rows[mask]
            shares = (p_cry[mask] >= on_p, windows.yamnet[at] >= YAMNET_ON, windows.mn04[at] >= MN04_ON)
            ours, yamnet, mn04 = (float(share.mean()) for share in shares)
            out.append(HardNegative(name, len(at), len(np.unique(windows.recording[at])), ours, yamnet, mn04))
    return out


def markdown(found: Sequence[HardNegative], name: str, on_p: float) -> str:
    """The table; `name` is the bundle's."""
    lines = [
        (
            f"| held-out sound without a cry | windows | recordings | {name} at {on_p:g} | YAMNet at {YAMNET_ON:g} | "
            f"mn04 at {MN04_ON:g} |"
        ),
        "|---|---|---|---|---|---|",
    ]
    for one in found:
        shares = " | ".join(f"{share:.1%}" for share in (one.ours, one.yamnet, one.mn04))
        lines.append(f"| {one.kind} | {one.windows} | {one.recordings} | {shares} |")
    chosen = " and ".join(one.kind for one in found if one.kind in HEARD_AS)
    note = f"What is {chosen} was told by YAMNet and mn04 themselves, so they are seldom wrong there."
    return "\n".join([*lines, "", note] if chosen else lines)


def _heard_as(
    prepared: Prepared, rows: NDArray[np.int64], mn04: tuple[int, ...], yamnet: tuple[int, ...], least: float
) -> NDArray[np.bool_]:
    """Where either teacher gives one of these classes `least` or more, and more than a cry."""
    windows = prepared.windows
    if windows.tags.shape[1] != MN04_CLASSES + YAMNET_CLASSES:
        return np.zeros(len(rows), np.bool_)
    columns = [*mn04, *(MN04_CLASSES + row for row in yamnet)]
    score = windows.tags[rows][:, columns].max(axis=1)
    return np.asarray((score >= least) & (score > np.maximum(windows.mn04, windows.yamnet)[rows]))
