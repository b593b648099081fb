"""The tables of streams: what is written for a person and for `report`, from counts made by hand."""

from collections import Counter
from pathlib import Path

from training.results.result_files import Result, read_results, write_result
from training.streams.comparison import System
from training.streams.curves import Curve, Point, Tried
from training.streams.false_alarms import Episodes
from training.streams.figures import figures, markdown

SNR_DB = (-15.0, -7.0, 2.0, 12.0)
"""Of four cries: two deep in the noise, one beside it, one far over it."""
AFTER = (None, -0.5, 0.5, 1.0)
"""Seconds from a teacher to the alarm; the first cry is missed."""
NEVER = (None,) * 4
GOOD = System(
    "tiny",
    "3 of 5 windows at 0.8",
    Episodes(
        8.0, (False, True, True, True), SNR_DB, (None, 1.0, 1.5, 2.0), 2, Counter({"hen": 1, "laughing": 1}), AFTER
    ),
)
DEAF = System("YAMNet", "any window at 0.5", Episodes(8.0, (False,) * 4, SNR_DB, NEVER, after_teacher_s=NEVER))


def test_figures_by_hand() -> None:
    """Three of four found, two false in eight hours; no latency where nothing was found; rows only where cries are."""
    found = figures([GOOD, DEAF], hours=2)
    assert (found["hours"], found["quiet_hours"], found["episodes"]) == (4, 4, 4)
    good, deaf = found["systems"]
    assert (good["name"], good["rule"]) == ("tiny", "3 of 5 windows at 0.8")
    assert (good["found"], good["false_per_hour"]) == (0.75, 0.25)
    assert (good["latency_p50_s"], good["latency_p95_s"]) == (1.5, 1.95)
    assert (good["after_teacher_p50_s"], good["after_teacher_p95_s"]) == (0.5, 0.95)
    assert good["found_95"][0] < 0.75 < good["found_95"][1]
    assert (deaf["found"], deaf["found_95"]) == (0.0, [0.0, 0.0])
    assert (deaf["latency_p50_s"], deaf["latency_p95_s"]) == (None, None)
    rows = [(row["snr_db"], row["episodes"], row["found"]) for row in found["by_snr"]]
    ours_, theirs = "tiny, 3 of 5 windows at 0.8", "YAMNet, any window at 0.5"
    assert rows == [
        ([-15, -5], 2, {ours_: 0.5, theirs: 0.0}),
        ([0, 5], 1, {ours_: 1.0, theirs: 0.0}),
        ([10, 20], 1, {ours_: 1.0, theirs: 0.0}),
    ]
    told = [(row["latency_p50_s"], row["latency_p95_s"]) for row in found["by_snr"]]
    assert told[0] == ({ours_: 1.0, theirs: None}, {ours_: 1.0, theirs: None})  # of two, the one that is found
    assert [p50[ours_] for p50, _ in told] == [1.0, 1.5, 2.0]
    assert found["false_by_kind"] == {ours_: {"hen": 1, "laughing": 1}, theirs: {}}


BEST = Tried("2 of 4 windows at 0.1", Episodes(8.0, (True, True, False, False), SNR_DB, (1.0, 2.0, None, None), 4))
CURVES = (
    Curve("tiny", (Point(0.5, BEST, Episodes(8.0, (True, False, False, False), SNR_DB, (3.0, *NEVER[1:]), 10)),)),
    Curve("YAMNet", (Point(0.5, BEST, None), Point(1.0, BEST, None))),
)


def test_curves_by_hand() -> None:
    """The best rule at a rate and what it comes to elsewhere; a dash where no rule has so few false alarms."""
    found = figures([GOOD, DEAF], 2, CURVES)
    (tiny, yamnet) = found["curves"]
    ((at,), (first, _)) = tiny["points"], yamnet["points"]
    assert (at["at_most"], at["rule"], at["found"], at["false_per_hour"]) == (0.5, BEST.rule, 0.5, 0.5)
    assert (at["latency_p50_s"], at["crossed"]["found"], at["crossed"]["false_per_hour"]) == (1.5, 0.25, 1.25)
    assert first["crossed"] is None
    lines = markdown(found).splitlines()
    assert "| 0.5 | 50.0%, 1.50 s (25.0% at 1.25, 3.00 s) | 50.0%, 1.50 s (-) |" in lines
    assert "| 1 | - | 50.0%, 1.50 s (-) |" in lines
    assert "| 0.1 | - | - |" in lines


def test_thresholds_by_hand() -> None:
    """What a family gets for a lower threshold, and what it pays."""
    lines = markdown(figures([GOOD, DEAF], 2, thresholds={0.4: GOOD.episodes, 0.6: DEAF.episodes})).splitlines()
    rows = ["| 0.4 | 75.0% | 0.25 | 1.50 s | 1.95 s |", "| 0.6 | 0.0% | 0.00 | - | - |"]
    assert [line for line in lines if line in rows] == rows


def test_figures_survive_the_file(tmp_path: Path) -> None:
    """What `report` reads is what was measured, to the last digit."""
    found = figures([GOOD, DEAF], hours=2)
    written = Result("streams", "monitord-train streams --prepared PREPARED", "by hand", synthetic=True, figures=found)
    write_result(tmp_path / "streams.json", written)
    assert read_results(tmp_path) == [written]
    assert markdown(read_results(tmp_path)[0].figures) == markdown(found)


def test_the_table_that_a_person_reads() -> None:
    """Hours and what a rate divides by, a row each, a dash for what is not there, by noise, what false alarms were."""
    lines = markdown(figures([GOOD, DEAF], hours=2)).splitlines()
    assert lines[0].startswith("4 cries in 4 hours, and 4 hours without a cry. ")
    assert "an hour is one of all 8, with cries and without" in lines[0]
    assert "| false an hour, of all 8 |" in lines[2]
    rows = [line for line in lines if line.startswith(("| tiny", "| YAMNet"))]
    assert rows[0].startswith("| tiny | 3 of 5 windows at 0.8 | 75.0% (")
    assert rows[0].endswith("| 0.25 | 1.50 s | 1.95 s | 0.50 s | 0.95 s |")
    assert rows[1] == "| YAMNet | any window at 0.5 | 0.0% (0.0% to 0.0%) | 0.00 | - | - | - | - |"
    evening = next(line for line in lines if "evening" in line)
    assert "3 sounds a minute" in evening  # 180 an hour
    assert "holds 120, as many as 40 minutes of these: 0.2 false alarms an evening" in evening  # 0.25 * 120 / 180
    assert "| -15 to -5 | 2 | 50% | 0% |" in lines
    assert "| 0 to 5 | 1 | 1.50 s, 1.50 s | -, - |" in lines
    assert lines[-2:] == ["- tiny, 3 of 5 windows at 0.8: hen 1, laughing 1", "- YAMNet, any window at 0.5: none"]
