"""Episodes and crying minutes of the day: midnight, clock changes and restarts included."""

import json
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.alerts.today import Today
from service.storage.schemas import KeptCounts

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = BERLIN) -> float:
    """Wall time of a local time (Unix seconds)."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def told(today: Today, text: str, zone: ZoneInfo = BERLIN) -> tuple[str, int, float]:
    payload = today.of("nursery", at(text, zone))
    assert list(payload) == ["date", "episodes", "crying_min"]
    return payload["date"], payload["episodes"], payload["crying_min"]


def test_episodes_and_minutes_add_up_room_by_room() -> None:
    """What was cried, and what is cried so far; the other room knows nothing of it."""
    today = Today(BERLIN)
    assert told(today, "2026-11-22T08:00") == ("2026-11-22", 0, 0.0)
    today.started("nursery", at("2026-11-22T09:00"))
    assert told(today, "2026-11-22T09:01:30") == ("2026-11-22", 1, 1.5)
    today.ended("nursery", at("2026-11-22T09:00"), at("2026-11-22T09:03"))
    assert told(today, "2026-11-22T12:00") == ("2026-11-22", 1, 3.0)
    today.started("nursery", at("2026-11-22T13:00"))
    today.started("bedroom", at("2026-11-22T13:00"))
    today.ended("nursery", at("2026-11-22T13:00:00.004"), at("2026-11-22T13:01:30"))  # its start, told a little off
    assert told(today, "2026-11-22T14:00") == ("2026-11-22", 2, 4.5)
    assert today.of("bedroom", at("2026-11-22T13:00:30"))["crying_min"] == 0.5


def test_an_episode_over_midnight_counts_where_it_began_and_its_minutes_where_they_were_cried() -> None:
    """Ten minutes and one episode on the old day, five minutes and none on the new one."""
    today = Today(BERLIN)
    today.started("nursery", at("2026-11-22T23:50"))
    assert told(today, "2026-11-22T23:59:58") == ("2026-11-22", 1, 10.0)
    assert told(today, "2026-11-23T00:00") == ("2026-11-23", 0, 0.0)
    assert told(today, "2026-11-23T00:03") == ("2026-11-23", 0, 3.0)
    today.ended("nursery", at("2026-11-22T23:50"), at("2026-11-23T00:05"))
    assert told(today, "2026-11-23T07:00") == ("2026-11-23", 0, 5.0)
    assert told(today, "2026-11-24T07:00") == ("2026-11-24", 0, 0.0)


def test_told_after_midnight_of_a_cry_before_it() -> None:
    """A cry of 23:59 that is told at 00:00 takes nothing from the new day."""
    today = Today(BERLIN)
    assert told(today, "2026-11-23T00:00:01") == ("2026-11-23", 0, 0.0)
    today.started("nursery", at("2026-11-22T23:59:59"))
    assert told(today, "2026-11-23T00:00:01")[1] == 0
    assert told(today, "2026-11-22T23:59:59")[1] == 1


@pytest.mark.parametrize(
    ("zone", "first", "last", "day", "minutes"),
    [
        (BERLIN, "2026-03-29T00:00", "2026-03-30T00:00", "2026-03-29", 23 * 60.0),  # 02:00 to 03:00 does not exist
        (BERLIN, "2026-10-25T00:00", "2026-10-26T00:00", "2026-10-25", 25 * 60.0),  # 02:00 to 03:00 comes twice
        (BERLIN, "2026-10-25T01:00", "2026-10-25T04:00", "2026-10-25", 4 * 60.0),
        (ZoneInfo("Asia/Beirut"), "2026-03-28T23:00", "2026-03-29T02:00", "2026-03-29", 60.0),  # no midnight that day
    ],
)
def test_days_of_23_and_25_hours(zone: ZoneInfo, first: str, last: str, day: str, minutes: float) -> None:
    """Minutes are those that passed, not those between two readings of the clock on the wall."""
    today = Today(zone)
    today.started("nursery", at(first, zone))
    today.ended("nursery", at(first, zone), at(last, zone))
    assert told(today, f"{day}T23:30", zone)[0] == day
    assert told(today, f"{day}T23:30", zone)[2] == minutes


def test_the_counts_survive_a_restart_of_the_same_day_only() -> None:
    """Through JSON and back, an open episode included; on another day they are zero."""
    today = Today(BERLIN)
    today.ended("nursery", at("2026-11-22T09:00"), at("2026-11-22T09:03"))
    today.started("nursery", at("2026-11-22T10:00"))
    document = json.loads(json.dumps(today.dump()))
    loaded = Today(BERLIN, KeptCounts.model_validate(document))
    assert told(loaded, "2026-11-22T10:02") == ("2026-11-22", 2, 5.0)
    loaded.ended("nursery", at("2026-11-22T10:00"), at("2026-11-22T10:01"))
    assert told(loaded, "2026-11-22T18:00") == ("2026-11-22", 2, 4.0)
    assert told(loaded, "2026-11-23T18:00") == ("2026-11-23", 0, 0.0)
    assert told(Today(BERLIN, KeptCounts()), "2026-11-22T18:00") == ("2026-11-22", 0, 0.0)


@pytest.mark.parametrize("rooms", [3, {"nursery": 3}, {"nursery": [["x", 1]]}, {"nursery": [[1e300, None]]}])
def test_a_foreign_document_is_refused(rooms: object) -> None:
    """With a ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"rooms"):
        KeptCounts.model_validate({"rooms": rooms})


def test_a_start_without_an_end_ends_at_the_next_start() -> None:
    """A room cries in one episode at a time."""
    today = Today(BERLIN)
    today.started("nursery", at("2026-11-22T09:00"))
    today.started("nursery", at("2026-11-22T09:04"))
    today.ended("nursery", at("2026-11-22T09:04"), at("2026-11-22T09:05"))
    assert told(today, "2026-11-22T10:00") == ("2026-11-22", 2, 5.0)


def test_what_is_long_over_is_forgotten() -> None:
    """A year of hourly cries leaves those of the last 48 hours, and the newest."""
    today = Today(BERLIN)
    for hour in range(24 * 365):
        today.ended("nursery", 3600.0 * hour, 3600.0 * hour + 60)
    assert len(today.dump()["rooms"]["nursery"]) == 48 + 1


def test_without_a_zone_it_is_the_computers() -> None:
    """The day is the one that the computer's own clock shows."""
    now = datetime(2026, 11, 22, 12, tzinfo=UTC).timestamp()
    assert Today().of("nursery", now)["date"] == datetime.fromtimestamp(now).date().isoformat()  # noqa: DTZ006 - the point
