"""What the family asks after ten quiet minutes: louder, or a higher threshold, in one step that can be undone."""

import json
from dataclasses import dataclass
from typing import Final

from monitord.quiet_minutes import MOST_GAIN_DB

UNDO: Final = "UNDO"
"""What takes the last tuning of a room back."""


@dataclass(frozen=True, slots=True)
class Tune:
    """Set how a room is heard."""

    source: str
    gain_db: float | None = None
    """By how much louder than captured (decibels), 0 to `MOST_GAIN_DB`; None: as it is."""
    threshold: float | None = None
    """Probability, 0 < threshold < 1, of the profile that the room is in; None: as it is."""


@dataclass(frozen=True, slots=True)
class UndoTuning:
    """Hear a room as before its last tuning."""

    source: str


def parse_tuning(source: str, value: str) -> Tune | UndoTuning:
    """Reads the value of `<source>/tuning/set`.

    Raises:
        ValueError: It is none, and why.
    """
    if value == UNDO:
        return UndoTuning(source)
    asked = json.loads(value)
    if not (isinstance(asked, dict) and asked and asked.keys() <= {"gain_db", "threshold"}):
        raise ValueError(f'{value!r} is neither {UNDO} nor {{"gain_db": ..., "threshold": ...}}, one of them at least')
    for name, number in asked.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise ValueError(f"{name}: {number!r} is no number")  # noqa: TRY004 - as all that is wrong with a command
    gain_db, threshold = asked.get("gain_db"), asked.get("threshold")
    if gain_db is not None and not 0 <= gain_db <= MOST_GAIN_DB:  # also refuses NaN
        raise ValueError(f"gain_db: {gain_db!r} is not between 0 and {MOST_GAIN_DB:g} decibels")
    if threshold is not None and not 0 < threshold < 1:
        raise ValueError(f"threshold: {threshold!r} is no probability between 0 and 1")
    return Tune(source, gain_db, threshold)
