"""Numbers as a reader meets them: shares of a hundred, seconds, intervals; a dash where there is none."""

from collections.abc import Sequence
from typing import Final

NONE: Final = "-"
"""Where there is no number."""


def of_100(share: float | None) -> str:
    """`95` for 0.95, `94.8` for 0.948."""
    return NONE if share is None else f"{100.0 * share:.1f}".removesuffix(".0")


def per_cent(share: float | None) -> str:
    """`95.1 %`."""
    return NONE if share is None else f"{100.0 * share:.1f} %"


def figure(value: float | None) -> str:
    """Three digits after the point: `0.963`."""
    return NONE if value is None else f"{value:.3f}"


def within(value: float | None, interval: Sequence[float] | None) -> str:
    """A figure with its 95 % interval: `0.312 (0.251 to 0.377)`."""
    if value is None or interval is None:
        return figure(value)
    low, high = interval
    return f"{value:.3f} ({low:.3f} to {high:.3f})"


def seconds(value: float | None) -> str:
    """`1.44 s`."""
    return NONE if value is None else f"{value:.2f} s"


def hourly(value: float | None) -> str:
    """Events in an hour: `0.43`."""
    return NONE if value is None else f"{value:.2f}"


def spoken(name: str) -> str:
    """`shuffled_labels` as people write it."""
    return name.replace("_", " ")
