"""What other thresholds would have made of the same windows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitord.hindsight import Hindsight
from monitord.tracker import Tracker, TrackerParams, log_odds
from monitord.types import RATE_HZ, Scores, Window

PARAMS = TrackerParams(lean=0.5)
HOP = 3840
"""Samples: 0.24 s."""


def window(end: int) -> Window:
    return Window("room", end - 15_600, np.zeros(15_600, np.int16), 0.0, end - 15_600)


def scores(p_cry: float) -> Scores:
    return Scores("room", 0, p_cry, np.full(4, 0.25, np.float32), 1, "abc")


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 12)), min_size=1, max_size=80),
    st.sampled_from([0.05, 0.3, 0.5, 0.77, 0.95]),
)
def test_each_threshold_is_as_a_tracker_would_have_it(heard: list[tuple[float, int]], threshold: float) -> None:
    """Whatever is heard, and with pauses: an episode opens where a tracker with this threshold opens its first."""
    hindsight, tracker, end, opened = Hindsight(PARAMS), Tracker("room", PARAMS), 0, False
    for p_cry, hops in heard:
        end += hops * HOP
        hindsight.window(end, log_odds(p_cry))
        opened |= any(e.event_type == "started" for e in tracker.window(window(end), scores(p_cry), threshold))
        if tracker.episode > 1 or (opened and not tracker.crying):  # what ends begins from nothing, which is its own
            return
        told = hindsight.told_up_to
        assert opened == (told is not None and told >= threshold)


def test_a_sure_cry_is_told_at_all_thresholds_and_a_doubtful_one_at_the_low_ones() -> None:
    """What a cat's meow of 0.6 would have needed: a threshold at which 0.6 still speaks for crying."""
    hindsight = Hindsight(TrackerParams(lean=0.0))
    for number in range(40):
        hindsight.window(number * HOP, log_odds(0.6))
    assert hindsight.told_up_to == pytest.approx(0.58, abs=0.02)
    hindsight.begin()
    assert hindsight.told_up_to is None or hindsight.told_up_to <= 0.6  # what is left of the evidence
    for number in range(40, 80):
        hindsight.window(number * HOP, log_odds(0.999))
    assert hindsight.told_up_to == 0.95


def test_the_lowest_quiet_threshold_is_since_it_was_asked() -> None:
    """A radio of 0.5 comes half-way to an alarm at the thresholds under it; the silence after it nowhere."""
    hindsight = Hindsight(TrackerParams(lean=0.0))
    assert hindsight.quiet_from(0.5) == 0.05
    for number in range(20):
        hindsight.window(number * HOP, log_odds(0.5))
    loudest = hindsight.quiet_from(0.5)
    assert loudest is not None
    assert 0.4 < loudest <= 0.5
    hindsight.window(60 * RATE_HZ, log_odds(0.001))
    assert hindsight.quiet_from(0.5) == 0.05
    for number in range(40):
        hindsight.window(61 * RATE_HZ + number * HOP, log_odds(0.999))
    assert hindsight.quiet_from(0.5) is None
