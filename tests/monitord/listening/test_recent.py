"""The newest samples, cut out by their place, whatever was appended in whatever parts."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitord.listening.recent import Recent

KEEP, MOST = 50, 20
"""Samples."""


@given(st.lists(st.integers(0, MOST), max_size=60), st.integers(0, KEEP), st.integers(0, KEEP))
def test_any_cut_of_what_is_kept(sizes: list[int], back: int, length: int) -> None:
    """As many samples as are kept before the last part, and it: those of the stream, and zeros before it."""
    recent, stream = Recent(KEEP, MOST), np.arange(1, sum(sizes) + 1, dtype=np.int16)
    end = 0
    for size in sizes:
        recent.append(stream[end : end + size])
        newest, end = end, end + size
        first = newest - back
        last = min(first + length, end)
        expected = [index + 1 if index >= 0 else 0 for index in range(first, last)]
        assert recent.cut(first, last).tolist() == expected


def test_a_cut_is_a_copy() -> None:
    """What was cut out stays when its place is used again."""
    recent = Recent(KEEP, MOST)
    recent.append(np.full(MOST, 7, np.int16))
    cut = recent.cut(0, MOST)
    for _ in range(10):
        recent.append(np.zeros(MOST, np.int16))
    assert set(cut.tolist()) == {7}
