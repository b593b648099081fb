"""Alarms against cries, by hand: found, missed, false, late, and what is counted over several streams."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from monitord.tracker import TrackerParams
from monitord.types import RATE_HZ
from tests.support.training.alarms import heard, laid
from training.streams.false_alarms import LATE_S, Episodes, Heard, score

ONE = TrackerParams(on_p=0.5, most_against=1.0, fade_per_s=0.0, on=1.0, hold_s=10.0)
"""Any window at 0.9 raises an alarm; it ends 10 s after the last of them."""


def test_found_missed_and_false() -> None:
    """Two cries, one heard after 2 s; one alarm while a cat sounds."""
    cries = (laid("cry", 10, 15, 5.0), laid("cry", 40, 45, -3.0))
    cat = laid("cat", 69, 71)
    found = score(heard((12, 14), (70, 71), cries=cries, sounds=(cat,)), ONE)
    assert found.found == (True, False)
    assert found.snr_db == (5.0, -3.0)
    assert found.latency_s == (2.0, None)
    assert (found.false, found.false_by_kind) == (1, Counter({"cat": 1}))
    assert found.hours == pytest.approx(120 / 3600)
    assert found.share_found == 0.5
    assert found.false_per_hour == pytest.approx(30)


@pytest.mark.parametrize(("alarm_s", "is_found"), [(9.5, True), (10.0, True), (16.5, True), (17.0, False)])
def test_an_alarm_counts_from_the_first_sound_until_shortly_after_the_last(alarm_s: float, is_found: bool) -> None:  # noqa: FBT001
    """A cry from 10 to 15 s: raised until 2 s after it. One raised just before is false, but does find the cry."""
    assert LATE_S == 2.0
    found = score(heard((alarm_s, alarm_s), cries=(laid("cry", 10, 15),)), ONE)
    assert found.found == (is_found,)
    assert found.false == (0 if 10 <= alarm_s < 17 else 1)
    assert found.latency_s == ((alarm_s - 10 if 10 <= alarm_s < 17 else None),)


def test_an_alarm_that_is_open_already_finds_the_next_cry_too() -> None:
    """The hold reaches into the second cry: found, but nobody can say how quickly."""
    found = score(heard((11, 15), cries=(laid("cry", 10, 15), laid("cry", 20, 25))), ONE)
    assert found.found == (True, True)
    assert found.latency_s == (1.0, None)
    assert found.false == 0


def test_a_false_alarm_stays_false_though_a_cry_begins_in_it() -> None:
    """Raised by a hen, open when the baby begins: the cry is found without a latency, the alarm is false."""
    found = score(heard((5, 6), cries=(laid("cry", 10, 15),), sounds=(laid("hen", 4, 6),)), ONE)
    assert (found.found, found.latency_s) == ((True,), (None,))
    assert (found.false, found.false_by_kind) == (1, Counter({"hen": 1}))


def test_an_alarm_that_ended_before_the_cry_finds_nothing() -> None:
    """Raised at 5 s, held until 15; the cry begins at 16."""
    found = score(heard((5, 5), cries=(laid("cry", 16, 20),)), ONE)
    assert (found.found, found.false) == ((False,), 1)


def test_the_hold_runs_out_where_no_more_windows_come() -> None:
    """The ear gives no windows of silence: an episode at the end of a stream is not open until the end."""
    whole = heard((5, 5), cries=(laid("cry", 100, 105),))
    cut = Heard(whole.stream, whole.windows[:20], whole.p_cry[:20])  # the last one ends at 10.5 s
    assert score(cut, ONE).found == (False,)


def test_two_alarms_within_one_cry_are_both_true() -> None:
    """A long cry with a pause longer than the hold: neither is false, and the first one's latency counts."""
    found = score(heard((12, 13), (30, 31), cries=(laid("cry", 10, 40),)), ONE)
    assert (found.found, found.latency_s, found.false) == ((True,), (2.0,), 0)


def test_the_trackers_own_rule_decides() -> None:
    """Evidence of two windows: the first is no alarm, the second one is, though the one between them is none."""
    two = TrackerParams(on_p=0.5, most_against=0.1, fade_per_s=0.0, on=1.9)
    cry = (laid("cry", 10, 15),)
    assert score(heard((11, 11), cries=cry), two).found == (False,)
    assert score(heard((11, 11), (12, 12), cries=cry), two).latency_s == (2.0,)


def test_what_sounded_at_a_false_alarm() -> None:
    """The sound that began last of those within the second before; the bed where there was none."""
    sounds = (laid("dog", 10, 30), laid("hen", 12, 13), laid("cow", 15, 16))
    assert score(heard((13.5, 13.5), sounds=sounds), ONE).false_by_kind == Counter({"hen": 1})
    assert score(heard((14.5, 14.5), sounds=sounds), ONE).false_by_kind == Counter({"dog": 1})
    assert score(heard((60, 60), sounds=sounds), ONE).false_by_kind == Counter({"steady": 1})


def test_seconds_after_a_teacher_hears_it() -> None:
    """From the end of the first window in which a teacher hears the cry, before that too; none where nobody asked."""
    cries = [replace(laid("cry", 10, 15), teacher_hears=at and int(at * RATE_HZ)) for at in (11, 13, None)]
    told = [score(heard((12, 14), cries=(cry,)), ONE).after_teacher_s for cry in cries]
    assert told == [(1.0,), (-1.0,), (None,)]
    missed = replace(laid("cry", 50, 55), teacher_hears=51 * RATE_HZ)
    assert score(heard((12, 14), cries=(missed,)), ONE).after_teacher_s == (None,)


def test_cries_of_a_loudness() -> None:
    """Those from the lower to under the upper bound, with all that is known of each; false alarms have none."""
    found = Episodes(
        2.0, (True, False, True), (4.9, 5.0, 10.0), (1.0, None, 2.0), 3, Counter({"cat": 3}), (0.0, None, 1.0)
    )
    assert found.within(5.0, 10.0) == Episodes(2.0, (False,), (5.0,), (None,), after_teacher_s=(None,))
    assert found.within(4.0, 11.0).latency_s == (1.0, None, 2.0)
    assert found.within(20.0, 60.0).found == ()


def test_streams_add_up() -> None:
    """Counts, cries and kinds of both; rates over all hours."""
    one = Episodes(1.0, (True, False), (1.0, 2.0), (0.5, None), 1, Counter({"cat": 1}), (-0.5, None))
    two = Episodes(3.0, (True, True), (3.0, 4.0), (1.5, 2.5), 2, Counter({"cat": 1, "hen": 1}), (0.5, 1.5))
    both = one + two
    assert (both.hours, both.found, both.snr_db) == (4.0, (True, False, True, True), (1.0, 2.0, 3.0, 4.0))
    assert (both.latency_s, both.after_teacher_s) == ((0.5, None, 1.5, 2.5), (-0.5, None, 0.5, 1.5))
    assert (both.false, both.false_by_kind) == (3, Counter({"cat": 2, "hen": 1}))
    assert (both.share_found, both.false_per_hour) == (0.75, 0.75)
    assert [both.latency(50), both.latency(95)] == pytest.approx([1.5, 2.4])
    assert both.after_teacher(50) == 0.5
    assert sum((one, two), Episodes()) == both


def test_the_interval_of_the_share_found() -> None:
    """A point where all agree, as wide as a binomial's else, the same every time; no number without cries."""
    assert Episodes(1.0, (True,) * 9).found_interval() == (1.0, 1.0)
    half = Episodes(1.0, (True, False) * 50)
    low, high = half.found_interval()
    assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.02)
    assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.02)
    assert half.found_interval() == (low, high)
    nobody = Episodes(1.0)
    assert np.isnan([nobody.share_found, *nobody.found_interval()]).all()
    assert nobody.latency(50) == float("inf")
