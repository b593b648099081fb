"""The inbox between a capture thread and the worker: it loses in one place only, and counts what it loses."""

import functools
import sys
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.pcm import position_16k
from monitord.ring import RING_S
from monitord.types import AudioChunk, Pcm
from service.capture.inbox import Inbox, Tap
from service.capture.injection import Injection
from tests.support.patience import PATIENCE_S
from tests.support.sound.chunks import RATES_HZ
from tests.support.sound.matching import drain, wait_for
from tests.support.sound.sounds import silence


def ramp(n: int, start: int = 0) -> Pcm:
    """Samples that say where they belong, modulo 65,536."""
    return (np.arange(start, start + n) % 65_536).astype(np.uint16).view(np.int16)


def length(chunk: AudioChunk) -> int:
    return position_16k(chunk.start + len(chunk.samples), chunk.rate_hz) - position_16k(chunk.start, chunk.rate_hz)


def test_what_was_written_is_read() -> None:
    """Chunks come out in order, on one axis without holes, with rate and time as they were given."""
    inbox = Inbox("room")
    assert inbox.read() is None
    inbox.write(ramp(480), 48_000, 1.8e9)
    inbox.write(ramp(240, 480), 48_000, 1.8e9 + 0.01)
    assert inbox.held == 240
    first, second = drain(inbox)
    assert (first.source, first.rate_hz, first.start, first.at) == ("room", 48_000, 0, 1.8e9)
    assert (second.start, second.at) == (480, 1.8e9 + 0.01)
    assert np.array_equal(second.samples, ramp(240, 480))
    assert (inbox.held, inbox.tally().captured) == (0, 240)


def test_who_listens_hears_what_the_room_really_sounds_like() -> None:
    """Each listener gets each chunk from when it came to when it left, on the axis, without a test alarm's cry."""
    inbox, first, second = Inbox("room"), list[AudioChunk](), list[AudioChunk]()
    inbox.write(ramp(160), 16_000, 1.8e9)
    inbox.tap.open(first.append, at_once=False)
    inbox.inject(Injection(silence(1.0) + 1000))
    inbox.write(silence(0.01), 16_000, 1.8e9 + 0.01)
    inbox.tap.open(second.append, at_once=True)
    inbox.skip(16, 16_000)
    inbox.write(ramp(160), 16_000, 1.8e9 + 0.02)
    assert inbox.tap.at_once
    inbox.tap.close(first.append)
    inbox.write(ramp(160), 16_000, 1.8e9 + 0.03)
    inbox.tap.close(second.append)
    assert inbox.tap.listeners == ()
    assert not inbox.tap.at_once
    assert [chunk.start for chunk in first] == [160, 336]
    assert [chunk.start for chunk in second] == [336, 496]
    assert np.array_equal(first[0].samples, silence(0.01))
    assert np.array_equal(first[1].samples, second[0].samples)
    assert first[0].at == 1.8e9 + 0.01
    assert max(int(chunk.samples.max()) for chunk in drain(inbox)[1:2]) > 0  # the worker heard the cry


def test_a_live_source_overwrites_its_oldest_sound() -> None:
    """Half a minute stays, the start of the next chunk jumps by what was lost, and writing never waits."""
    inbox = Inbox("room")
    for second in range(RING_S + 5):
        inbox.write(silence(1.0), 16_000, float(second))
    assert (inbox.lost_ring, inbox.held) == (5 * 16_000, RING_S * 16_000)
    chunks = drain(inbox)
    assert [chunk.start for chunk in chunks[:2]] == [5 * 16_000, 6 * 16_000]
    assert len(chunks) == RING_S


def test_what_a_device_lost_moves_the_axis() -> None:
    """An overflow is a hole on the axis and counted apart from the ring's losses."""
    inbox = Inbox("room")
    inbox.write(ramp(441), 44_100, 0.0)
    inbox.skip(44_100, 44_100)
    inbox.write(ramp(441), 44_100, 1.0)
    assert [chunk.start for chunk in drain(inbox)] == [0, 44_541]
    assert (inbox.lost_device, inbox.lost_ring, inbox.tally().captured) == (16_000, 0, 16_320)


@pytest.mark.parametrize(("before_hz", "after_hz"), [(16_000, 48_000), (44_100, 8_000), (48_000, 22_050)])
def test_another_rate_goes_on_at_the_same_second(before_hz: int, after_hz: int) -> None:
    """The index is converted, never backwards, by less than a sample of the slower rate."""
    inbox = Inbox("room")
    inbox.write(ramp(12_345), before_hz, 0.0)
    inbox.write(ramp(100), after_hz, 1.0)
    first, second = drain(inbox)
    hole_s = second.start / after_hz - len(first.samples) / before_hz
    assert 0 <= hole_s < 1 / min(before_hz, after_hz)
    tally = inbox.tally()
    assert tally.captured == length(first) + length(second) + tally.lost


def test_ended_and_drained() -> None:
    """A source that is over is drained once all of it was read."""
    inbox = Inbox("room")
    inbox.write(ramp(10), 16_000, 0.0)
    inbox.end()
    assert not inbox.drained
    inbox.read()
    assert inbox.drained


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_file_waits_for_room_and_loses_nothing() -> None:
    """A writer a minute ahead waits until there is room again; every sample arrives, in order."""
    wake = threading.Event()
    inbox = Inbox("room", waits=True, wake=wake)
    n = 8_000  # half a second

    def write() -> None:
        for number in range(2 * 2 * RING_S):
            inbox.write(ramp(n, number * n), 16_000, 0.0)
        inbox.end()

    writer = in_thread(write)
    wait_for(lambda: inbox.held == RING_S * 16_000, "a full ring")
    assert writer.is_alive()
    heard: list[AudioChunk] = []
    while not inbox.drained:
        wake.wait(1.0)
        wake.clear()
        heard += drain(inbox)
    writer.join()
    assert np.array_equal(np.concatenate([chunk.samples for chunk in heard]), ramp(2 * 2 * RING_S * n))
    assert inbox.tally().lost == 0


def test_close_frees_a_writer_that_waits() -> None:
    """A daemon that stops does not wait for a file that waits for it."""
    inbox = Inbox("room", waits=True)
    done = threading.Event()

    def write() -> None:
        for _ in range(RING_S + 1):
            inbox.write(silence(1.0), 16_000, 0.0)
        done.set()

    writer = in_thread(write)
    wait_for(lambda: inbox.held == RING_S * 16_000, "a full ring")
    assert not done.wait(0.05)
    inbox.close()
    writer.join(PATIENCE_S)
    assert done.is_set()
    assert len(drain(inbox)) == RING_S  # what is inside stays readable


def test_a_live_writer_and_a_slow_reader_conserve() -> None:
    """Two real threads, a reader that pauses for longer than the ring is: captured = read + lost + held, at all times.

    What is read is the sound of its place on the axis, whatever was overwritten before it.
    """
    inbox = Inbox("room")
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 40_000, 400).tolist()

    def write() -> None:
        start = 0
        for number, n in enumerate(sizes):
            inbox.write(ramp(n, start), 8_000, 0.0)
            start += n
            if number % 50 == 0:
                inbox.skip(n, 8_000)
                start += n
        inbox.end()

    writer = in_thread(write)
    read = 0
    while not inbox.drained:
        chunk = inbox.read()
        if chunk is not None:
            assert np.array_equal(chunk.samples, ramp(len(chunk.samples), chunk.start))
            read += length(chunk)
        if rng.random() < 0.05:
            time.sleep(0.01)
        tally = inbox.tally()
        assert tally.captured == tally.lost + tally.held + read
    writer.join()
    assert inbox.lost_ring > 0
    assert inbox.lost_device > 0


def test_whoever_begins_to_hear_while_another_ends_is_heard_of() -> None:
    """Pages and the recorder of clips open and close the same tap in threads of their own."""
    tap, missed, each_s = Tap(), [], sys.getswitchinterval()

    def come_and_go(hear: Callable[[AudioChunk], None]) -> None:
        for _ in range(3_000):
            tap.open(hear, at_once=True)
            if hear not in tap.listeners:
                missed.append(hear)
            tap.close(hear)

    stays = list[AudioChunk]().append
    tap.open(stays, at_once=False)
    sys.setswitchinterval(1e-6)
    try:
        hearers = [list[AudioChunk]().append for _ in range(3)]
        for thread in [in_thread(functools.partial(come_and_go, hear)) for hear in hearers]:
            thread.join(PATIENCE_S)
    finally:
        sys.setswitchinterval(each_s)
    assert (missed, tap.listeners, tap.at_once) == ([], (stays,), False)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.integers(0, 60_000), st.sampled_from(RATES_HZ)),
        st.tuples(st.just("skip"), st.integers(0, 60_000), st.sampled_from(RATES_HZ)),
        st.tuples(st.just("read"), st.integers(1, 4), st.just(0)),
    ),
    max_size=60,
)


@given(STEPS)
@settings(max_examples=100)
def test_every_sample_is_counted(steps: list[tuple[str, int, int]]) -> None:
    """Writes, overflows, reads and changes of rate in any order: the axis never runs backwards, the sum holds."""
    inbox, read, end_s = Inbox("room"), 0, 0.0
    for step, n, rate_hz in steps:
        if step == "write":
            inbox.write(np.zeros(n, np.int16), rate_hz, 0.0)
        elif step == "skip":
            inbox.skip(n, rate_hz)
        else:
            for _ in range(n):
                chunk = inbox.read()
                if chunk is not None:
                    assert chunk.start / chunk.rate_hz >= end_s - 1e-9
                    end_s = (chunk.start + len(chunk.samples)) / chunk.rate_hz
                    read += length(chunk)
        tally = inbox.tally()
        assert tally.captured == tally.lost + tally.held + read
        assert min(inbox.lost_ring, inbox.lost_device, inbox.held) >= 0
