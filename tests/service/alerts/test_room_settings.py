"""What a family sets for each room: kept, checked, by profile, and no business of the other rooms."""

import json
from pathlib import Path

import pytest

from service.alerts.room_settings import Settings
from service.settings.profiles import PROFILES, ProfilesConfig
from service.storage.documents import DocumentStore

CONFIG = ProfilesConfig.model_validate({"night": {"threshold": 0.4, "remind_after_min": 0.5}})


def settings(folder: Path, *sources: str) -> Settings:
    return Settings(DocumentStore(folder), sources or ("nursery", "bedroom"), CONFIG)


def test_a_room_begins_by_day_and_on(tmp_path: Path) -> None:
    """With the bundle's threshold and no snooze; nothing is written before anything is set."""
    room = settings(tmp_path)
    assert (room.of("nursery").enabled, room.of("nursery").profile) == (True, "day")
    assert room.threshold("nursery") is None
    assert room.snoozed_until("nursery", 0.0) is None
    assert list(tmp_path.iterdir()) == []


def test_hard_crying_halves_the_wait_where_the_profile_says_so(tmp_path: Path) -> None:
    """By day it is off, as shipped; a profile without reminders has none in either case."""
    profiles = ProfilesConfig.model_validate(
        {"night": {"remind_after_min": 3, "escalate_when_hard": True}, "silent": {"escalate_when_hard": True}}
    )
    room = Settings(DocumentStore(tmp_path), ["nursery"], profiles)
    seen = []
    for profile in PROFILES:
        room.change("nursery", profile=profile)
        seen.append([room.remind_after_s("nursery", hard=hard) for hard in (False, True)])
    assert seen == [[180, 180], [180, 90], [None, None]]


def test_each_profile_has_a_threshold_of_its_own(tmp_path: Path) -> None:
    """The family's, else the configuration's, else the bundle's; other rooms keep theirs."""
    room = settings(tmp_path)
    seen = []
    for profile in PROFILES:
        room.change("nursery", profile=profile)
        seen.append(room.threshold("nursery"))
    assert seen == [None, 0.4, None]
    room.change("nursery", profile="night")
    room.set_threshold("nursery", 0.6)
    assert room.threshold("nursery") == settings(tmp_path).threshold("nursery") == 0.6
    room.change("nursery", profile="day")
    assert room.threshold("nursery") is None
    assert room.threshold("bedroom") is None


def test_reminders_follow_the_profile(tmp_path: Path) -> None:
    """In seconds; never in a room that wakes nobody."""
    room = settings(tmp_path)
    seen = []
    for profile in PROFILES:
        room.change("nursery", profile=profile)
        seen.append(room.remind_after_s("nursery"))
    assert seen == [180.0, 30.0, None]


def test_a_snooze_is_over_at_its_end(tmp_path: Path) -> None:
    """To the moment, and after a restart too."""
    settings(tmp_path).change("nursery", snoozed_until=1_000.0)
    room = settings(tmp_path)
    assert room.snoozed_until("nursery", 999.9) == 1_000.0
    assert room.snoozed_until("nursery", 1_000.0) is None
    assert room.snoozed_until("bedroom", 999.9) is None


def test_a_tuning_is_undone_to_what_was_before(tmp_path: Path) -> None:
    """Also after a restart, in the profile in which it was made, and where the family had chosen no threshold."""
    room = settings(tmp_path)
    room.change("nursery", profile="night")
    room.tune("nursery", 12.0, 0.7)
    room = settings(tmp_path)
    assert (room.of("nursery").gain_db, room.threshold("nursery")) == (12.0, 0.7)
    assert room.of("bedroom").gain_db == 0.0
    room.change("nursery", profile="day")
    room.set_threshold("nursery", 0.55)
    room.undo_tuning("nursery")
    assert (room.of("nursery").gain_db, room.threshold("nursery"), room.of("nursery").before) == (0.0, 0.55, None)
    room.change("nursery", profile="night")
    assert room.threshold("nursery") == 0.4  # the configuration's again, and not a copy of it
    room.set_threshold("nursery", 0.5)
    room.tune("nursery", None, 0.8)
    room.undo_tuning("nursery")
    room.undo_tuning("nursery")  # nothing is left to undo
    assert room.threshold("nursery") == settings(tmp_path).threshold("nursery") == 0.5


@pytest.mark.parametrize(
    "values",
    [{"profile": "loud"}, {"profile": "days"}, {"thresholds": {"day": 1.0}}, {"thresholds": {"day": 0.0}}, {"no": 1}],
)
def test_what_is_not_allowed_changes_nothing(tmp_path: Path, values: dict[str, object]) -> None:
    """With a ValueError; neither in memory nor on disk."""
    room = settings(tmp_path)
    room.change("nursery", profile="night")
    before = (tmp_path / "settings.json").read_text()
    with pytest.raises(ValueError, match=r"profile|thresholds|no"):
        room.change("nursery", **values)
    assert room.of("nursery").profile == "night"
    assert room.threshold("nursery") == 0.4
    assert (tmp_path / "settings.json").read_text() == before


def test_rooms_that_are_not_configured_are_kept(tmp_path: Path) -> None:
    """Whatever the rooms of this run set."""
    settings(tmp_path).change("bedroom", profile="silent")
    settings(tmp_path, "nursery").change("nursery", enabled=False)
    room = settings(tmp_path)
    assert (room.of("nursery").enabled, room.of("bedroom").profile) == (False, "silent")


@pytest.mark.parametrize("kept", [3, None, {"profile": "loud"}, {"thresholds": {"day": 7}}, {"snoozed_until": "soon"}])
def test_a_room_whose_kept_settings_make_no_sense_begins_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, kept: object
) -> None:
    """That room alone, and it is said so."""
    (tmp_path / "settings.json").write_text(json.dumps({"nursery": kept, "bedroom": {"enabled": False}}))
    room = settings(tmp_path)
    assert room.of("nursery").profile == "day"
    assert room.of("bedroom").enabled is False
    assert "'nursery': " in caplog.text
    (aside,) = tmp_path.glob("settings.json.broken-*")
    assert json.loads(aside.read_text())["nursery"] == kept
    assert settings(tmp_path).of("bedroom").enabled is False  # for good
