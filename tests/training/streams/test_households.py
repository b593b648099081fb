"""Homes: each kind by itself, by the daemon's own rule, and what they come to in a day."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from model.bundle import load_bundle
from tests.support.training.halves import both_halves
from tests.support.training.prepared import prepared_from
from training.streams import households
from training.streams.false_alarms import Episodes
from training.streams.households import HOUSEHOLDS, Household, figures, judge_households, markdown
from training.streams.mixing import StreamParams


def test_a_day_has_24_hours() -> None:
    """Whatever they are spent on."""
    assert sum(household.hours_a_day for household in HOUSEHOLDS.values()) + 0.0 == 24.0


def test_a_day_is_the_sum_of_its_hours() -> None:
    """One false alarm in four hours of nights, eleven of which are a day's, and none else: 2.75."""
    night = Episodes(4.0, (True, False), (3.0, 4.0), (1.2, None), 1, Counter({"cat": 1}))
    calm = Episodes(4.0, (True,), (3.0,), (1.0,))
    found = figures({"quiet night": night, "day with a cat": calm})
    assert found["false_a_day"] == 2.75
    assert found["sounds_a_day"] == 11 * 12 + 5 * 60  # one in five minutes of the night, one a minute of the day
    lines = markdown(found).splitlines()
    assert lines[2] == "| quiet night | 0.2 | 4 | 2 | 50.0% | 0.25 | 1.20 s | 1.20 s | cat 1 | 11 | 2.8 |"
    assert lines[3] == "| day with a cat | 1 | 4 | 1 | 100.0% | 0.00 | 1.00 s | 1.00 s | - | 5 | 0.0 |"
    assert lines[-1].startswith("False alarms in a day of these 16 hours: 2.8. Such a day has 432 sounds")
    assert "have 180 an hour, so 2.4 hours of them hold a day's sounds" in lines[-1]


def test_every_kind_of_home_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both halves, with cries and without, for so many hours; minutes here."""
    brief = StreamParams(length_s=36.0, cry_every_s=(6.0, 8.0), every_s=4.0)
    homes = {name: Household(replace(brief, every_s=3.0 + i), 12.0) for i, name in enumerate(("one", "two"))}
    monkeypatch.setattr(households, "HOUSEHOLDS", homes)
    judged = judge_households(prepared_from(tmp_path, both_halves()), load_bundle(), 1)
    assert list(judged) == ["one", "two"]
    assert all(counts.hours == pytest.approx(4 * 36 / 3600) for counts in judged.values())
    assert all(len(counts.found) >= 4 for counts in judged.values())
