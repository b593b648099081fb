"""What a listener keeps of each frame, where somebody asks why nothing was told."""

import numpy as np
import pytest
from hypothesis import given, settings

from monitord.listening.listener import Listener, ListenerParams
from monitord.listening.look import Look, TooShort
from monitord.types import RATE_HZ, AudioChunk, Pcm, Window
from tests.support.sound.chunks import SIZES, chunks_of, segments, whole, windows
from tests.support.sound.sounds import cry_in_room, noise, silence, tone

FRAME = 320
"""Samples at 16 kHz: 20 ms."""
CRY = cry_in_room(1.0, 1.0, rms_dbfs=-80)[: 5 * RATE_HZ]


def looked_at(chunks: list[AudioChunk]) -> tuple[list[Look], list[TooShort], list[Window]]:
    """Hears all of it; returns what was kept of the frames and of sounds that were too short, and the windows."""
    listener = Listener("room", ListenerParams())
    listener.looks = []
    heard = [one for chunk in chunks for one in listener.feed(chunk)] + listener.flush()
    frames = [look for look in listener.looks if isinstance(look, Look)]
    return frames, [look for look in listener.looks if isinstance(look, TooShort)], windows(heard)


def test_nothing_is_kept_unasked() -> None:
    """A listener that nobody asks keeps nothing, and hears the same."""
    listener = Listener("room", ListenerParams())
    heard = listener.feed(whole(CRY, RATE_HZ))
    assert listener.looks is None
    asked = Listener("room", ListenerParams())
    asked.looks = []
    again = asked.feed(whole(CRY, RATE_HZ))
    assert [(one.start, len(one.samples)) for one in heard] == [(one.start, len(one.samples)) for one in again]
    assert len(segments(heard)) >= 2


@given(SIZES)
@settings(max_examples=10)
def test_every_frame_is_looked_at_once(sizes: list[int]) -> None:
    """In order and without a hole, however the sound is cut up, and as if it came at once."""
    frames, short, _ = looked_at(chunks_of(CRY, RATE_HZ, sizes))
    assert [look.start for look in frames] == list(range(0, len(CRY) // FRAME * FRAME, FRAME))
    assert (frames, short) == looked_at([whole(CRY, RATE_HZ)])[:2]


def test_the_gate_opens_where_the_level_passes_the_bound() -> None:
    """Open from a frame over the bound until the hangover is over; a window ends with each twelfth of those."""
    frames, _, cut = looked_at([whole(CRY, RATE_HZ)])
    assert all(look.opening == "sound" for look in frames if look.over_db > 0)
    assert {look.opening for look in frames} == {"sound", "closed"}
    assert [look.end for look in frames if look.windowed] == [window.end for window in cut]
    for look in frames:
        assert look.bound_dbfs == pytest.approx(max(look.floor_dbfs + 6.0, -75.0))  # GateParams


def test_a_loud_room_is_noisy() -> None:
    """Once the floor is known, all windows are cut, and not because of a sound."""
    frames, _, cut = looked_at([whole(noise(25.0, rms_dbfs=-40), RATE_HZ)])
    assert all(look.opening == "noisy" for look in frames[-100:])
    assert cut[-1].end == max(look.end for look in frames if look.windowed)


@pytest.mark.parametrize(("duration_s", "told"), [(0.06, True), (0.12, True), (0.30, False)])
def test_a_sound_that_is_too_short(duration_s: float, told: bool) -> None:  # noqa: FBT001 - a case
    """Under 0.18 s it is told with its place and length; a longer one is a segment."""
    before = noise(1.0, rms_dbfs=-80)
    _, short, _ = looked_at([whole(np.concatenate([before, tone(440, duration_s), before]), RATE_HZ)])
    assert bool(short) == told
    for one in short:
        assert (one.start, one.end) == (RATE_HZ, RATE_HZ + round(duration_s * RATE_HZ))
        assert one.known == one.end + 3 * FRAME  # the dropout that is allowed, and one more


def test_a_short_sound_at_the_end_and_before_a_hole() -> None:
    """What is up when the stream breaks off or ends is told, too; samples after a hole keep their place."""
    short: Pcm = np.concatenate([silence(0.5), tone(440, 0.1)])
    _, told, _ = looked_at([whole(short, RATE_HZ), whole(short, RATE_HZ, start=RATE_HZ)])
    assert [(one.start, one.end) for one in told] == [(8_000, 9_600), (24_000, 25_600)]
