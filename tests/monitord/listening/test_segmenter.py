"""The segmenter against its drawing: frames of sound (#) and silence (.) to spans, each frame counted once."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.listening.segmenter import Segmenter, SegmenterParams, Span

SMALL = SegmenterParams(least_frames=4, most_frames=12, dropout_frames=1, hangover_frames=3)
"""Small enough to draw: a sound has 4 to 12 frames, may drop out for 1 while it rises, ends after 3 of silence."""


def run(frames: str, params: SegmenterParams = SMALL) -> list[tuple[int, Span]]:
    """Steps through the drawing; returns each span with the number of frames after which it fell out."""
    segmenter = Segmenter(params)
    out = []
    for number, frame in enumerate(frames, 1):
        span = segmenter.step(sound=frame == "#")
        if span is not None:
            out.append((number, span))
        assert segmenter.quiet + segmenter.segmented + segmenter.held == number
    return out


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        # quiet, and what never leaves rising
        ("........", []),
        ("..#.....", []),
        ("..###.....", []),
        ("..##..##..", []),  # two frames of silence while rising: it starts over
        # rising -> voiced -> trailing -> quiet
        ("..####...", [(9, Span(2, 6, "silence"))]),
        ("..####..", []),  # the hangover is not over
        ("..##.#...", [(9, Span(2, 6, "silence"))]),  # one frame of silence while rising is part of the sound
        ("..#.#.#...", [(10, Span(2, 7, "silence"))]),
        # trailing -> voiced
        ("####..##...", [(11, Span(0, 8, "silence"))]),
        ("####...####...", [(7, Span(0, 4, "silence")), (14, Span(7, 11, "silence"))]),
        # voiced, too long: cut, and it goes on
        ("############...", [(12, Span(0, 12, "max_length"))]),
        ("################...", [(12, Span(0, 12, "max_length")), (19, Span(12, 16, "silence"))]),
        ("###############...", [(12, Span(0, 12, "max_length"))]),  # 3 frames are no sound of their own
        (
            "####################" + "####...",
            [(12, Span(0, 12, "max_length")), (24, Span(12, 24, "max_length"))],
        ),
        ("############.####...", [(12, Span(0, 12, "max_length")), (20, Span(12, 17, "silence"))]),
        ("############..####...", [(12, Span(0, 12, "max_length")), (21, Span(14, 18, "silence"))]),
        # trailing, too long: it ends with its last sound
        ("##########..#", [(12, Span(0, 10, "max_length"))]),
        ("##########..####...", [(12, Span(0, 10, "max_length")), (19, Span(12, 16, "silence"))]),
    ],
)
def test_the_drawing(frames: str, expected: list[tuple[int, Span]]) -> None:
    """Each arrow of the drawing: which frames become a span, why it ended, and when that is known."""
    assert run(frames) == expected


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ("....", None),
        ("..###", None),  # rising
        ("..####", Span(2, 6, "gap")),  # voiced
        ("..####..", Span(2, 6, "gap")),  # trailing: the silence is no part of it
        ("############", None),  # just cut
        ("#############", None),  # and going on, too short yet
        ("################", Span(12, 16, "gap")),
    ],
)
def test_flush_ends_what_is_open(frames: str, expected: Span | None) -> None:
    """At a gap or the end a sound long enough becomes a span, and nothing is held; it may go on from there."""
    segmenter = Segmenter(SMALL)
    for frame in frames:
        segmenter.step(sound=frame == "#")
    assert segmenter.flush("gap") == expected
    assert (segmenter.held, segmenter.onset) == (0, None)
    assert segmenter.quiet + segmenter.segmented == len(frames)
    assert segmenter.flush("flush") is None


def test_onset_is_where_the_sound_began() -> None:
    """While sound is up its first frame is known; after a cut that is the first frame behind the cut."""
    segmenter = Segmenter(SMALL)
    onsets = []
    for frame in "..####...#############":
        segmenter.step(sound=frame == "#")
        onsets.append(segmenter.onset)
    assert onsets == [None] * 2 + [2] * 6 + [None] + [9] * 11 + [21] * 2


def test_the_lengths_are_the_methods() -> None:
    """With the real parameters a sound has 0.18 to 2.5 s, and a breath of 0.2 s parts two of them."""
    params = SegmenterParams()
    frame_s = params.frame_ms / 1000
    assert params.least_frames * frame_s == pytest.approx(0.18)
    assert params.most_frames * frame_s == pytest.approx(2.5)
    assert run("#" * 8 + "." * 20, params) == []
    assert run("#" * 9 + "." * 10, params) == [(19, Span(0, 9, "silence"))]
    assert run("#" * 125, params) == [(125, Span(0, 125, "max_length"))]
    assert run("#" * 20 + "." * 9 + "#" * 20 + "." * 10, params) == [(59, Span(0, 49, "silence"))]
    assert [span.start for _, span in run("#" * 20 + "." * 10 + "#" * 20 + "." * 10, params)] == [0, 30]


RUNS = st.lists(st.integers(1, 160), max_size=12)
"""Lengths (frames) of silence, sound, silence, sound, ..."""


@given(RUNS)
@settings(max_examples=200)
def test_spans_hold_every_long_sound_and_no_silence_at_their_edges(lengths: list[int]) -> None:
    """Spans are 9 to 125 frames, in order, apart, and hold each run of sound of 9 frames but what is left of a cut."""
    frames = "".join(("#" if i % 2 else ".") * n for i, n in enumerate(lengths)) + "." * 10
    spans = [span for _, span in run(frames, SegmenterParams())]
    inside: set[int] = set()
    for span in spans:
        assert 9 <= span.end - span.start <= 125
        assert frames[span.end - 1] == "#"
        assert not inside & set(range(span.start, span.end))
        inside |= set(range(span.start, span.end))
    assert all(a.end <= b.start for a, b in itertools.pairwise(spans))
    cuts = [span.end for span in spans if span.ended_by == "max_length"]
    start = 0
    for is_sound, run_of in itertools.groupby(frames):
        length = len(list(run_of))
        if is_sound == "#" and length >= 9:
            left_out = set(range(start, start + length)) - inside
            remainders = {frame for cut in cuts for frame in range(cut, cut + 8)}
            assert left_out <= remainders
        start += length
