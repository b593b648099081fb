"""The daily test alarm: at the family's local time, once, and never in the night to make up for a late start."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from model.classifier import Classifier
from service.config import Config
from service.messages import commands
from tests.support.daemon.household_daemon import QUIET, Clock, House
from tests.support.time_zone import time_zone

BERLIN = ZoneInfo("Europe/Berlin")
DUE = dt.datetime(2026, 11, 22, 19, 0, tzinfo=BERLIN)
CONFIG = Config.model_validate({"test_alarm": {"daily_at": "19:00"}})


@pytest.fixture(autouse=True)
def _in_berlin() -> Iterator[None]:
    with time_zone("Europe/Berlin"):
        yield


class Day:
    """A house with a daily test, and what time it is there."""

    def __init__(self, house: House, clock: Clock) -> None:
        self.house, self._clock = house, clock

    def at(self, now: dt.datetime) -> None:
        """Lets the worker look at the clock, as it does after each round."""
        self._clock.pass_by(now.timestamp() - self._clock.now())
        self.house.reporter._test_alarms._test_daily(now.timestamp())

    @property
    def tests(self) -> int:
        """How many tests have begun."""
        return sum(proof["state"] == "running" and proof["heard_ms"] is None for proof in self.house.of("room/proof"))

    def hear(self) -> None:
        """Lets the test that runs be proven, on a stream that comes in 2 s late."""
        self.house.clock = self._clock.now() - 2.0 - self.house.channels["room"].inbox.tally().captured / 16_000
        self.house.hear(QUIET, QUIET, QUIET)
        self.house.echo()
        assert self.house.last("room/proof")["state"] == "proven"


@pytest.fixture
def day(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Day:
    return Day(House(classifier, tmp_path, config=CONFIG), Clock(monkeypatch))


def test_it_begins_when_it_is_due_and_once(day: Day) -> None:
    """Not a second before; and not again that day, although the first sample may have been captured before 19:00."""
    day.at(DUE - dt.timedelta(seconds=1))
    assert day.tests == 0
    day.at(DUE + dt.timedelta(seconds=0.5))
    day.at(DUE + dt.timedelta(seconds=0.6))
    assert day.tests == 1
    day.hear()
    for minute in range(1, 300):
        day.at(DUE + dt.timedelta(minutes=minute))
    assert day.tests == 1


def test_it_comes_again_the_next_day(day: Day) -> None:
    """At the same local time."""
    for days in range(3):
        day.at(DUE + dt.timedelta(days=days))
        assert day.tests == days + 1
        day.hear()


def test_it_keeps_to_the_clock_on_the_wall(day: Day) -> None:
    """The day after the clocks changed it is due at 19:00, and not an hour earlier or later."""
    summer = dt.datetime(2026, 10, 24, 19, 0, tzinfo=BERLIN)
    day.at(summer)
    day.hear()
    day.at(summer.astimezone(dt.UTC).astimezone(BERLIN) + dt.timedelta(hours=23))  # 18:00 on the wall
    assert day.tests == 1
    day.at(dt.datetime(2026, 10, 25, 19, 0, tzinfo=BERLIN))
    assert day.tests == 2


@pytest.mark.parametrize(("minutes", "begins"), [(9, 1), (10, 0), (60 * 4, 0)])
def test_a_late_start_makes_up_for_it_in_ten_minutes_only(day: Day, minutes: int, begins: int) -> None:
    """A daemon that starts in the night wakes nobody."""
    day.at(DUE + dt.timedelta(minutes=minutes))
    assert day.tests == begins


def test_a_test_by_hand_of_an_earlier_hour_does_not_count(day: Day) -> None:
    """It proves nothing of the evening."""
    day.at(DUE - dt.timedelta(hours=2))
    day.house.command(commands.TestAlarm("room"))
    day.hear()
    assert day.tests == 1
    day.at(DUE)
    assert day.tests == 2


def test_a_new_run_does_not_test_again(day: Day, classifier: Classifier, tmp_path: Path) -> None:
    """What was tested today is kept, also where the monitor was restarted in those ten minutes."""
    day.at(DUE)
    day.hear()
    day.house = House(classifier, tmp_path, config=CONFIG)
    day.at(DUE + dt.timedelta(minutes=5))
    assert day.tests == 0


def test_without_a_time_it_never_comes(classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only when somebody asks."""
    day = Day(House(classifier, tmp_path), Clock(monkeypatch))
    for hour in range(24):
        day.at(DUE + dt.timedelta(hours=hour))
    assert day.tests == 0


def test_the_worker_looks_at_the_local_clock(classifier: Classifier, tmp_path: Path) -> None:
    """With a time that is now, in the computer's own zone, the next round begins the test."""
    now = dt.datetime.now().astimezone()
    config = Config.model_validate({"test_alarm": {"daily_at": f"{now:%H:%M}"}})
    house = House(classifier, tmp_path, config=config)
    house.worker.round()
    assert house.last("room/proof")["state"] == "running"


def test_a_room_that_is_switched_off_is_not_tested(day: Day) -> None:
    """Not at its time; and on again within the ten minutes, it is."""
    day.house.command(commands.SetEnabled("room", enabled=False))
    day.at(DUE)
    assert day.tests == 0
    day.house.command(commands.SetEnabled("room", enabled=True))
    day.at(DUE + dt.timedelta(minutes=2))
    assert day.tests == 1


@pytest.mark.parametrize(
    "midnight",
    [
        dt.datetime(2026, 10, 24, 22, 0, tzinfo=dt.UTC),  # 02:30 comes twice
        dt.datetime(2027, 3, 27, 23, 0, tzinfo=dt.UTC),  # 02:30 does not come
        dt.datetime(2027, 3, 28, 22, 0, tzinfo=dt.UTC),  # the day after
    ],
)
def test_a_night_of_a_clock_change_has_one_test(
    classifier: Classifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, midnight: dt.datetime
) -> None:
    """Neither none nor two, at a time of day that comes twice or not at all."""
    config = Config.model_validate({"test_alarm": {"daily_at": "02:30"}})
    day = Day(House(classifier, tmp_path, config=config), Clock(monkeypatch))
    for minute in range(0, 300, 2):
        day.at(midnight + dt.timedelta(minutes=minute))
        if day.house.reporter._test_alarms._asked_at:
            day.hear()
    assert day.tests == 1
