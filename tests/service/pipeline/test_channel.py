"""One source in the worker's hands: from the device to the last segment every sample is counted, whatever happens."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.listening.listener import ListenerParams
from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ, AudioChunk, Scores, Segment, Window
from service.capture.inbox import Inbox
from service.capture.injection import Injection
from service.pipeline.channel import SourceChannel, joined
from tests.support.sound.chunks import RATES_HZ, same, segments, whole, windows
from tests.support.sound.chunks import hear as hear_at_once
from tests.support.sound.sounds import cry_in_room, noise, silence, tone


def new_channel() -> SourceChannel:
    return SourceChannel.of(Inbox("room"), ListenerParams(), TrackerParams())


def hear_all(channel: SourceChannel) -> list[Window | Segment]:
    """Ends the source and hears the rest of it."""
    channel.inbox.end()
    out: list[Window | Segment] = []
    while not channel.flushed:
        out += channel.take()
    return out


def scores(window: Window) -> Scores:
    return Scores("room", window.start, 0.5, np.full(4, 0.25, np.float32), 1, "abc")


def test_it_takes_a_second_a_round() -> None:
    """So that one source that is far behind does not keep the others waiting; less only where there is no more."""
    channel = new_channel()
    for _ in range(10):
        channel.inbox.write(silence(0.25), RATE_HZ, 0.0)
    held = []
    for _ in range(4):
        channel.take()
        held.append(channel.inbox.held)
    assert held == [24_000, 8_000, 0, 0]


def test_it_hears_what_a_listener_hears() -> None:
    """Through the inbox, round by round, a cry gives the windows and segments that it gives at once."""
    sound, channel = cry_in_room(1.0, 1.0), new_channel()
    for start in range(0, len(sound), 1_600):
        channel.inbox.write(sound[start : start + 1_600], RATE_HZ, 1.8e9 + start / RATE_HZ)
    heard = hear_all(channel)
    assert same(heard, hear_at_once([whole(sound, RATE_HZ, at=1.8e9)]))
    assert channel.take() == []  # flushed once


def test_it_knows_when_it_last_heard() -> None:
    """Wall time of the newest sample, and the moment of hearing on the clock that no one sets."""
    channel = new_channel()
    assert (channel.last_audio, channel.last_audio_monotonic) == (None, None)
    channel.inbox.write(silence(0.5), RATE_HZ, 1.8e9)
    before = time.monotonic()
    channel.take()
    assert channel.last_audio == 1.8e9 + 0.5
    assert channel.last_audio_monotonic is not None
    assert before <= channel.last_audio_monotonic <= time.monotonic()


def test_it_sees_a_dead_microphone() -> None:
    """Six seconds of zeros are a fault, and it is over when the room comes back."""
    channel = new_channel()
    seen = []
    for sound in (silence(5.9), silence(0.1), noise(0.1)):
        channel.inbox.write(sound, RATE_HZ, 0.0)
        channel.take()
        seen.append(channel.fault)
    assert seen == ["ok", "digital_silence", "ok"]


def test_what_is_amplified_is_heard_and_told_louder_but_is_as_dead_as_before() -> None:
    """A cry under -75 dBFS is no sound until it is 30 dB louder; whoever looks at the page hears it so, too.

    A microphone of which only the last bit moves stays a stuck one, however loud that bit is made.
    """
    cry = tone(300, 2.0, peak_dbfs=-83.0) + noise(2.0, rms_dbfs=-95.0)
    found, levels = [], []
    for gain_db in (0.0, 30.0):
        channel, tapped = new_channel(), list[AudioChunk]()
        channel.inbox.gain_db = gain_db
        channel.inbox.tap.open(tapped.append, at_once=False)
        channel.inbox.write(cry, RATE_HZ, 1.8e9)
        found.append(len(windows(hear_all(channel))))
        levels.append(max(int(np.abs(one.samples).max()) for one in tapped))
    assert found[0] == 0
    assert found[1] > 4
    assert levels[1] == pytest.approx(levels[0] * 10**1.5, rel=0.05)
    stuck = new_channel()
    stuck.inbox.gain_db = 30.0
    for second in range(10):
        stuck.inbox.write(np.arange(RATE_HZ, dtype=np.int16) % 2, RATE_HZ, 1.8e9 + second)
        stuck.take()
    assert stuck.fault == "flat"


def test_a_segment_is_scored_by_the_windows_over_it() -> None:
    """Those that end in it or while its end was awaited; not those of the sound before it or of the next."""
    channel = new_channel()
    pause = noise(1.0, rms_dbfs=-80)
    for part in (pause, tone(440, 0.6), pause, tone(600, 0.9), pause, tone(440, 0.6), pause):
        channel.inbox.write(part, RATE_HZ, 0.0)
    heard = hear_all(channel)
    for window in windows(heard):
        channel.window(window, scores(window))
    first, second, _ = segments(heard)
    ends = {window.start: window.end for window in windows(heard)}
    over = [ends[one.start] for one in channel.over(second)]
    assert over == [end for end in ends.values() if second.start < end <= second.closed]
    assert len(over) >= 4
    assert not set(over) & {ends[one.start] for one in channel.over(first)}


def test_chunks_that_follow_each_other_are_heard_as_one() -> None:
    """Up to a hole or another rate; the newest says what time it is, as it does where each is heard by itself."""
    starts = (0, RATE_HZ), (100, RATE_HZ), (300, RATE_HZ), (400, 2 * RATE_HZ), (500, 2 * RATE_HZ)
    chunks = [
        AudioChunk("room", rate_hz, start, tone(440, 1.0)[:100], 7.0 + i) for i, (start, rate_hz) in enumerate(starts)
    ]
    one, two, three = joined(chunks)
    assert [(chunk.start, len(chunk.samples)) for chunk in (one, two, three)] == [(0, 200), (300, 100), (400, 200)]
    assert np.array_equal(three.samples, np.concatenate([chunk.samples for chunk in chunks[3:]]))
    assert (one.at, two.at, three.at) == (8.0 - 100 / RATE_HZ, 9.0, 11.0 - 100 / (2 * RATE_HZ))


def test_a_segment_without_windows_has_no_scores() -> None:
    """A sound of which the network saw nothing, because the room was switched off, is not judged by another sound."""
    channel = new_channel()
    for part in (tone(440, 0.6), noise(1.0, rms_dbfs=-80), tone(440, 0.6), noise(1.0, rms_dbfs=-80)):
        channel.inbox.write(part, RATE_HZ, 0.0)
    heard = hear_all(channel)
    first, second = segments(heard)
    assert channel.over(first) == []
    for window in windows(heard):
        if window.end < first.closed:
            channel.window(window, scores(window))
    assert channel.over(first) != []
    assert channel.over(second) == []


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 150_000), st.sampled_from(RATES_HZ)),
        st.tuples(st.just("skip"), st.integers(0, 20_000), st.sampled_from(RATES_HZ)),
        st.tuples(st.just("take"), st.integers(1, 4), st.just(0)),
    ),
    max_size=30,
)
CRY = np.tile(cry_in_room(0.2, 0.2), 2)


@given(STEPS)
@settings(max_examples=60)
def test_every_sample_is_counted(steps: list[tuple[str, int, int]]) -> None:
    """Writes faster than reads, overflows of ring and device, changes of rate: the sum holds after every step."""
    channel = new_channel()
    heard: list[Window | Segment] = []
    for step, n, rate_hz in steps:
        if step == "write":
            channel.inbox.write(CRY[:n], rate_hz, 0.0)
        elif step == "skip":
            channel.inbox.skip(n, rate_hz)
        else:
            for _ in range(n):
                heard += channel.take()
        assert channel.tally().conserved, channel.tally()
    heard += hear_all(channel)
    tally = channel.tally()
    assert tally.conserved
    assert tally.held == 0
    assert tally.segmented == sum(len(segment.samples) for segment in segments(heard))
    assert tally.lost == channel.inbox.lost_ring + channel.inbox.lost_device


@pytest.mark.parametrize("seed", range(3))
def test_an_overflowing_ring_loses_only_what_it_counts(seed: int) -> None:
    """A minute and a half written while the worker sleeps: the oldest is lost, the rest is heard, the sum holds."""
    rng, channel = np.random.default_rng(seed), new_channel()
    written_s = 0.0
    while written_s < 90.0:
        n = int(rng.integers(1, 60_000))
        channel.inbox.write(CRY[:n], 48_000, written_s)
        written_s += n / 48_000
        if rng.random() < 0.02:
            channel.take()
    assert channel.inbox.lost_ring > 30 * RATE_HZ
    heard = hear_all(channel)
    assert channel.tally().conserved
    assert "gap" in {segment.ended_by for segment in segments(heard)} or not segments(heard)


def test_what_overlaps_a_test_alarm_goes_to_a_tracker_of_its_own() -> None:
    """By position, up to the last sample that was laid over: the room's tracker and its loudness know nothing of it."""
    channel = new_channel()
    channel.test(Injection(tone(440, 2.0)))
    channel.inbox.write(noise(4.0, rms_dbfs=-80), RATE_HZ, 0.0)
    told = [
        (window, channel.window(window, replace(scores(window), p_cry=1.0)))
        for window in windows(hear_all(channel))
        if window.end > RATE_HZ
    ]
    assert channel.injection is not None
    assert (channel.injection.start, channel.injection.end) == (0, 2 * RATE_HZ)
    assert [event.event_type for _, events in told for event in events] == ["test"]
    assert channel.tracker.episode == 0
    assert not channel.scored


def test_behind_a_test_alarm_the_room_is_heard_as_ever() -> None:
    """The first window that starts behind its last sample is the room's again, also while nobody ended the test."""
    channel = new_channel()
    channel.test(Injection(tone(440, 0.5)))
    channel.inbox.write(
        np.concatenate([noise(1.5, rms_dbfs=-80), tone(440, 2.0), noise(1.0, rms_dbfs=-80)]), RATE_HZ, 0.0
    )
    events = [
        event.event_type
        for window in windows(hear_all(channel))
        for event in channel.window(window, replace(scores(window), p_cry=float(window.start >= RATE_HZ)))
    ]
    assert events == ["started"]
    assert all(one.scores.start >= RATE_HZ // 2 for one in channel.scored)


@pytest.mark.parametrize("room_dbfs", [-45, -80])
def test_how_loud_a_cry_is_over_its_room(room_dbfs: float) -> None:
    """The loudest of the newest windows that speak for crying, over the floor; a silent room counts as -70 dBFS."""
    channel = new_channel()
    for part in (noise(20.0, rms_dbfs=room_dbfs), tone(440, 1.5, peak_dbfs=-20), noise(0.2, rms_dbfs=room_dbfs)):
        channel.inbox.write(part, RATE_HZ, 0.0)
    while channel.inbox.held:
        for window in windows(channel.take()):
            channel.window(window, replace(scores(window), p_cry=0.9))
    floor_dbfs = max(channel.listener.floor_dbfs, -70.0)
    assert (floor_dbfs > -65) == (room_dbfs == -45)
    assert channel.loudness_db() == pytest.approx(-23 - floor_dbfs, abs=1)  # from peak to power is 3 dB
    channel.scored.clear()
    assert channel.loudness_db() <= 0
