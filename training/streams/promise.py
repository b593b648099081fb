"""What a parent was promised of hearing, in numbers: every figure of a stream is held against it."""

from typing import Final

MOST_MISSED: Final = 0.05
"""Share of crying episodes that may be missed. This one and the others are the product's word to a parent, which the
model card repeats."""
MOST_FALSE_PER_HOUR: Final = 0.5
"""False crying episodes in an hour of household sound, over all hours: fewer than this."""
MOST_P50_S: Final = 1.5
"""Seconds from the first sound of a cry to the alarm, at the median."""
MOST_P95_S: Final = 3.0
"""The same at the 95th percentile."""


def kept(found: float, false_per_hour: float, p50_s: float | None, p95_s: float | None) -> dict[str, bool]:
    """Which parts are kept, by `found`, `false_per_hour`, `p50`, `p95`; a latency of None (nothing found) is not."""
    return {
        "found": found >= 1.0 - MOST_MISSED,
        "false_per_hour": false_per_hour < MOST_FALSE_PER_HOUR,
        "p50": p50_s is not None and p50_s <= MOST_P50_S,
        "p95": p95_s is not None and p95_s <= MOST_P95_S,
    }
