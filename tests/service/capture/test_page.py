"""A phone's page as a source: nothing twice, nothing unseen missing, the newer page takes over, it says faults."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.faults import PAGE_FAULTS, Fault
from monitord.types import Pcm
from service.capture.inbox import Inbox
from service.capture.page import ROOM_S, SILENT_S, PageSource, Post, page_fault, samples_of
from service.capture.source import SourceState
from tests.support.sound.matching import drain

RATE = 16_000
Clock = list[float]


def ramp(start: int, n: int) -> Pcm:
    """Samples that say where they belong, modulo 65,536."""
    return (np.arange(start, start + n) % 65_536).astype(np.uint16).view(np.int16)


def post(start: int, n: int, session: str = "a", says: Fault = "ok") -> Post:
    return Post(session, start, RATE, ramp(start, n), says)


@pytest.fixture
def source() -> PageSource:
    return PageSource("nursery", Inbox("nursery"))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Seconds that both clocks of this process are ahead."""
    ahead = [0.0]
    for name in ("monotonic", "time"):
        now = getattr(time, name)
        monkeypatch.setattr(time, name, lambda now=now: now() + ahead[0])
    return ahead


def test_sound_comes_on_one_axis(source: PageSource) -> None:
    """In order and whole; each answer says what the page may forget."""
    assert [source.take(post(start, 4_000)) for start in (0, 4_000, 8_000)] == [4_000, 8_000, 12_000]
    chunks = drain(source.inbox)
    assert [chunk.start for chunk in chunks] == [0, 4_000, 8_000]
    assert np.array_equal(np.concatenate([chunk.samples for chunk in chunks]), ramp(0, 12_000))


def test_a_page_that_is_older_than_the_daemon_goes_on_where_it_is(source: PageSource) -> None:
    """After a restart the first index is no hole."""
    assert source.take(post(1_000_000, 4_000)) == 1_004_000
    assert (source.inbox.tally().captured, source.inbox.tally().lost) == (4_000, 0)


@given(
    st.lists(
        st.tuples(st.integers(-6_000, 6_000), st.integers(0, 5_000)),
        min_size=1,
        max_size=20,
    )
)
def test_doubles_are_dropped_and_holes_are_counted(moves: list[tuple[int, int]]) -> None:
    """Whatever is sent again or left out: `captured = lost + heard`, each sample once, and where it belongs."""
    source = PageSource("nursery", Inbox("nursery"))
    begin = 100_000
    reached = begin
    source.take(post(begin, 0))
    for move, n in moves:
        start = max(begin, reached + move)
        answer = source.take(post(start, n))
        reached = reached if n == 0 else max(reached, start + n)
        assert answer == reached
    chunks = drain(source.inbox)
    for chunk in chunks:
        assert np.array_equal(chunk.samples, ramp(begin + chunk.start, len(chunk.samples)))
    heard = sum(len(chunk.samples) for chunk in chunks)
    assert reached - begin == source.inbox.tally().captured == source.inbox.tally().lost + heard


def test_a_backlog_waits_on_the_phone(source: PageSource) -> None:
    """The page is asked to keep what would push sound out of the ring, so that a minute without network loses none."""
    answers = [source.take(post(second * RATE, RATE)) for second in range(int(ROOM_S) + 5)]
    assert answers[-1] == int(ROOM_S) * RATE
    drain(source.inbox)
    assert source.take(post(int(ROOM_S) * RATE, RATE)) == (int(ROOM_S) + 1) * RATE
    assert source.inbox.tally().lost == 0


def test_late_sound_has_the_time_of_its_recording(source: PageSource, clock: Clock) -> None:
    """What waited ten seconds on the phone is ten seconds old, and no sign of a wrong rate."""
    source.take(post(0, RATE))
    clock[0] += 10.0
    for second in range(1, 11):
        source.take(post(second * RATE, RATE))
    chunks = drain(source.inbox)
    ages = [chunks[-1].at - chunk.at for chunk in chunks]
    assert ages == pytest.approx([10.0 - second for second in range(11)], abs=0.5)
    assert not source.inbox.wrong_rate


def test_the_newer_page_takes_over(source: PageSource) -> None:
    """By its first sound; the older is told, and its sound is not taken any more."""
    source.take(post(0, 4_000, "old"))
    assert source.take(post(0, 0, "new", says="needs_tap")) == 0  # it only waits for its tap
    assert source.status().says == "ok"
    assert source.take(post(4_000, 4_000, "old")) == 8_000
    assert source.take(post(0, 4_000, "new")) == 4_000
    assert source.take(post(8_000, 4_000, "old")) == "displaced"
    assert source.take(post(4_000, 4_000, "new")) == 8_000
    assert source.status().reconnects == 1
    assert source.inbox.tally().captured == 16_000


def test_a_page_may_speak_for_one_that_is_gone(source: PageSource, clock: Clock) -> None:
    """A page that was opened again and waits for its tap says so, once the one before is closed or silent."""
    source.take(post(0, 4_000, "old"))
    source.take(post(4_000, 0, "old", says="page_closed"))
    source.take(post(0, 0, "new", says="needs_tap"))
    assert source.status().says == "needs_tap"
    clock[0] += SILENT_S + 1.0
    source.take(post(0, 0, "third", says="not_allowed"))
    assert source.status().says == "not_allowed"


def test_a_phone_that_is_silent_is_not_there(source: PageSource, clock: Clock) -> None:
    """Before it came, and after it went; each with what helps."""
    assert (source.status().state, source.status().detail[:9]) == (SourceState.RECONNECTING, "its phone")
    source.take(post(0, 4_000))
    assert source.status().state is SourceState.LIVE
    clock[0] += SILENT_S + 1.0
    assert source.status().state is SourceState.RECONNECTING


def test_a_daemon_that_stops_leaves_the_sound_with_the_phone(source: PageSource) -> None:
    """What it does not hear any more the next one is given."""
    source.take(post(0, 4_000))
    assert source.stop(0.0)
    assert source.take(post(4_000, 4_000)) == 4_000


@pytest.mark.parametrize("strange", [post(8 * 24 * 3_600 * RATE, 1), Post("a", 4_000, 48_000, ramp(0, 1))])
def test_what_cannot_be_one_axis_begins_anew(source: PageSource, strange: Post) -> None:
    """A hole of days, or another rate, is no part of a session."""
    source.take(post(0, 4_000))
    assert source.take(strange) == "hole"
    assert source.inbox.tally().captured == 4_000


def test_words_are_faults() -> None:
    """A page says what the table knows, nothing else; samples are whole."""
    assert [page_fault(word) for word in ("ok", *PAGE_FAULTS)] == ["ok", *PAGE_FAULTS]
    with pytest.raises(ValueError, match="no word of a page"):
        page_fault("stuck")
    assert samples_of(b"\x01\x00\xff\xff").tolist() == [1, -1]
    with pytest.raises(ValueError, match="buffer size"):
        samples_of(b"\x01")
