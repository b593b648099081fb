"""What travels along the road: chunk -> segment and windows -> scores -> event. Frozen; a unit under every field."""

from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

RATE_HZ: Final = 16_000
"""Sample rate inside the house (hertz). VGGish was trained at 16 kHz (vggish_params.py, SAMPLE_RATE)."""

REASONS: Final = ("hunger", "boredom", "tiredness", "discomfort")
"""The four reasons of the method, in the order of every `reasons` array."""

Pcm = NDArray[np.int16]
"""int16 [samples], mono."""

EndedBy = Literal["silence", "max_length", "gap", "flush"]
EventType = Literal["started", "reason", "escalated", "acknowledged", "ended", "test"]


@dataclass(frozen=True, slots=True)
class AudioChunk:
    """A run of samples without a hole, as a source delivered it."""

    source: str
    """Id of the source, `[a-z0-9_]+`."""
    rate_hz: int
    """Sample rate of this chunk (hertz)."""
    start: int
    """Index of the first sample on the source's time axis (samples at `rate_hz`); a jump is a gap."""
    samples: Pcm
    """int16 [n], mono."""
    at: float
    """Wall time at which the first sample was captured (Unix seconds)."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One cry sound or other sound: 0.18 to 2.5 s."""

    source: str
    start: int
    """Index of the first sample (samples at 16 kHz)."""
    samples: Pcm
    """int16 [n] at 16 kHz, n in 2,880 .. 40,000."""
    at: float
    """Wall time of the first sample (Unix seconds)."""
    ended_by: EndedBy
    closed: int
    """Index one past the last sample that was heard to know that it had ended (samples at 16 kHz)."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the network sees: 0.975 s of real context that ends at the newest sound."""

    source: str
    start: int
    """Index of the first sample (samples at 16 kHz); negative where the stream is younger than a window."""
    samples: Pcm
    """int16 [15600] at 16 kHz; zeros before the start of the stream or of the sound after a gap."""
    at: float
    """Wall time of the first sample (Unix seconds)."""
    onset: int
    """Index at which the sound that opened this run of windows began (samples at 16 kHz)."""

    @property
    def end(self) -> int:
        """Index one past the last sample (samples at 16 kHz)."""
        return self.start + len(self.samples)


@dataclass(frozen=True, slots=True)
class Scores:
    """What the network says about one window, or pooled over the windows of one segment."""

    source: str
    start: int
    """Index of the first sample scored (samples at 16 kHz)."""
    p_cry: float
    """Calibrated probability of a baby's cry, 0 to 1."""
    reasons: NDArray[np.float32]
    """float32 [4], calibrated probabilities in the order of `REASONS`; they sum to 1, given that it is a cry."""
    n_windows: int
    """How many windows were pooled."""
    bundle_id: str
    """Short hash of the bundle that scored."""
    log_odds: float = 0.0
    """Calibrated log-odds of a cry as the bundle alone says them, whatever this home has taught; 0 where pooled."""
    embedding: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    """float32 [128], what the network made of the window; empty where pooled."""
    distress: float | None = None
    """Calibrated, 0 to 1: how much it sounds like the strongest cries that babies give, given that it is a cry; None
    where the bundle does not know."""


@dataclass(frozen=True, slots=True)
class CryEvent:
    """What the world is told about an episode of crying."""

    episode: int
    """Number of the episode in its source, from 1."""
    source: str
    event_type: EventType
    start: int
    """Index at which the episode's first sound began (samples at 16 kHz)."""
    decided: int
    """Index of the last sample the decision rests on, exclusive (samples at 16 kHz)."""
    p_cry: float
    """Highest calibrated probability so far, 0 to 1."""
    reason: str
    """One of `REASONS`, `unsure`, or `none` before the first reason."""
    reason_p: float
    """Calibrated probability of the likeliest reason, 0 to 1; 0 before the first reason."""
    reasons: tuple[float, ...] = field(default=())
    """Whole distribution in the order of `REASONS`; empty before the first reason."""
    distress: float | None = None
    """How hard it was cried so far, 0 to 1, see `Intensity`; None where the bundle does not know."""

    @property
    def latency_samples(self) -> int:
        """From the first sound to the decision (samples at 16 kHz)."""
        return self.decided - self.start
