"""The ring: first in, first out, bounded in time, and what it overwrites is counted."""

from collections import deque

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitord.pcm import position_16k
from monitord.ring import RING_S, Ring
from monitord.types import AudioChunk


def chunk(start: int, n: int, rate_hz: int = 16_000) -> AudioChunk:
    return AudioChunk("room", rate_hz, start, np.zeros(n, np.int16), 0.0)


def test_first_in_first_out() -> None:
    """Chunks come out in the order in which they went in, then nothing."""
    ring = Ring()
    kept = [chunk(0, 160), chunk(160, 320)]
    for one in kept:
        ring.push(one)
    assert (len(ring), ring.held, ring.lost) == (2, 480, 0)
    assert [ring.pop(), ring.pop(), ring.pop()] == [*kept, None]
    assert (len(ring), ring.held, ring.lost) == (0, 0, 0)


def test_when_full_the_oldest_goes_and_is_counted() -> None:
    """A chunk that does not fit overwrites whole chunks from the oldest on, no more than it needs."""
    ring = Ring(capacity_s=0.03)  # 480 samples
    for start in (0, 160, 320):
        ring.push(chunk(start, 160))
    assert not ring.fits(chunk(480, 1))
    ring.push(chunk(480, 161))
    assert (ring.held, ring.lost) == (160 + 161, 2 * 160)
    first = ring.pop()
    assert first is not None
    assert first.start == 320


def test_holds_thirty_seconds_at_any_rate() -> None:
    """The bound is time: half a minute at 48 kHz fits as half a minute at 8 kHz does."""
    for rate_hz in (8_000, 48_000):
        ring = Ring()
        for second in range(RING_S):
            assert ring.fits(chunk(second * rate_hz, rate_hz, rate_hz))
            ring.push(chunk(second * rate_hz, rate_hz, rate_hz))
        assert not ring.fits(chunk(RING_S * rate_hz, rate_hz, rate_hz))
        assert (ring.held, ring.lost) == (RING_S * 16_000, 0)


def test_an_empty_ring_takes_anything() -> None:
    """A chunk longer than the ring is not refused for ever: alone it fits."""
    ring = Ring(capacity_s=0.01)
    assert ring.fits(chunk(0, 1_000))
    ring.push(chunk(0, 1_000))
    ring.push(chunk(1_000, 2_000))
    assert (len(ring), ring.held, ring.lost) == (1, 2_000, 1_000)


@given(st.sampled_from([8_000, 16_000, 44_100]), st.lists(st.one_of(st.none(), st.integers(0, 500)), max_size=60))
def test_every_sample_is_counted(rate_hz: int, steps: list[int | None]) -> None:
    """Whatever goes in (a number) and out (None): pushed = popped + lost + held, and the bound holds."""
    ring, start, popped = Ring(capacity_s=0.05), 0, 0
    inside: deque[int] = deque()
    for n in steps:
        if n is None:
            out = ring.pop()
            assert (out is None) == (not inside)
            if out is not None:
                assert out.start == inside.popleft()
                popped += position_16k(out.start + len(out.samples), rate_hz) - position_16k(out.start, rate_hz)
        else:
            ring.push(chunk(start, n, rate_hz))
            inside.append(start)
            start += n
        while len(inside) > len(ring):
            inside.popleft()  # the oldest made room
        assert position_16k(start, rate_hz) == popped + ring.lost + ring.held
        assert ring.held <= ring.capacity or len(ring) == 1
