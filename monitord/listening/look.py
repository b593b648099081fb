"""What the gate made of each frame, for whoever asks why nothing was told. A listener keeps it only where asked to."""

from dataclasses import dataclass
from typing import Literal

Opening = Literal["closed", "sound", "noisy"]
"""Whether windows are cut, and what for: nothing stands out of the room; energy does, or did within the hangover; the
room itself is so loud that every window is scored."""


@dataclass(frozen=True, slots=True)
class Look:
    """One frame."""

    start: int
    """Index of its first sample (samples at 16 kHz)."""
    end: int
    """Index one past its last sample (samples at 16 kHz)."""
    dbfs: float
    """Its level (dBFS)."""
    floor_dbfs: float
    """Noise floor of the room (dBFS)."""
    bound_dbfs: float
    """Level over which a frame is sound (dBFS)."""
    opening: Opening
    windowed: bool
    """Whether a window ends with it."""

    @property
    def over_db(self) -> float:
        """Decibels by which it passes the bound; negative under it."""
        return self.dbfs - self.bound_dbfs


@dataclass(frozen=True, slots=True)
class TooShort:
    """A sound that was forgotten: shorter than the shortest segment."""

    start: int
    """Index of its first sample (samples at 16 kHz)."""
    end: int
    """Index one past its last sample (samples at 16 kHz)."""
    known: int
    """Index one past the last sample that was heard to know it (samples at 16 kHz)."""
