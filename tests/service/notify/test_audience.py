"""Who is told what: by severity, by room, and the end of whatever was told."""

from dataclasses import replace

import pytest

from service.messages.texts import Kind
from service.notify.channel import Audience
from service.notify.notice import Severity, severity_of
from service.notify.waiting import Counts
from tests.support.servers.told_house import House, notice

ALL: list[Kind] = ["started", "reason", "escalated", "acknowledged", "ended", "test", "not_hearing", "hearing_again"]


@pytest.mark.parametrize(
    ("severity", "silent", "expected"),
    [
        (Severity.INFO, False, ALL),
        # The end of an alarm goes to whoever had the alarm; a reason alone is no reason to wake anybody.
        (Severity.WARNING, False, [kind for kind in ALL if kind != "reason"]),
        (Severity.CRITICAL, False, ["escalated", "acknowledged", "ended", "test", "not_hearing", "hearing_again"]),
        (Severity.WARNING, True, ["test", "not_hearing", "hearing_again"]),
        (Severity.CRITICAL, True, ["test", "not_hearing", "hearing_again"]),
    ],
)
def test_each_channel_gets_its_severity(severity: Severity, expected: list[Kind], *, silent: bool) -> None:
    """The least that it gets, a test always, and the end of whatever it got."""
    tags: dict[Kind, str] = {"test": "test-1", "not_hearing": "nursery-silent", "hearing_again": "nursery-silent"}
    got = []
    for kind in ALL:
        house = House("http://127.0.0.1:9/", Audience("house", severity))  # never started: what is told stays
        for before in ALL[: ALL.index(kind) + 1]:
            told_now = replace(
                notice(before, tags.get(before, "nursery-1")), severity=severity_of(before, alert=not silent)
            )
            told = house.counts.told
            house.notifier.tell(told_now)
        if house.counts.told > told:
            got.append(kind)
    assert got == expected


def test_an_end_without_its_alarm_is_not_told() -> None:
    """Who slept through a silent night reads nothing of it in the morning."""
    house = House("http://127.0.0.1:9/", Audience("house", Severity.CRITICAL))
    house.notifier.tell(notice("started"))
    house.notifier.tell(notice("ended"))
    assert house.counts == Counts()


def test_what_is_about_the_house_goes_to_every_room() -> None:
    """A channel of one room is told of the disk, too."""
    house = House("http://127.0.0.1:9/", Audience("house", Severity.WARNING, frozenset({"bedroom"})))
    house.notifier.tell(notice("not_saving", source=""))
    assert house.counts.told == 1


def test_rooms_choose() -> None:
    """A channel of one room gets what that room hears, also when the louder room tells it."""
    house = House("http://127.0.0.1:9/", Audience("house", Severity.INFO, frozenset({"bedroom"})))
    house.notifier.tell(notice("started", "a", source="nursery"))
    assert house.counts.told == 0
    house.notifier.tell(notice("started", "b", source="bedroom"))
    house.notifier.tell(notice("started", "c", source="nursery", rooms=["nursery", "bedroom"]))
    assert house.counts.told == 2
