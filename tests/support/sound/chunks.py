"""Sound cut into chunks of any sizes, and an subscriber that hears them and keeps its books in the open."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitord.listening.listener import Listener, ListenerParams
from monitord.pcm import FULL_SCALE
from monitord.types import AudioChunk, Pcm, Segment, Window

RATES_HZ = (8_000, 16_000, 22_050, 44_100, 48_000)

SIZES = st.lists(st.one_of(st.integers(1, 700), st.sampled_from([1, 160, 319, 320, 321, 1024, 20_000])), max_size=8)
"""Chunk sizes (samples), gone through again and again; `cut_up` adds a large one, so that tiny ones stay affordable."""


def cut_up(samples: Pcm, sizes: Sequence[int]) -> Iterator[Pcm]:
    """Yields all samples in chunks of these sizes and one of 3,001, round and round."""
    cycle = [*sizes, 3_001]
    start = number = 0
    while start < len(samples):
        end = start + cycle[number % len(cycle)]
        yield samples[start:end]
        start, number = end, number + 1


def chunks_of(samples: Pcm, rate_hz: int, sizes: Sequence[int], *, start: int = 0, at: float = 0.0) -> list[AudioChunk]:
    """Cuts samples into chunks of source `room`, the first at index `start` (samples at `rate_hz`).

    `at` is the wall time of index 0 (Unix seconds).
    """
    chunks = []
    for part in cut_up(samples, sizes):
        chunks.append(AudioChunk("room", rate_hz, start, part, at + start / rate_hz))
        start += len(part)
    return chunks


def whole(samples: Pcm, rate_hz: int, *, start: int = 0, at: float = 0.0) -> AudioChunk:
    """All samples as one chunk of source `room`; `at` is the wall time of index 0 (Unix seconds)."""
    return AudioChunk("room", rate_hz, start, samples, at + start / rate_hz)


def hear(chunks: Iterable[AudioChunk], params: ListenerParams | None = None) -> list[Window | Segment]:
    """Feeds a new listener and flushes it; after every chunk each sample must be accounted for."""
    listener = Listener("room", params or ListenerParams())
    out: list[Window | Segment] = []
    for chunk in chunks:
        out += listener.feed(chunk)
        assert listener.tally().conserved, listener.tally()
    out += listener.flush()
    tally = listener.tally()
    assert tally.conserved, tally
    assert tally.held == 0
    assert tally.segmented == sum(len(segment.samples) for segment in segments(out))
    return out


def windows(heard: Iterable[Window | Segment]) -> list[Window]:
    """The windows among them."""
    return [item for item in heard if isinstance(item, Window)]


def segments(heard: Iterable[Window | Segment]) -> list[Segment]:
    """The segments among them."""
    return [item for item in heard if isinstance(item, Segment)]


def same(one: Sequence[Window | Segment], other: Sequence[Window | Segment]) -> bool:
    """Whether both are the same sounds at the same places, sample for sample (wall times within a microsecond)."""
    return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))


def _same(a: Window | Segment, b: Window | Segment) -> bool:
    if isinstance(a, Window) and isinstance(b, Window):
        equal = (a.source, a.start, a.onset) == (b.source, b.start, b.onset)
    elif isinstance(a, Segment) and isinstance(b, Segment):
        equal = (a.source, a.start, a.ended_by, a.closed) == (b.source, b.start, b.ended_by, b.closed)
    else:
        return False
    return equal and abs(a.at - b.at) < 1e-6 and np.array_equal(a.samples, b.samples)


def to_pcm(signal: NDArray[np.float64]) -> Pcm:
    """Rounds a signal in units of an int16 step, cut at full scale."""
    return np.asarray(np.rint(np.clip(signal, -FULL_SCALE, FULL_SCALE - 1)), np.int16)
