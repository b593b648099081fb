"""A room's sound in the web thread: at 16 kHz, from now on, and never more than two seconds old."""

import asyncio
import contextlib
from collections import deque
from typing import Final, Self

import numpy as np

from monitord.pcm import Resampler, position_16k
from monitord.types import RATE_HZ, AudioChunk, Pcm
from service.capture.inbox import Tap

BOUND_S: Final = 2.0
"""Sound that waits for the web thread (seconds); when there is more the oldest goes: whoever listens wants now."""


class Ear:
    """A with-block opens and closes it; used in the web thread, fed by the capture thread.

    Args:
        tap: Of the room.
    """

    def __init__(self, tap: Tap) -> None:
        self._tap = tap
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[AudioChunk] = deque()
        self._came = asyncio.Event()
        self._resampler = Resampler(RATE_HZ)
        self._next = -1  # index of the next sample if none is missing (at the source's rate)
        self._over = False
        self.lost = 0
        """Samples at 16 kHz that were missing so far."""

    def __enter__(self) -> Self:
        self._tap.open(self._hear, at_once=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._tap.close(self._hear)

    def end(self) -> None:
        """Lets nobody hear any more by this ear."""
        self._over = True
        self._came.set()

    async def wait(self) -> bool:
        """Returns True when there is sound, and False once it was ended."""
        await self._came.wait()
        return not self._over

    def take(self) -> Pcm:
        """Returns what has come since the last time, int16 [n] at 16 kHz; n may be 0. What was lost is left out."""
        self._came.clear()
        parts: list[Pcm] = []
        while self._waiting:
            chunk = self._waiting.popleft()
            if chunk.rate_hz != self._resampler.rate_hz or chunk.start != self._next:
                if chunk.rate_hz == self._resampler.rate_hz and self._next >= 0:
                    self.lost += position_16k(chunk.start - self._next, chunk.rate_hz)
                self._resampler = Resampler(chunk.rate_hz, chunk.start)
            self._next = chunk.start + len(chunk.samples)
            parts.append(self._resampler.feed(chunk.samples))
        return np.concatenate(parts) if parts else np.empty(0, np.int16)

    def _hear(self, chunk: AudioChunk) -> None:
        with contextlib.suppress(RuntimeError):  # the web thread has ended; whoever captures must not hear of it
            self._loop.call_soon_threadsafe(self._keep, chunk)

    def _keep(self, chunk: AudioChunk) -> None:
        self._waiting.append(chunk)
        while sum(len(one.samples) / one.rate_hz for one in self._waiting) > BOUND_S and len(self._waiting) > 1:
            self._waiting.popleft()
        self._came.set()
