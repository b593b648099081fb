"""The tracker: votes of windows to episodes, and reasons that follow without ever standing in the way."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.tracker import NONE, UNSURE, Tracker, TrackerParams, likely_reason
from monitord.types import RATE_HZ, CryEvent, Scores, Segment, Window

HOP = 3_840
"""Samples at 16 kHz between two windows: 0.24 s."""
PARAMS = TrackerParams(on_p=0.5, off_p=0.3, n=3, m=5, span_s=4.0, hold_s=10.0, unsure_below=0.6)
HUNGER, BOREDOM, TIREDNESS, DISCOMFORT = np.eye(4, dtype=np.float32)
EVEN = np.full(4, 0.25, np.float32)
_SOUNDLESS = np.zeros(WINDOW_SAMPLES, np.int16)


def scores(p_cry: float, reasons: Sequence[float] | np.ndarray = EVEN, n_windows: int = 1) -> Scores:
    return Scores("room", 0, p_cry, np.array(reasons, np.float32), n_windows, "abc")


def window(number: int, onset: int = 0) -> Window:
    """The window that ends at `number` hops."""
    return Window("room", number * HOP - WINDOW_SAMPLES, _SOUNDLESS, 0.0, onset)


def segment(start: int, end: int) -> Segment:
    """A segment between two hops, told 0.2 s after its end."""
    samples = np.zeros((end - start) * HOP, np.int16)
    return Segment("room", start * HOP, samples, 0.0, "silence", end * HOP + 3_200)


def feed(tracker: Tracker, p_cry: Sequence[float | None], first: int = 1, on_p: float | None = None) -> list[CryEvent]:
    """One window a hop from the hop `first` on; None is a hop of quiet, without a window."""
    events = []
    for number, p in enumerate(p_cry, first):
        if p is not None:
            events += tracker.window(window(number, first * HOP), scores(p), on_p)
    return events


def crying(params: TrackerParams = PARAMS) -> Tracker:
    """A tracker in its first episode: three votes at the hops 1 to 3."""
    tracker = Tracker("room", params)
    assert [event.event_type for event in feed(tracker, [0.9, 0.9, 0.9])] == ["started"]
    return tracker


def told(events: Sequence[CryEvent]) -> list[tuple[str, str, float]]:
    return [(event.event_type, event.reason, round(event.reason_p, 3)) for event in events]


@pytest.mark.parametrize(
    ("p_cry", "started_at"),
    [
        ([0.9, 0.9], None),
        ([0.9, 0.9, 0.9], 3),
        ([0.5, 0.5, 0.5], 3),  # the threshold itself counts
        ([0.49] * 20, None),
        ([0.9, 0.1, 0.9, 0.1, 0.9], 5),  # a streak would break at each breath
        ([0.9, 0.1, 0.1, 0.9, 0.1, 0.9], None),  # 2 of the newest 5
        ([0.9, 0.9, None, None, None, None, 0.9], 7),  # a breath without windows counts for nothing
        ([0.9, 0.9, *[None] * 14, 0.9], 17),  # 3.6 s after the first
        ([0.9, 0.9, *[None] * 15, 0.9], None),  # 4.08 s after the first: only two are young enough
    ],
)
def test_n_of_m_windows_start_an_episode(p_cry: list[float | None], started_at: int | None) -> None:
    """Three of the newest five that are not older than 4 s, and the event says which sample decided."""
    events = feed(Tracker("room", PARAMS), p_cry)
    assert [event.event_type for event in events] == (["started"] if started_at else [])
    assert [event.decided for event in events] == ([started_at * HOP] if started_at else [])


def test_started_says_where_it_began() -> None:
    """From the onset of the first window that voted, at most a window's length before that window's end."""
    tracker = Tracker("room", PARAMS)
    votes = [window(number, 9 * HOP) for number in (10, 11, 12)]
    events = [event for vote in votes for event in tracker.window(vote, scores(0.7))]
    assert [(event.start, event.decided, event.latency_samples) for event in events] == [(9 * HOP, 12 * HOP, 3 * HOP)]
    late = Tracker("room", PARAMS)  # the noise began long before the first cry in it
    events = [event for number in (50, 51, 52) for event in late.window(window(number, 2), scores(0.7))]
    assert events[0].start == 50 * HOP - WINDOW_SAMPLES
    early = Tracker("room", PARAMS)  # the stream is younger than a window
    events = [event for number in (1, 2, 3) for event in early.window(window(number, 0), scores(0.7))]
    assert events[0].start == 0


def test_started_carries_what_is_known() -> None:
    """Highest probability among the votes, no reason yet, the first episode."""
    tracker = Tracker("room", PARAMS)
    event = feed(tracker, [0.6, 0.8, 0.7])[0]
    assert (event.episode, event.source, event.p_cry) == (1, "room", 0.8)
    assert (event.reason, event.reason_p, event.reasons) == (NONE, 0.0, ())
    assert (tracker.crying, tracker.episode) == (True, 1)


def test_an_episode_starts_once_and_lasts() -> None:
    """A minute of crying with breaths: one `started`, one `ended` after the hold, at the moment the hold was over."""
    tracker = Tracker("room", PARAMS)
    events = feed(tracker, [0.9, 0.9, 0.9, 0.9, None, 0.1] * 42)
    last_cry = (41 * 6 + 4) * HOP
    events += tracker.advance(last_cry + 10 * RATE_HZ - 1)
    assert [event.event_type for event in events] == ["started"]
    events += tracker.advance(last_cry + 10 * RATE_HZ + 5_000)
    assert [event.event_type for event in events] == ["started", "ended"]
    assert events[1].decided == last_cry + 10 * RATE_HZ
    assert not tracker.crying
    assert tracker.advance(10**9) == tracker.flush(10**9) == []


def test_hysteresis() -> None:
    """What would not start an episode keeps it alive, down to the lower threshold; under it, it does not."""
    tracker = crying()
    alive = feed(tracker, [0.3] * 100, first=4)
    assert alive == []
    assert tracker.crying
    ended = feed(tracker, [0.29] * 100, first=104)
    assert [event.event_type for event in ended] == ["ended"]
    assert ended[0].decided == 103 * HOP + 10 * RATE_HZ


def test_the_next_episode_is_a_new_one() -> None:
    """After the hold old votes count no more; the number goes up and nothing of the first is left in it."""
    tracker = crying()
    tracker.segment(segment(1, 4), scores(0.9, HUNGER))
    events = feed(tracker, [0.6, 0.6, 0.6], first=100)
    assert [(event.event_type, event.episode) for event in events] == [("ended", 1), ("started", 2)]
    assert (events[1].p_cry, events[1].reason, events[1].reasons) == (0.6, NONE, ())


def test_a_window_after_the_hold_ends_the_old_episode_first() -> None:
    """Even if nobody let time pass in between: `ended` comes at its own time, before the new votes are counted."""
    tracker = crying()
    events = feed(tracker, [0.9] * 3, first=3 + 42)  # 42 hops: 10.08 s
    assert [(event.event_type, event.decided) for event in events] == [
        ("ended", 3 * HOP + 10 * RATE_HZ),
        ("started", 47 * HOP),
    ]


def test_the_reason_appears_changes_and_becomes_unsure() -> None:
    """The mean over the episode's cry sounds, weighted by their windows, told when its name changes and only then."""
    tracker = crying()
    events = tracker.segment(segment(1, 4), scores(0.9, HUNGER, 2))
    assert told(events) == [("reason", "hunger", 1.0)]
    assert events[0].decided == 4 * HOP + 3_200
    assert tracker.segment(segment(5, 8), scores(0.9, HUNGER, 1)) == []
    # 3 windows of hunger and 3 of tiredness: 0.5 each, under 0.6
    assert told(tracker.segment(segment(9, 12), scores(0.9, TIREDNESS, 3))) == [("reason", UNSURE, 0.5)]
    assert tracker.segment(segment(13, 16), scores(0.9, TIREDNESS, 1)) == []  # 4 of 7: 0.571
    events = tracker.segment(segment(17, 20), scores(0.9, TIREDNESS, 1))  # 5 of 8: 0.625
    assert told(events) == [("reason", "tiredness", 0.625)]
    assert events[0].reasons == pytest.approx((3 / 8, 0.0, 5 / 8, 0.0))
    assert told(tracker.flush(30 * HOP)) == [("ended", "tiredness", 0.625)]


def test_unsure_is_a_reason_to_tell() -> None:
    """The first cry sound that says nothing is told as `unsure`, with the probability that did not suffice."""
    assert told(crying().segment(segment(1, 4), scores(0.9, EVEN))) == [("reason", UNSURE, 0.25)]


def test_what_is_no_cry_says_nothing_of_the_reason() -> None:
    """A bang during an episode, a cry sound outside of one, and one that was over before it began."""
    tracker = crying()
    assert tracker.segment(segment(1, 4), scores(0.49, HUNGER)) == []
    assert tracker.segment(segment(-3, 0), scores(0.9, HUNGER)) == []
    calm = Tracker("room", PARAMS)
    assert calm.segment(segment(1, 4), scores(0.9, HUNGER)) == []
    assert told(tracker.flush(0)) == [("ended", NONE, 0.0)]


def test_the_familys_threshold_counts_in_place_of_the_bundles() -> None:
    """Higher: a weak cry is none. Lower, even under `off_p`: it is one, and it keeps the episode alive."""
    assert feed(Tracker("room", PARAMS), [0.8] * 9, on_p=0.81) == []
    tracker = Tracker("room", PARAMS)
    assert len(feed(tracker, [0.2] * 200, on_p=0.2)) == 1  # for 48 s
    assert tracker.crying
    assert told(tracker.segment(segment(1, 4), scores(0.2, HUNGER), 0.2)) == [("reason", "hunger", 1.0)]
    assert crying().segment(segment(1, 4), scores(0.8, HUNGER), 0.81) == []


def test_flush_ends_what_is_open() -> None:
    """At the end of the stream an episode ends where the stream does, and votes are forgotten."""
    tracker = crying()
    assert [(e.event_type, e.decided) for e in tracker.flush(5 * HOP)] == [("ended", 5 * HOP)]
    assert feed(tracker, [0.9, 0.9], first=4) == []


def test_another_room_opens_an_episode_on_a_single_vote() -> None:
    """From that window on, as if it had been enough: the same onset, the same hold, the same number."""
    tracker = Tracker("room", PARAMS)
    assert feed(tracker, [0.1, 0.8, 0.1]) == []
    events = tracker.join(4 * HOP)
    assert [(e.event_type, e.episode, e.start, e.decided, e.p_cry) for e in events] == [
        ("started", 1, HOP, 2 * HOP, 0.8),
    ]
    assert tracker.crying
    assert tracker.join(5 * HOP) == []  # it is crying already
    assert feed(tracker, [0.9, 0.9, 0.9], first=4) == []
    assert [e.decided for e in tracker.advance(100 * HOP)] == [6 * HOP + 10 * RATE_HZ]


@pytest.mark.parametrize(
    ("p_cry", "position", "on_p", "joins"),
    [
        ([], 0, None, False),
        ([0.49] * 5, 5 * HOP, None, False),
        ([0.5], HOP, None, True),
        ([0.5], HOP, 0.51, False),  # the family's threshold
        ([0.2], HOP, 0.2, True),
        ([0.9], HOP + 4 * RATE_HZ - 1, None, True),
        ([0.9], HOP + 4 * RATE_HZ, None, False),  # too old
        ([0.9, *[0.1] * 5], 6 * HOP, None, False),  # no longer among the newest five
    ],
)
def test_a_room_without_a_fresh_vote_does_not_join(
    *, p_cry: list[float], position: int, on_p: float | None, joins: bool
) -> None:
    """A vote counts for another room's sake exactly as long as it counts for its own."""
    tracker = Tracker("room", PARAMS)
    assert feed(tracker, p_cry, on_p=0.99) == []
    assert bool(tracker.join(position, on_p)) == tracker.crying == joins


def test_likely_reason_names_the_likeliest_or_none() -> None:
    """The threshold itself suffices; under it, it is `unsure`, with the same probability."""
    reasons = np.array([0.1, 0.2, 0.1, 0.6], np.float32)
    p = float(reasons[3])  # 0.6 in float32
    assert likely_reason(reasons, 0.6) == ("discomfort", p)
    assert likely_reason(reasons, 0.61) == (UNSURE, p)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("window"), st.floats(0, 1), st.integers(1, 60)),
        st.tuples(st.just("segment"), st.floats(0, 1), st.integers(0, 3)),
    ),
    max_size=80,
)
"""Windows with a probability, so many hops after the last; segments with a probability and a reason."""


@given(STEPS)
@settings(max_examples=200)
def test_episodes_are_well_formed(steps: list[tuple[str, float, int]]) -> None:
    """Whatever is heard: started, then its reasons, then ended; numbers 1, 2, 3."""
    tracker, now = Tracker("room", PARAMS), 10
    events: list[CryEvent] = []
    for kind, p, number in steps:
        if kind == "window":
            now += number
            events += tracker.window(window(now), scores(p))
        else:
            events += tracker.segment(segment(now - 3, now), scores(p, np.eye(4)[number]))
    events += tracker.flush((now + 100) * HOP)
    for episode in range(1, tracker.episode + 1):
        kinds = [event.event_type for event in events if event.episode == episode]
        assert (kinds[0], kinds[-1]) == ("started", "ended")
        assert set(kinds[1:-1]) <= {"reason"}
    assert [event.episode for event in events] == sorted(event.episode for event in events)


@given(STEPS)
@settings(max_examples=100)
def test_the_reason_never_moves_an_alert(steps: list[tuple[str, float, int]]) -> None:
    """With or without segments, whatever their reasons, `started` and `ended` come at the same samples."""

    def alerts(*, with_reasons: bool) -> list[tuple[str, int, int]]:
        tracker, now, events = Tracker("room", PARAMS), 10, []
        for kind, p, number in steps:
            if kind == "window":
                now += number
                events += tracker.window(window(now), scores(p))
            elif with_reasons:
                events += tracker.segment(segment(now - 3, now), scores(p, np.eye(4)[number]))
        return [(e.event_type, e.start, e.decided) for e in events if e.event_type in ("started", "ended")]

    assert alerts(with_reasons=True) == alerts(with_reasons=False)
