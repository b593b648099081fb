"""Systems on streams: ours with its thresholds, chosen crosswise too, and the peers on the same hours."""

from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from monitord.tracker import TrackerParams
from tests.support.sound.sounds import noise, synthetic_cry
from tests.support.training.alarms import heard, laid
from tests.support.training.prepared import Take, prepared_from
from training.data.prepared import Prepared
from training.streams import mixing, operating_point
from training.streams.comparison import HALVES, crossed, ours, peers, streams_of
from training.streams.false_alarms import Heard
from training.streams.mixing import StreamParams, half_of
from training.streams.operating_point import THRESHOLDS, try_settings


def test_thresholds_are_chosen_on_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is right for one half is wrong for the other here, so crosswise both fail where each alone would shine."""
    monkeypatch.setattr(operating_point, "VOTES", ((1, 1), (5, 5)))
    monkeypatch.setattr(operating_point, "THRESHOLDS", (0.5,))
    brief = heard((11, 11), cries=(laid("cry", 10, 15),), length_s=3600)  # one window speaks: 1 of 1 finds it
    spotty = heard((40, 40), (11, 15), cries=(laid("cry", 10, 16),), length_s=360)  # 1 of 1 has a false alarm
    counts = crossed("tiny", {"a": try_settings([brief]), "b": try_settings([spotty])}).episodes
    assert (counts.found, counts.false) == ((True, False), 1)


def test_ours_comes_with_the_other_thresholds() -> None:
    """Its own rule in words, and a curve over every threshold that is tried, by the same votes."""
    cry = laid("cry", 10, 15, 3.0)
    system = ours("tiny", [heard((11, 14), cries=(cry,))], TrackerParams(n=2, m=4, on_p=0.8, off_p=0.5))
    assert (system.name, system.rule) == ("tiny", "2 of 4 windows at 0.8")
    assert system.episodes.latency_s == (1.5,)
    thresholds = [threshold for threshold, _ in system.curve]
    assert thresholds == sorted(thresholds)
    assert set(THRESHOLDS) < set(thresholds)
    # Every window of it is at 0.1 or at 0.9: up to 0.1 the first two raise the alarm, over 0.9 none does.
    shares = {threshold: (episodes.share_found, episodes.false) for threshold, episodes in system.curve}
    assert shares[0.05] == (1.0, 1)
    assert shares[0.5] == shares[0.9] == (1.0, 0)
    assert shares[0.95] == (0.0, 0)


def both_halves() -> list[Take]:
    """A cry and other sound held out for each half."""
    takes = []
    for half in ("a", "b"):
        cry, rain = (
            next(name for name in (f"{what}{i}" for i in count()) if half_of(f"home:{name}") == half)
            for what in ("cry", "rain")
        )
        takes += [
            Take(cry, synthetic_cry()[:40_000], is_cry=True, p_cry=0.9, kind="crying_baby", held_out=True),
            Take(rain, noise(2.0, rms_dbfs=-20), is_cry=False, kind="rain", held_out=True),
        ]
    return takes


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Prepared:
    """Streams of 20 s in place of an hour."""
    short = StreamParams(length_s=20.0, cry_every_s=(6.0, 8.0), cry_dbfs=(-20.0, -20.0), bed_dbfs=(-70.0, -60.0))
    monkeypatch.setattr(mixing, "StreamParams", partial(replace, short))
    return prepared_from(tmp_path, both_halves())


def test_without_teachers_the_peers_are_left_out(prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    """And that is said."""
    assert peers(prepared.data / "teachers", {"a": [], "b": []}) == []
    assert "teachers: no such folder, so YAMNet and mn04 are left out" in capsys.readouterr().err


def test_peers_hear_the_same_streams(prepared: Prepared, shared_data: Path) -> None:
    """YAMNet as people use it and mn04 by two rules, on both halves, with cries and without."""
    (prepared.data / "teachers").symlink_to(shared_data / "teachers")
    unheard = {half: [Heard(stream, (), ()) for stream in streams_of(prepared, half, 1)] for half in HALVES}
    systems = peers(prepared.data / "teachers", unheard)
    assert [system.name for system in systems] == ["YAMNet", "mn04", "mn04"]
    assert len({system.rule for system in systems}) == 3
    assert [system.episodes.hours for system in systems] == pytest.approx([4 * 20 / 3600] * 3)
    assert len({len(system.episodes.found) for system in systems}) == 1
    assert systems[0].episodes.share_found > 0.5  # a synthetic cry in a quiet room
