"""The tracker: evidence of windows to episodes, and reasons that follow without ever standing in the way."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitord.listening.windows import WINDOW_SAMPLES
from monitord.tracker import NONE, UNSURE, Tracker, TrackerParams, likely_reason
from monitord.types import RATE_HZ, CryEvent, Scores, Segment, Window

HOP = 3_840
"""Samples at 16 kHz between two windows: 0.24 s."""
PARAMS = TrackerParams()
"""A sure window adds 1, one that hears no cry takes 0.5, and a hop takes 0.06."""
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
    """A tracker in its first episode: three sure windows at the hops 1 to 3."""
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
        ([0.999_999, 0.999_999, 0.1], None),  # however sure, a single window adds no more than the others
        ([0.7, 0.7, 0.7, 0.7], 4),  # less sure takes longer: 0.85 each
        ([0.5] * 200, None),  # the threshold itself says nothing
        ([0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9, 0.1, 0.9], 9),  # a breath does not undo a cry
        ([0.9, 0.1, 0.1, 0.1] * 50, None),  # what repeats too seldom is none
        ([0.9, 0.9, None, None, None, None, 0.9], 7),  # a breath without windows takes little
        ([0.9, 0.9, *[None] * 6, 0.9], 9),  # 1.94 has faded to 1.52
        ([0.9, 0.9, *[None] * 7, 0.9], None),  # to 1.46
    ],
)
def test_evidence_starts_an_episode(p_cry: list[float | None], started_at: int | None) -> None:
    """As soon as it reaches the bound, and the event says which sample decided."""
    events = feed(Tracker("room", PARAMS), p_cry)
    assert [event.event_type for event in events] == (["started"] if started_at else [])
    assert [event.decided for event in events] == ([started_at * HOP] if started_at else [])


def test_evidence_can_be_read_at_any_time() -> None:
    """It grows with a window, fades without, lies between zero and the bound, and reading it changes nothing."""
    tracker = Tracker("room", PARAMS)
    assert tracker.evidence(10**9) == 0.0
    feed(tracker, [0.9, 0.9])
    assert [tracker.evidence(2 * HOP + s * RATE_HZ) for s in (0, 4, 100)] == pytest.approx([1.94, 0.94, 0.0])
    feed(tracker, [0.9] * 9, first=3)
    assert tracker.evidence(11 * HOP) == tracker.on == PARAMS.on
    feed(tracker, [0.0] * 9, first=12)
    assert tracker.evidence(20 * HOP) == 0.0


@pytest.mark.parametrize(("threshold", "lean", "from_p"), [(0.5, 0.0, 0.5), (0.6, 1.4, 0.27), (0.9, 1.4, 0.69)])
def test_windows_a_little_under_the_threshold_count_too(threshold: float, lean: float, from_p: float) -> None:
    """As far as the bundle leans, whatever threshold the family chose."""
    params = replace(PARAMS, lean=lean)
    assert params.speaks_from(threshold) == pytest.approx(from_p, abs=0.005)
    for p_cry, opens in ((from_p + 0.2, True), (from_p - 0.02, False)):
        assert bool(feed(Tracker("room", params), [p_cry] * 60, on_p=threshold)) is opens


def test_started_says_where_it_began() -> None:
    """From the onset of the window with which the evidence began to grow, at most a window before that window's end."""
    tracker = Tracker("room", PARAMS)
    feed(tracker, [0.1] * 9)
    events = [event for number in (10, 11, 12) for event in tracker.window(window(number, 9 * HOP), scores(0.9))]
    assert [(event.start, event.decided, event.latency_samples) for event in events] == [(9 * HOP, 12 * HOP, 3 * HOP)]
    late = Tracker("room", PARAMS)  # the noise began long before the first cry in it
    events = [event for number in (50, 51, 52) for event in late.window(window(number, 2), scores(0.9))]
    assert events[0].start == 50 * HOP - WINDOW_SAMPLES
    early = Tracker("room", PARAMS)  # the stream is younger than a window
    events = [event for number in (1, 2, 3) for event in early.window(window(number, 0), scores(0.9))]
    assert events[0].start == 0


def test_started_carries_what_is_known() -> None:
    """Highest probability since the evidence grew, no reason yet, the first episode."""
    tracker = Tracker("room", PARAMS)
    assert feed(tracker, [0.99, *[0.1] * 9]) == []  # long over
    event = feed(tracker, [0.9, 0.95, 0.9], first=11)[0]
    assert (event.episode, event.source, event.p_cry) == (1, "room", 0.95)
    assert (event.reason, event.reason_p, event.reasons) == (NONE, 0.0, ())
    assert (tracker.crying, tracker.episode) == (True, 1)


def test_an_episode_starts_once_and_lasts() -> None:
    """A minute of crying with breaths: one `started`, one `ended` after the hold, at the moment the hold was over."""
    tracker = Tracker("room", PARAMS)
    events = feed(tracker, [0.9, 0.9, 0.9, 0.9, None, 0.1] * 42)
    last_cry = 42 * 6 * HOP  # with evidence enough
    events += tracker.advance(last_cry + 10 * RATE_HZ - 1)
    assert [event.event_type for event in events] == ["started"]
    events += tracker.advance(last_cry + 10 * RATE_HZ + 5_000)
    assert [event.event_type for event in events] == ["started", "ended"]
    assert events[1].decided == last_cry + 10 * RATE_HZ
    assert not tracker.crying
    assert tracker.advance(10**9) == tracker.flush(10**9) == []


def test_hysteresis() -> None:
    """What would not start an episode keeps it alive, as long as evidence stays over the lower bound."""
    assert feed(Tracker("room", PARAMS), [0.9, 0.1, 0.1] * 40) == []
    tracker = crying()
    assert feed(tracker, [0.9, 0.1, 0.1] * 40, first=4) == []
    assert tracker.crying
    ended = feed(tracker, [0.1] * 100, first=124)
    assert [event.event_type for event in ended] == ["ended"]
    assert ended[0].decided <= 122 * HOP + 10 * RATE_HZ


def test_the_next_episode_is_a_new_one() -> None:
    """After the hold old evidence counts no more; the number goes up and nothing of the first is left in it."""
    tracker = crying()
    tracker.segment(segment(1, 4), scores(0.9, HUNGER))
    events = feed(tracker, [0.8, 0.8, 0.8], first=100)
    assert [(event.event_type, event.episode) for event in events] == [("ended", 1), ("started", 2)]
    assert (events[1].p_cry, events[1].reason, events[1].reasons) == (0.8, NONE, ())


def test_a_window_after_the_hold_ends_the_old_episode_first() -> None:
    """Even if nobody let time pass in between: `ended` comes at its own time, before new evidence is counted."""
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
    """Higher: a weak cry is none. Lower: it is one, and it keeps the episode alive."""
    assert feed(Tracker("room", PARAMS), [0.8] * 99, on_p=0.81) == []
    tracker = Tracker("room", PARAMS)
    assert len(feed(tracker, [0.2] * 200, on_p=0.15)) == 1  # for 48 s
    assert tracker.crying
    assert told(tracker.segment(segment(1, 4), scores(0.2, HUNGER), 0.2)) == [("reason", "hunger", 1.0)]
    assert crying().segment(segment(1, 4), scores(0.8, HUNGER), 0.81) == []


def test_flush_ends_what_is_open() -> None:
    """At the end of the stream an episode ends where the stream does, and evidence is forgotten."""
    tracker = crying()
    assert [(e.event_type, e.decided) for e in tracker.flush(5 * HOP)] == [("ended", 5 * HOP)]
    assert feed(tracker, [0.9, 0.9], first=4) == []


def test_another_room_opens_an_episode_on_little() -> None:
    """From the newest window on, as if it had been enough: the same onset, the same hold, the same number."""
    tracker = Tracker("room", PARAMS)
    assert feed(tracker, [0.8, 0.8]) == []
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
        ([0.9], HOP, None, True),
        ([0.9], HOP, 0.9, False),  # the family's threshold
        ([0.2], HOP, 0.05, True),
        ([0.9], HOP + 4 * RATE_HZ - 1, None, True),
        ([0.9], HOP + 4 * RATE_HZ, None, False),  # faded by now
        ([0.9, 0.9, *[0.1] * 5], 7 * HOP, None, False),
    ],
)
def test_a_room_without_fresh_evidence_does_not_join(
    *, p_cry: list[float], position: int, on_p: float | None, joins: bool
) -> None:
    """Any evidence is enough for another room's sake, as long as it lasts."""
    tracker = Tracker("room", PARAMS)
    assert feed(tracker, p_cry, on_p=on_p) == []
    assert bool(tracker.join(position)) == tracker.crying == joins


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
