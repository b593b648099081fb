"""The newest samples of a stream, by their place in it, so that windows and segments can be cut out of the past."""

import numpy as np

from monitord.types import Pcm


class Recent:
    """Keeps samples where they lie until the room is used up, and only then moves the newest to its beginning.

    Args:
        keep: Newest samples that can be cut out before the last that was appended.
        most: Samples that are appended at once, at most.
    """

    def __init__(self, keep: int, most: int) -> None:
        self._keep = keep
        self._samples: Pcm = np.zeros(keep + most, np.int16)
        self._used = keep  # zeros lie before the stream
        self._end = 0  # index one past the newest sample

    def append(self, samples: Pcm) -> None:
        """Takes the next int16 [n]."""
        if self._used + len(samples) > len(self._samples):
            self._samples[: self._keep] = self._samples[self._used - self._keep : self._used]
            self._used = self._keep
        self._samples[self._used : self._used + len(samples)] = samples
        self._used += len(samples)
        self._end += len(samples)

    def cut(self, start: int, end: int) -> Pcm:
        """Copies the samples from `start` to before `end` (samples since the first); zeros before the first."""
        first = self._used - self._end  # where index 0 would lie
        return self._samples[first + start : first + end].copy()
