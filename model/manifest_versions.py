"""Manifests that earlier versions of monitord wrote, as this one reads them."""

from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

FORMAT_VERSION: Final = 2
"""Of the manifest and the files beside it; raised when an older reader would misunderstand a newer bundle. 1: the alarm
was raised by votes, so many of the newest windows; 2: by evidence, and it may say how hard it cries."""
VOTES: Final = frozenset({"on_p", "off_p", "n", "m", "span_s", "hold_s", "unsure_below"})
"""What version 1 says of the tracker."""
EVIDENCE: Final[Mapping[str, float]] = {
    "lean": 1.4,
    "most_for": 1.5,
    "most_against": 1.0,
    "fade_per_s": 0.5,
    "on": 9.0,
    "off": 2.25,
}
"""How a bundle of version 1 counts evidence: as `fit` chose before it fitted the cry's head to streams."""


def upgraded(loaded: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Returns a manifest of any version as one of this version; what it is not sure of stays for the reader to refuse.

    The threshold, the hold and what is told as unsure mean the same by evidence as by votes; how evidence is counted
    is the same for all, for calibrated probabilities mean the same in every bundle.
    """
    tracker = loaded.get("tracker")
    if loaded.get("format_version") != 1 or "distress" in loaded:
        return loaded
    loaded = loaded | {"distress": None}
    if not isinstance(tracker, dict) or set(tracker) != VOTES:
        return loaded
    kept = {key: tracker[key] for key in ("on_p", "hold_s", "unsure_below")}
    return loaded | {"tracker": {**kept, **EVIDENCE}, "format_version": FORMAT_VERSION}
