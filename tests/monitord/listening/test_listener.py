"""Hearing one source: the same audio in any chunks gives the same windows and segments, and every sample is counted."""

from functools import cache

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.listening.listener import Listener, ListenerParams
from monitord.listening.vad import Vad, VadParams
from monitord.listening.windows import WINDOW_SAMPLES
from monitord.pcm import Resampler
from monitord.types import RATE_HZ, AudioChunk, Pcm
from tests.support.sound.chunks import RATES_HZ, SIZES, chunks_of, hear, same, segments, to_pcm, whole, windows
from tests.support.sound.sounds import chirp, cry_in_room, noise, silence, tone

FRAME = 320
"""Samples at 16 kHz: 20 ms."""
HOP = 12 * FRAME
"""Samples at 16 kHz between two windows: 0.24 s."""
KINDS = ("cry", "chirp", "tone", "room")


@cache
def sound(kind: str, rate_hz: int) -> Pcm:
    """Three seconds: of a cry in a room, a chirp without a pause, tone bursts, or a quiet room."""
    match kind:
        case "cry":
            cry = cry_in_room(0.5, 0.0)[: 3 * RATE_HZ]
            return to_pcm(soxr.resample(cry.astype(np.float64), RATE_HZ, rate_hz, quality="MQ"))
        case "chirp":
            return chirp(300, 1_500, 3.0, rate_hz=rate_hz)
        case "tone":
            burst, pause = tone(440, 0.35, rate_hz=rate_hz), silence(0.4, rate_hz)
            return np.concatenate([burst, pause, burst, pause, burst[: len(burst) // 2], pause, burst])
        case _:
            return noise(3.0, rms_dbfs=-72, rate_hz=rate_hz)


def at_16k(samples: Pcm, rate_hz: int) -> Pcm:
    """The samples as the listener has them inside."""
    resampler = Resampler(rate_hz)
    return np.concatenate([resampler.feed(samples), resampler.flush()])


def cut_out(samples: Pcm, start: int, length: int) -> Pcm:
    """int16 [length] from `start` on, zeros before the first sample."""
    padded = np.concatenate([np.zeros(length, np.int16), samples])
    return padded[start + length : start + 2 * length]


RUN = st.tuples(st.sampled_from(KINDS), st.sampled_from(RATES_HZ), st.integers(0, 50_000), st.integers(1, 150_000))
"""Kind, rate (hertz), hole before it and most samples of it (samples at its rate)."""


@given(st.lists(RUN, min_size=1, max_size=4), SIZES)
@settings(max_examples=60)
def test_chunk_sizes_do_not_matter(runs: list[tuple[str, int, int, int]], sizes: list[int]) -> None:
    """Concatenated sounds at any rates, with holes between: windows and segments are the same sample for sample."""
    cut: list[AudioChunk] = []
    at_once: list[AudioChunk] = []
    seconds = 0.0
    for kind, rate_hz, hole, most in runs:
        start = int(seconds * rate_hz) + 1 + hole  # rounded up: the axis may not run backwards
        samples = sound(kind, rate_hz)[:most]
        at_once.append(whole(samples, rate_hz, start=start, at=1.8e9))
        cut += chunks_of(samples, rate_hz, sizes, start=start, at=1.8e9)
        seconds = (start + len(samples)) / rate_hz
    assert same(hear(cut), hear(at_once))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_sample_by_sample_is_the_same_too(rate_hz: int) -> None:
    """The smallest chunks there are, and empty ones between them."""
    samples = sound("cry", rate_hz)[: rate_hz * 3 // 2]
    tiny: list[AudioChunk] = []
    for chunk in chunks_of(samples[:3_000], rate_hz, [1] * 2_000):
        tiny += [AudioChunk("room", rate_hz, chunk.start, silence(0), chunk.at), chunk]
    tiny += chunks_of(samples[3_000:], rate_hz, [], start=3_000)
    heard = hear(tiny)
    assert segments(heard)
    assert same(heard, hear([whole(samples, rate_hz)]))


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("kind", ["cry", "chirp", "tone"])
def test_windows_and_segments_are_cut_out_of_the_sound(kind: str, rate_hz: int) -> None:
    """Each holds the very samples at its place: windows with what came before the sound, zeros before the stream."""
    samples = sound(kind, rate_hz)
    heard, stream = hear([whole(samples, rate_hz, at=1.8e9)]), at_16k(samples, rate_hz)
    assert windows(heard)
    assert segments(heard)
    for window in windows(heard):
        assert window.samples.shape == (WINDOW_SAMPLES,)
        assert np.array_equal(window.samples, cut_out(stream, window.start, WINDOW_SAMPLES))
        assert window.at == pytest.approx(1.8e9 + window.start / RATE_HZ, abs=1e-5)
    for segment in segments(heard):
        assert 2_880 <= len(segment.samples) <= 40_000
        assert np.array_equal(segment.samples, stream[segment.start :][: len(segment.samples)])
        assert segment.at == pytest.approx(1.8e9 + segment.start / RATE_HZ, abs=1e-5)


def test_windows_lie_on_the_grid() -> None:
    """They end on multiples of 0.24 s, none is left out while there is sound, and they tell where it began."""
    quiet, loud = noise(2.0, rms_dbfs=-80), tone(440, 1.0)
    heard = windows(hear([whole(np.concatenate([quiet, loud, quiet]), RATE_HZ)]))
    # Sound from 2 s to 3 s, and 0.2 s of hangover: the grid has 2.16, 2.40, ... 3.12 s in it.
    assert [window.end for window in heard] == [number * HOP for number in range(9, 14)]
    assert {window.onset for window in heard} == {2 * RATE_HZ}


def test_a_sound_at_the_very_end_gets_its_window() -> None:
    """A sound that ends with the stream before any window was due is scored all the same."""
    quiet = noise(2.16, rms_dbfs=-80)
    heard = hear([whole(np.concatenate([quiet, tone(440, 0.2)]), RATE_HZ)])
    assert [(one.end, one.onset) for one in windows(heard)] == [(2.36 * RATE_HZ, 2.16 * RATE_HZ)]
    assert [(one.start, one.ended_by) for one in segments(heard)] == [(2.16 * RATE_HZ, "flush")]


BURSTS = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 140)), max_size=8)
"""Silence and sound (frames), again and again."""


@given(BURSTS, st.integers(0, FRAME - 1), st.integers(0, 25))
@settings(max_examples=60)
def test_every_segment_has_its_windows(bursts: list[tuple[int, int]], offset: int, after: int) -> None:
    """Before each segment fell out, at least one window that ends in it or just behind it did."""
    parts = [silence(0), noise(offset / RATE_HZ, rms_dbfs=-80)]
    for pause, burst in bursts:
        parts += [noise(pause * 0.02, rms_dbfs=-80), tone(600, burst * 0.02)]
    heard = hear([whole(np.concatenate([*parts, noise(after * 0.02, rms_dbfs=-80)]), RATE_HZ)])
    for number, segment in enumerate(heard):
        if segment in segments(heard[number : number + 1]):
            end = segment.start + len(segment.samples)
            before = windows(heard[:number])
            assert [one for one in before if segment.start < one.end <= end + 11 * FRAME and one.onset < end]


def test_a_long_sound_is_cut_and_goes_on() -> None:
    """Seven seconds without a pause: two segments of 2.5 s and the rest, no sample missing between them."""
    heard = segments(hear([whole(np.concatenate([chirp(300, 2_000, 7.0), silence(1.0)]), RATE_HZ)]))
    assert [(one.start, len(one.samples), one.ended_by) for one in heard] == [
        (0, 40_000, "max_length"),
        (40_000, 40_000, "max_length"),
        (80_000, 32_000, "silence"),
    ]
    assert heard[2].closed == 112_000 + 10 * FRAME


@pytest.mark.parametrize("rate_hz", RATES_HZ)
def test_a_gap_closes_the_segment_and_is_counted(rate_hz: int) -> None:
    """A start that jumps by a second: what was open ends with `gap`, the second is lost, new sound begins anew."""
    loud = tone(440, 1.0, rate_hz=rate_hz)
    listener = Listener("room", ListenerParams())
    listener.feed(whole(loud, rate_hz))
    heard = listener.feed(whole(loud, rate_hz, start=2 * rate_hz))
    first = segments(heard)[0]
    assert (first.start, len(first.samples), first.ended_by, first.closed) == (0, RATE_HZ, "gap", RATE_HZ)
    listener_tally = listener.tally()
    assert listener_tally.lost == RATE_HZ
    assert listener_tally.conserved
    new = [window for window in windows(heard) if window.end > RATE_HZ]
    assert len(new) >= 3
    assert {window.onset for window in new} == {2 * RATE_HZ}
    for window in new:
        before = 2 * RATE_HZ - window.start
        assert not window.samples[:before].any()  # zeros, not the sound of before the gap
        assert window.samples[before + 100 : before + 200].any()
    second = segments(listener.flush())[0]
    assert (second.start, len(second.samples), second.ended_by) == (2 * RATE_HZ, RATE_HZ, "flush")


@given(st.sampled_from(RATES_HZ), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 700)), max_size=40))
@settings(max_examples=60)
def test_the_smallest_gaps_are_counted_too(rate_hz: int, chunks: list[tuple[int, int]]) -> None:
    """Holes of one to three samples, less than one at 16 kHz: no sample appears from nowhere or gets lost uncounted."""
    samples, start, fed = noise(1.0, rms_dbfs=-30, rate_hz=rate_hz), 0, []
    for hole, n in chunks:
        start += hole
        fed.append(AudioChunk("room", rate_hz, start, samples[:n], 0.0))
        start += n
    hear(fed)  # asserts conservation after each chunk


def test_another_rate_in_mid_stream() -> None:
    """A device that comes back at another rate goes on on the same time axis: the pitch stays, the segment ends."""
    listener = Listener("room", ListenerParams())
    listener.feed(whole(tone(440, 1.0), RATE_HZ))
    heard = listener.feed(whole(tone(440, 1.0, rate_hz=48_000), 48_000, start=48_000))
    heard += listener.flush()
    assert [(one.start, len(one.samples), one.ended_by) for one in segments(heard)] == [
        (0, RATE_HZ, "gap"),
        (RATE_HZ, RATE_HZ, "flush"),
    ]
    assert np.abs(segments(heard)[1].samples[100:-100] - tone(440, 1.0)[100:-100].astype(int)).max() < 10
    assert (listener.tally().lost, listener.tally().captured) == (0, 2 * RATE_HZ)


def test_a_chunk_from_the_past_is_a_mistake() -> None:
    """An axis that runs backwards would count samples twice."""
    listener = Listener("room", ListenerParams())
    listener.feed(whole(silence(1.0), RATE_HZ))
    with pytest.raises(ValueError, match="160 samples before"):
        listener.feed(whole(silence(1.0), RATE_HZ, start=RATE_HZ - 160))


def test_a_quiet_room_costs_the_network_nothing() -> None:
    """Noise that the gate knows gives no window and no segment, be the room silent or only quiet."""
    assert hear([whole(noise(20.0, rms_dbfs=-76), RATE_HZ)]) == []
    heard = hear([whole(noise(60.0, rms_dbfs=-58), RATE_HZ)])
    assert segments(heard) == []
    assert max(one.end for one in windows(heard)) < 15 * RATE_HZ  # until the floor has risen to the room


def test_a_noisy_room_is_scored_throughout() -> None:
    """Where a cry may hide in the noise every window of the grid is scored, with an onset no older than a hop."""
    heard = hear([whole(noise(40.0, rms_dbfs=-40), RATE_HZ)])
    assert segments(heard) == []
    ends = [one.end for one in windows(heard)]
    assert ends == [number * HOP for number in range(1, 40 * RATE_HZ // HOP + 1)]
    assert {one.end - one.onset for one in windows(heard)[-50:]} == {HOP}


def test_the_voice_detector_keeps_no_window_from_the_network() -> None:
    """Loud sound that is no voice to it makes no segment, but is scored all the same."""
    heard = hear([whole(tone(7_000, 2.0), RATE_HZ)])
    assert segments(heard) == []
    assert [one.end for one in windows(heard)] == [number * HOP for number in range(1, 2 * RATE_HZ // HOP + 1)]


def test_the_voice_detector_hears_a_cry_and_no_silence() -> None:
    """Nearly all frames of a burst are a voice; digital silence is none."""
    vad = Vad(VadParams())
    cry = cry_in_room(0.0, 0.0, rms_dbfs=-90)[: round(0.6 * RATE_HZ)].reshape(-1, FRAME)
    assert sum(map(vad.is_voice, cry)) >= 28  # of 30
    vad = Vad(VadParams())
    assert not any(vad.is_voice(np.zeros(FRAME, np.int16)) for _ in range(50))


def test_a_cry_becomes_its_cry_sounds() -> None:
    """Ten bursts with breaths between come out as ten to twelve segments, all inside the time of crying."""
    heard = segments(hear([whole(cry_in_room(3.0, 3.0), RATE_HZ)]))
    assert 10 <= len(heard) <= 12
    assert heard[0].start == pytest.approx(3.0 * RATE_HZ, abs=0.1 * RATE_HZ)


def test_it_says_how_loud_it_is() -> None:
    """The newest level and the floor of the room, in dBFS."""
    listener = Listener("room", ListenerParams())
    listener.feed(whole(noise(40.0, rms_dbfs=-60), RATE_HZ))
    assert listener.dbfs == pytest.approx(-60, abs=1.5)
    assert listener.floor_dbfs == pytest.approx(-60.5, abs=1)
