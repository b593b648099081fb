"""The one place where audio can be lost: a bounded run of chunks, counted in time. No lock: the owner has one."""

from collections import deque

from monitord.pcm import position_16k
from monitord.types import RATE_HZ, AudioChunk

RING_S = 30
"""Capacity (seconds): longer than any start of a runtime or pause of a disk seen, and old sound is not live."""


class Ring:
    """First in, first out; when full, the oldest chunk makes room and is counted."""

    def __init__(self, capacity_s: float = RING_S) -> None:
        self.capacity = int(capacity_s * RATE_HZ)
        """Samples at 16 kHz."""
        self.held = 0
        """Samples at 16 kHz now inside."""
        self.lost = 0
        """Samples at 16 kHz that were overwritten."""
        self._chunks: deque[AudioChunk] = deque()

    def __len__(self) -> int:
        return len(self._chunks)

    def fits(self, chunk: AudioChunk) -> bool:
        """Says whether the chunk goes in without a loss; an empty ring takes anything."""
        return not self._chunks or self.held + _length(chunk) <= self.capacity

    def push(self, chunk: AudioChunk) -> None:
        """Appends the chunk; overwrites the oldest while it does not fit."""
        while not self.fits(chunk):
            oldest = self._chunks.popleft()
            self.held -= _length(oldest)
            self.lost += _length(oldest)
        self._chunks.append(chunk)
        self.held += _length(chunk)

    def pop(self) -> AudioChunk | None:
        """Returns the oldest chunk, or None."""
        if not self._chunks:
            return None
        chunk = self._chunks.popleft()
        self.held -= _length(chunk)
        return chunk


def _length(chunk: AudioChunk) -> int:
    end = position_16k(chunk.start + len(chunk.samples), chunk.rate_hz)
    return end - position_16k(chunk.start, chunk.rate_hz)
