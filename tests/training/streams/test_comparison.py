"""The table of streams: what is written for a person and for `report`, from counts made by hand."""

from collections import Counter
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
from training.results.result_files import Result, read_results, write_result
from training.streams import mixing, operating_point
from training.streams.comparison import HALVES, System, crossed, figures, markdown, ours, peers, streams_of
from training.streams.false_alarms import Episodes, Heard
from training.streams.mixing import StreamParams, half_of
from training.streams.operating_point import THRESHOLDS, try_settings

SNR_DB = (-15.0, -7.0, 2.0, 12.0)
"""Of four cries: two deep in the noise, one beside it, one far over it."""
GOOD = System(
    "tiny",
    "3 of 5 windows at 0.8",
    Episodes(8.0, (False, True, True, True), SNR_DB, (1.0, 1.5, 2.0), 2, Counter({"hen": 1, "laughing": 1})),
    ((0.5, Episodes(8.0, (True,) * 4, SNR_DB, (1.0,) * 4, 16)), (0.99, Episodes(8.0, (False,) * 4, SNR_DB))),
)
DEAF = System("YAMNet", "any window at 0.5", Episodes(8.0, (False,) * 4, SNR_DB))


def test_figures_by_hand() -> None:
    """Three of four found, two false in eight hours; no latency where nothing was found; rows only where cries are."""
    found = figures([GOOD, DEAF], hours=2)
    assert (found["hours"], found["quiet_hours"], found["episodes"]) == (4, 4, 4)
    good, deaf = found["systems"]
    assert (good["name"], good["rule"]) == ("tiny", "3 of 5 windows at 0.8")
    assert (good["found"], good["false_per_hour"]) == (0.75, 0.25)
    assert (good["latency_p50_s"], good["latency_p95_s"]) == (1.5, 1.95)
    assert good["found_95"][0] < 0.75 < good["found_95"][1]
    assert [(point["threshold"], point["found"], point["false_per_hour"]) for point in good["curve"]] == [
        (0.5, 1.0, 2.0),
        (0.99, 0.0, 0.0),
    ]
    assert (deaf["found"], deaf["found_95"]) == (0.0, [0.0, 0.0])
    assert (deaf["latency_p50_s"], deaf["latency_p95_s"], deaf["curve"]) == (None, None, [])
    rows = [(row["snr_db"], row["episodes"], row["found"]) for row in found["by_snr"]]
    ours_, theirs = "tiny, 3 of 5 windows at 0.8", "YAMNet, any window at 0.5"
    assert rows == [
        ([-15, -5], 2, {ours_: 0.5, theirs: 0.0}),
        ([0, 5], 1, {ours_: 1.0, theirs: 0.0}),
        ([10, 20], 1, {ours_: 1.0, theirs: 0.0}),
    ]
    assert found["false_by_kind"] == {ours_: {"hen": 1, "laughing": 1}, theirs: {}}


def test_thresholds_are_chosen_on_the_other_half(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is right for one half is wrong for the other here, so crosswise both fail where each alone would shine."""
    monkeypatch.setattr(operating_point, "VOTES", ((1, 1), (5, 5)))
    monkeypatch.setattr(operating_point, "THRESHOLDS", (0.5,))
    brief = heard((11, 11), cries=(laid("cry", 10, 15),), length_s=3600)  # one window speaks: 1 of 1 finds it
    spotty = heard((40, 40), (11, 15), cries=(laid("cry", 10, 16),), length_s=360)  # 1 of 1 has a false alarm
    counts = crossed("tiny", {"a": try_settings([brief]), "b": try_settings([spotty])}).episodes
    assert (counts.found, counts.false) == ((True, False), 1)


def test_figures_survive_the_file(tmp_path: Path) -> None:
    """What `report` reads is what was measured, to the last digit."""
    found = figures([GOOD, DEAF], hours=2)
    written = Result("streams", "monitord-train streams --prepared PREPARED", "by hand", synthetic=True, figures=found)
    write_result(tmp_path / "streams.json", written)
    assert read_results(tmp_path) == [written]
    assert markdown(read_results(tmp_path)[0].figures) == markdown(found)


def test_the_table_that_a_person_reads() -> None:
    """Hours, a row each, a dash for what is not there, shares by noise, and what the false alarms were."""
    lines = markdown(figures([GOOD, DEAF], hours=2)).splitlines()
    assert lines[0].startswith("4 cries in 4 hours, and 4 hours without a cry. ")
    assert lines[0].endswith("False is an alarm while nobody cries, over all 8 hours.")
    rows = [line for line in lines if line.startswith(("| tiny", "| YAMNet"))]
    assert rows[0].startswith("| tiny | 3 of 5 windows at 0.8 | 75.0% (")
    assert rows[0].endswith("| 0.25 | 1.50 s | 1.95 s |")
    assert rows[1] == "| YAMNet | any window at 0.5 | 0.0% (0.0% to 0.0%) | 0.00 | - | - |"
    assert "| -15 to -5 | 2 | 50% | 0% |" in lines
    assert lines[-2:] == ["- tiny, 3 of 5 windows at 0.8: hen 1, laughing 1", "- YAMNet, any window at 0.5: none"]


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
