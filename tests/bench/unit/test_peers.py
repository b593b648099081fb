"""The bench's table of peers."""

import pytest

from tests.bench.peers.table import COLUMNS, Round, ratio, spread, table

NAMES = {"ours": "ours", "theirs": "theirs", "absent": "absent"}


def _round(cpu_s: float, windows: float, alert_s: tuple[float | None, ...] = ()) -> Round:
    sounds = ("quiet", "noisy", "crying")
    return Round(dict.fromkeys(sounds, cpu_s), dict.fromkeys(sounds, windows), 50.0 * cpu_s, 1.0, alert_s)


ROUNDS = {
    "ours": [_round(1.0, 250.0, (0.9, 1.1)), _round(10.0, 250.0, (0.9, None))],
    "theirs": [_round(2.0, 60.0), _round(20.0, 60.0)],
}


def test_ratio_is_taken_round_by_round() -> None:
    """A machine ten times as slow in the second round slows both: twice stays twice."""
    assert ratio(ROUNDS, "theirs", COLUMNS["CPU s, noisy"]) == pytest.approx(2.0)


def test_table_names_ratio_windows_and_missed_cries() -> None:
    """The peer's cell carries the ratio, ours the cries it found; a system that was left out has no row."""
    text = table(NAMES, ROUNDS)
    ours, theirs = text.splitlines()[2:]
    assert "11.0 (2x)" in theirs
    assert "0.900 (3 of 4)" in ours
    assert "absent" not in text


def test_spread_names_least_and_most() -> None:
    """Both ends of what was measured."""
    assert "2.00 to 20.0" in spread(NAMES, ROUNDS)


def test_windows_per_second_need_windows() -> None:
    """A room in which nothing was scored, or a system that does not count, has no such figure."""
    assert _round(2.0, 60.0).windows_per_s == pytest.approx(30.0)
    assert _round(2.0, 0.0).windows_per_s is None
