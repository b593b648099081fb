"""What the family says of an episode: "that was the cat", "that was a cry", "you missed one"."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from monitord.types import REASONS
from service.messages.message import iso_utc

CRY: Final = "cry"
"""What a correction says where it was one; any other word: it was none."""
EPISODE_ID: Final = re.compile(r"[a-z0-9_]+-\d{8}T\d{6}Z-\d+")

_WAS = re.compile(r"[^\W_][\w '-]{0,39}")


@dataclass(frozen=True, slots=True)
class Correct:
    """Somebody knows what it was."""

    source: str
    episode: str | None = None
    """Id of the episode that is meant; None is the room's newest, or the missed cry."""
    missed_at: float | None = None
    """When a cry was missed (Unix seconds); None: an episode is meant."""
    was: str = CRY
    """`CRY`, or what else made the sound, as the family calls it."""
    reason: str | None = None
    """One of `REASONS`, why the baby cried; None: nobody says."""


def parse_correction(source: str, value: str) -> Correct:
    """Reads the value of `<source>/correct/set`.

    Raises:
        ValueError: It is none, and why.
    """
    said = json.loads(value)
    if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
        raise ValueError(f"{value!r} is no JSON object of texts")
    if unknown := sorted(said.keys() - {"episode", "missed_at", "was", "reason"}):
        raise ValueError(f"{unknown[0]!r} is none of episode, missed_at, was, reason")
    episode, was, reason = said.get("episode"), said.get("was", CRY).strip(), said.get("reason")
    if episode is not None and not EPISODE_ID.fullmatch(episode):
        raise ValueError(f"{episode!r} is no episode id")
    if not _WAS.fullmatch(was):
        raise ValueError(f"{was!r} is no word for what it was, of at most 40 letters")
    if reason is not None and (reason not in REASONS or was != CRY):
        raise ValueError(f"{reason!r} is none of {', '.join(REASONS)}, the reasons of a cry")
    if "missed_at" not in said:
        if not said.keys() & {"was", "reason"}:
            raise ValueError("it says neither what it was nor why")
        return Correct(source, episode, None, was, reason)
    at = datetime.fromisoformat(said["missed_at"])
    if at.tzinfo is None or episode is not None or was != CRY:
        raise ValueError("missed_at is a time with its zone, of a cry that is in no episode")
    return Correct(source, None, at.timestamp(), was, reason)


@dataclass(frozen=True, slots=True)
class Worth:
    """What learning has changed, in numbers."""

    settled: int = 0
    """Corrections that are heard as the family says now."""
    left_out: int = 0
    """Corrections that are not learnt: they would cost too many cries, or raise too many false alarms."""
    cries_lost: float = 0.0
    """Share of the windows of strangers' cries that are not heard any more, 0 to 1."""


Outcome = Literal["", "learnt", "none", "no_sound", "no_episode", "undone", "set_aside", "failed"]
"""What came of the last correction, for programs, as `detail` is for people: learnt from; there is none to learn from;
no sound is kept of the missed cry, or none of the episode; all undone; given to another bundle; the bundle cannot
learn. Empty before."""


def adaptation(
    *,
    in_force: bool,
    corrections: int,
    at: float,
    detail: str,
    outcome: str = "",
    source: str = "",
    worth: Worth = Worth(),
) -> Mapping[str, object]:
    """What this home has taught the model, as a part of `info`.

    Args:
        in_force: Whether what was learnt takes effect.
        corrections: How many the family has given.
        at: When it was last looked at (Unix seconds); 0: never.
        detail: What came of that, in words; empty before.
        outcome: The same as an `Outcome`, or as a later version calls it.
        source: The room that it is about; empty: none.
        worth: Of what is in force.
    """
    return {
        "in_force": in_force,
        "corrections": corrections,
        "at": iso_utc(at) if at else None,
        "detail": detail,
        "outcome": outcome,
        "source": source,
        "settled": worth.settled,
        "left_out": worth.left_out,
        "cries_lost": round(worth.cries_lost, 5),
    }
