"""What comes out of a process that opens sound: runs of samples and holes, and their channels made one."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from monitord.channels import MEAN, Downmix
from monitord.types import Pcm


@dataclass(frozen=True, slots=True)
class Raw:
    """A run of samples as it was recorded."""

    samples: NDArray[np.int16]
    """int16 [n, channels]."""
    rate_hz: int
    track: str = ""
    """Which of several tracks it is; empty where there is only one."""


@dataclass(frozen=True, slots=True)
class Sound:
    """A run of samples."""

    samples: Pcm
    """int16 [n] mono."""
    rate_hz: int
    part: str = ""
    """What of it is heard, where there is more: `track 2 of 3 (eng), channel 1 of 2`; else empty."""
    opposite: bool = False
    """Whether two channels carry the same in opposite phase: their wiring is wrong."""

    @property
    def n(self) -> int:
        """How many."""
        return len(self.samples)


@dataclass(frozen=True, slots=True)
class Lost:
    """Samples that were damaged or dropped on the way."""

    n: int
    rate_hz: int


def mixed(records: Iterator[Raw | Lost]) -> Iterator[Sound | Lost]:
    """Yields the one channel that is heard, as many samples as came, and raises what `records` raises."""
    downmix = Downmix()
    track = ""
    try:
        for record in records:
            if isinstance(record, Lost):
                yield from _sounds(downmix, downmix.flush(), track)
                yield record
            else:
                track = record.track
                yield from _sounds(downmix, downmix.feed(record.samples, record.rate_hz), track)
    except Exception:
        yield from _sounds(downmix, downmix.flush(), track)  # what came before is good
        raise
    yield from _sounds(downmix, downmix.flush(), track)


def _sounds(downmix: Downmix, ready: Iterator[tuple[Pcm, int]], track: str) -> Iterator[Sound]:
    for samples, rate_hz in ready:
        mixer = downmix.mixer
        if mixer is None or mixer.channels == 1:
            yield Sound(samples, rate_hz, track)
        else:
            channel = "" if mixer.heard == MEAN else f"channel {mixer.heard + 1} of {mixer.channels}"
            yield Sound(samples, rate_hz, ", ".join(filter(None, (track, channel))), mixer.opposite)
