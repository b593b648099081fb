"""The operating point: what each setting comes to, by hand, and which one is taken."""

from dataclasses import replace

import numpy as np
import pytest

from monitord.tracker import TrackerParams
from tests.support.training.alarms import heard, laid
from training.streams import operating_point
from training.streams.false_alarms import Episodes
from training.streams.operating_point import LEANS, OFF_SHARE, ONS, USUAL, Trial, best, judge, settings, try_settings


def trial(on_p: float = 0.5, *, found: int = 19, false: int = 0, latency_s: tuple[float, ...] = (1.0,)) -> Trial:
    """So many of 20 cries in ten hours."""
    episodes = Episodes(10.0, (True,) * found + (False,) * (20 - found), (0.0,) * 20, latency_s, false)
    return Trial(TrackerParams(on_p=on_p), episodes)


def test_every_setting_is_tried() -> None:
    """All leans with all bounds; the lower bound follows the upper one; nothing else moves."""
    tried = list(settings())
    assert {(t.lean, t.on) for t in tried} == {(lean, on) for lean in LEANS for on in ONS}
    assert len(tried) == len(LEANS) * len(ONS)
    for one in tried:
        assert one == replace(USUAL, lean=one.lean, on=one.on, off=one.on * OFF_SHARE)


@pytest.mark.parametrize(
    ("found", "broken"),
    [
        (trial(), 0.0),
        (trial(false=5, latency_s=(1.5, 1.5)), 0.0),  # 0.5 an hour and 1.5 s: just kept
        (trial(false=10), 1.0),  # 1.0 an hour, twice the promise
        (trial(latency_s=(3.0,)), 1.0),  # median 3.0 s for 1.5, 95th percentile 3.0 s for 3.0
        (trial(false=15, latency_s=(4.5,)), 2.0 + 2.0 + 0.5),  # 1.5 for 0.5, 4.5 for 1.5, 4.5 for 3.0
        (trial(found=0, latency_s=()), np.inf),
        (trial(found=17), 2.0),  # 15 % missed for 5 %
        (trial(found=20, false=10), 1.0),  # better than promised makes up for nothing
    ],
)
def test_by_how_much_promises_are_broken(found: Trial, broken: float) -> None:
    """Each as a share of itself, added up."""
    assert found.broken == pytest.approx(broken)


def test_the_best_keeps_its_promises_then_is_quickest() -> None:
    """In this order, whatever order they were tried in; before quickness come cries found and fewer false alarms."""
    rowdy = trial(0.3, found=20, false=6)  # 0.6 an hour: broken by 0.2
    deaf = trial(0.9, found=10, latency_s=(0.2,))  # half is missed: broken by 9
    slow, quick = trial(0.5, latency_s=(1.4,)), trial(0.6, latency_s=(1.2,))
    tried = [rowdy, deaf, slow, quick]
    assert best(tried) is best(tried[::-1]) is quick
    assert best([rowdy, deaf, slow]) is slow
    assert best([rowdy, deaf]) is rowdy
    assert best([rowdy, trial(0.4, found=20, false=7)]) is rowdy  # none keeps all: the least broken
    all_found, calm = trial(0.7, found=20, false=2), trial(0.8, found=20, false=1)
    assert best([quick, all_found]) is all_found
    assert best([all_found, calm]) is calm


def test_settings_are_judged_over_all_streams() -> None:
    """One stream with a cry found and one missed, one with a false alarm, by the daemon's own tracker."""
    cries = (laid("cry", 10, 15), laid("cry", 40, 45))
    streams = [heard((11, 14), cries=cries), heard((60, 60), length_s=240)]
    found = judge(streams, TrackerParams(most_against=1.0, fade_per_s=0.0, on=1.0))
    assert (found.found, found.latency_s, found.false) == ((True, False), (1.0, None), 1)
    assert found.hours == pytest.approx(360 / 3600)
    strict = judge(streams, TrackerParams(most_against=1.0, fade_per_s=0.0, on=2.0))
    assert (strict.found, strict.latency_s, strict.false) == ((True, False), (1.5, None), 0)


def test_the_chosen_one_tells_a_cry_from_a_cat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Single windows are the cat's, runs are the cry's: two windows' worth, and the first run's latency."""
    monkeypatch.setattr(operating_point, "ONS", (1.5, 2.7, 20.0))
    monkeypatch.setattr(operating_point, "LEANS", (0.4,))
    streams = [heard((10.5, 14), (60, 60), (80, 80), cries=(laid("cry", 10, 15),), length_s=3600)]
    chosen = best(try_settings(streams))
    assert chosen.tracker.on == 2.7
    assert (chosen.episodes.found, chosen.episodes.false, chosen.episodes.latency_s) == ((True,), 0, (1.0,))
    assert chosen.broken == 0.0
