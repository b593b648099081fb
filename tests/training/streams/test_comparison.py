"""Systems on streams: ours with its thresholds, chosen crosswise too, and the peers on the same hours."""

from dataclasses import replace

import pytest

from monitord.tracker import TrackerParams
from tests.support.training.alarms import heard, laid
from training.streams import operating_point
from training.streams.comparison import THRESHOLDS, by_threshold, crossed, our_curve, ours
from training.streams.mixing import HALVES
from training.streams.operating_point import try_settings


def test_thresholds_are_chosen_on_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is right for one half is wrong for the other here, so crosswise both fail where each alone would shine."""
    monkeypatch.setattr(operating_point, "ONS", (1.5, 6.0))
    monkeypatch.setattr(operating_point, "LEANS", (0.4,))
    brief = heard((11, 11), cries=(laid("cry", 10, 15),), length_s=3600)  # one window: 1.5 finds it
    spotty = heard((40, 40), (11, 15), cries=(laid("cry", 10, 16),), length_s=360)  # 1.5 has a false alarm
    counts = crossed("tiny", {"a": try_settings([brief]), "b": try_settings([spotty])}).episodes
    assert (counts.found, counts.false) == ((True, False), 1)


def test_ours_by_its_own_rule() -> None:
    """In words, and what it comes to."""
    cry = laid("cry", 10, 15, 3.0)
    system = ours("tiny", [heard((11, 14), cries=(cry,))], TrackerParams(most_against=1.0, fade_per_s=0.0, on=2.0))
    assert (system.name, system.rule) == ("tiny", "evidence of 2, windows from 0.50")
    assert system.episodes.latency_s == (1.5,)


def test_a_lower_threshold_finds_at_least_as_much() -> None:
    """Of two cries, one sounds half as sure: it is found at the lower thresholds alone."""
    sure = heard((11, 14), cries=(laid("cry", 10, 15, 3.0),))
    unsure = replace(sure, p_cry=[0.55 if p > 0.5 else p for p in sure.p_cry])
    found = by_threshold([sure, unsure], TrackerParams(lean=0.0, most_against=1.0, fade_per_s=0.0, on=0.1, off=0.05))
    assert {at: counts.found for at, counts in found.items()} == {at: (True, at < 0.55) for at in THRESHOLDS}


def test_our_curve_is_over_every_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    """One window suffices where no false alarm is allowed either; named in words."""
    monkeypatch.setattr(operating_point, "ONS", (1.5, 6.0))
    monkeypatch.setattr(operating_point, "LEANS", (0.4,))
    tried = {half: try_settings([heard((11, 11), cries=(laid("cry", 10, 15),))]) for half in HALVES}
    made = our_curve("tiny", tried)
    assert {(at.best.rule, at.best.episodes.found) for at in made.points} == {
        ("evidence of 1.5, windows from 0.50", (True, True))
    }
