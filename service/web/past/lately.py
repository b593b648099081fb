"""What the last days say of a room: which of its cries another threshold would have told, and how loud they were."""

from collections.abc import Mapping
from statistics import median
from typing import Final

from service.messages.corrections import CRY
from service.storage.history import Span

DAYS: Final = 7
"""That are looked back on: nights resemble each other for a week, and a parent remembers them."""


def lately(span: Span, room: str, threshold: float | None) -> Mapping[str, object]:
    """Returns what the episodes that a room told say, as JSON values.

    Args:
        span: Of the last `DAYS`.
        room: Source.
        threshold: That is proposed; None: none is.

    Returns:
        `days`; `episodes`, of which it is known; of them `not_told` at this threshold, by the wall time of their first
        sound (Unix seconds), and `no_cry`, how many of these were none by the family's word; `cry_db`, the median
        loudness of the room's cries (decibels over its noise), None where there was none.
    """
    said = {one.episode: one.was for one in span.corrections}  # the newest word counts
    own = [one for one in span.episodes if one.room == room]
    known = [one for one in own if one.told_up_to is not None]
    not_told = [one for one in known if threshold is not None and (one.told_up_to or 0.0) < threshold]
    loud = [one.loudness_db for one in own if one.loudness_db is not None and said.get(one.id, CRY) == CRY]
    return {
        "days": DAYS,
        "episodes": len(known),
        "not_told": [one.since for one in not_told],
        "no_cry": sum(said.get(one.id, CRY) != CRY for one in not_told),
        "cry_db": round(median(loud)) if loud else None,
    }
