"""Where every captured sample went: `captured == lost + quiet + segmented + held`, in samples at 16 kHz."""

from dataclasses import dataclass
from typing import Final

MOST_LOST_S: Final = 60.0
"""Longest hole that is told and believed (seconds): a minute of damaged packets; a time stamp that is off by hours is
wrong."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts of one source since its start (samples at 16 kHz), each counted where it happens, none derived."""

    captured: int = 0
    """Reached the time axis of the source, heard or not."""
    lost: int = 0
    """On the time axis but never heard: overwritten in the ring, or dropped by a device."""
    quiet: int = 0
    """Heard and part of no segment."""
    segmented: int = 0
    """Heard and part of exactly one segment."""
    held: int = 0
    """Still inside: in the ring, the resampler, or an open segment."""

    @property
    def conserved(self) -> bool:
        """Whether every sample is accounted for."""
        return self.captured == self.lost + self.quiet + self.segmented + self.held

    def __add__(self, other: "Tally") -> "Tally":
        """Sums two sources."""
        return Tally(
            self.captured + other.captured,
            self.lost + other.lost,
            self.quiet + other.quiet,
            self.segmented + other.segmented,
            self.held + other.held,
        )
