"""Who is woken by an episode, answers it, is reminded of it, and puts it off."""

import numpy as np
import pytest

from service.messages import commands
from tests.support.daemon.household_daemon import FAR, HOLD, NEAR, QUIET, Clock, House, both
from tests.support.sound.sounds import silence

ROOMS = ("nursery", "bedroom")


def test_a_phone_makes_a_noise_for_news_that_asks_for_it(house: House, clock: Clock) -> None:
    """`started` and `escalated` do; a reason, an answer and the end do not, nor anything once it is answered."""
    house.hear_all(both(np.concatenate([QUIET, NEAR, QUIET]), silence(4.0)))
    clock.pass_by(181)
    house.worker.round()
    house.command(commands.Acknowledge("nursery", None))
    house.hear_all(both(HOLD, HOLD))
    assert [(event["event_type"], event["alert"]) for event in house.told("nursery")] == [
        ("started", True),
        ("reason", False),
        ("escalated", True),
        ("acknowledged", False),
        ("ended", False),
    ]


@pytest.mark.parametrize("by", ["id", "telling room", "other room"])
def test_an_answer_counts_for_the_whole_house(house: House, by: str) -> None:
    """By episode id, from the room that tells it or from one that hears it too: all states and attributes say so."""
    house.hear_all(both(np.concatenate([QUIET, NEAR]), np.concatenate([QUIET, FAR])))
    episode = house.told("nursery")[0]["episode"]
    given = {
        "id": commands.Acknowledge("bedroom", episode),
        "telling room": commands.Acknowledge("nursery", None),
        "other room": commands.Acknowledge("bedroom", None),
    }[by]
    house.command(given, given)
    assert house.events("nursery").count("acknowledged") == 1
    assert house.told("bedroom") == []
    for room in ROOMS:
        assert house.last(f"{room}/state")["acknowledged"] is True
        assert house.last(f"{room}/episode")["acknowledged"] is True
    house.hear_all(both(HOLD, HOLD))
    assert [house.last(f"{room}/state")["acknowledged"] for room in ROOMS] == [False, False]


@pytest.mark.parametrize(("profile", "minutes"), [("day", 3), ("night", 1)])
def test_a_parent_who_does_not_answer_is_reminded(house: House, clock: Clock, profile: str, minutes: int) -> None:
    """After the profile's minutes and again after as many, each time with how long it has been; never once answered."""
    house.command(commands.SetProfile("nursery", profile))
    house.hear(QUIET, NEAR, QUIET)
    for _ in range(2):
        clock.pass_by(60 * minutes - 10)
        house.worker.round()
        clock.pass_by(11)
        house.worker.round()
    house.command(commands.Acknowledge("nursery", None))
    clock.pass_by(3_600)
    house.worker.round()
    told = house.told("nursery")
    assert [event["event_type"] for event in told] == ["started", "reason", "escalated", "escalated", "acknowledged"]
    lasted = [event["unacknowledged_s"] for event in told]
    assert lasted[0] == lasted[4] == 0
    assert lasted[2] == pytest.approx(60 * minutes + 1, abs=8)
    assert lasted[3] == pytest.approx(120 * minutes + 2, abs=8)
    assert told[2]["text"]["message"].startswith(f"Nobody has answered for {minutes} min.")


def test_a_silent_room_reminds_nobody(house: House, clock: Clock) -> None:
    """It tells all the same, without a noise."""
    house.command(commands.SetProfile("nursery", "silent"))
    house.hear(QUIET, NEAR, QUIET)
    clock.pass_by(3_600)
    house.worker.round()
    assert house.events("nursery") == ["started", "reason"]
    assert [event["alert"] for event in house.told("nursery")] == [False, False]


def test_what_begins_in_a_snooze_makes_no_noise(house: House, clock: Clock) -> None:
    """It is acknowledged before it is told, and not reminded of while the snooze lasts."""
    house.command(commands.Snooze("nursery", 10))
    house.hear(QUIET, NEAR, QUIET)
    clock.pass_by(500)
    house.worker.round()
    assert [(event["event_type"], event["alert"]) for event in house.told("nursery")] == [
        ("started", False),
        ("acknowledged", False),
        ("reason", False),
    ]
    assert house.told("nursery")[1]["snoozed_until"] == house.last("nursery/settings")["snoozed_until"]
    assert all(state["acknowledged"] for state in house.of("nursery/state") if state["crying"])


def test_a_snooze_is_over_by_itself_and_what_still_cries_is_told_again(house: House, clock: Clock) -> None:
    """The settings say until when, and null after it; an episode that was put off alarms then."""
    house.hear(QUIET, NEAR, QUIET)
    house.command(commands.Snooze("nursery", 10))
    assert house.last("nursery/settings")["snoozed_until"] is not None
    assert house.last("nursery/state")["acknowledged"] is True
    before = len(house.told("nursery"))
    clock.pass_by(590)
    house.worker.round()
    assert len(house.told("nursery")) == before
    clock.pass_by(11)
    house.worker.round()
    house.worker.round()
    assert house.last("nursery/settings")["snoozed_until"] is None
    assert house.last("nursery/state")["acknowledged"] is False
    again = house.told("nursery")[before:]
    assert [(event["event_type"], event["alert"]) for event in again] == [("escalated", True)]
    assert again[0]["unacknowledged_s"] > 600


def test_a_snooze_that_a_quiet_room_asked_for_is_over_for_the_others_too(house: House, clock: Clock) -> None:
    """Whoever put the episode off, it is told again where it still cries."""
    house.hear_all(both(np.concatenate([QUIET, NEAR]), np.concatenate([QUIET, FAR])))
    house.command(commands.Snooze("nursery", 10))
    for _ in range(6):
        house.hear_all(both(np.concatenate([QUIET, QUIET]), FAR))
    assert house.last("nursery/state")["crying"] is False
    clock.pass_by(601)
    house.worker.round()
    again = house.told("nursery")[-1]
    assert (again["event_type"], again["alert"]) == ("escalated", True)


def test_an_answer_counts_more_than_a_snooze(house: House, clock: Clock) -> None:
    """Put off on one phone, answered on another: that is told, and nobody is alarmed when the snooze is over."""
    house.hear(QUIET, NEAR, QUIET)
    house.command(commands.Snooze("nursery", 10), commands.Acknowledge("nursery", None))
    assert house.told("nursery")[-1]["text"]["title"] == "Nursery: somebody is going"
    before = len(house.told("nursery"))
    clock.pass_by(601)
    house.worker.round()
    assert len(house.told("nursery")) == before
    assert house.last("nursery/state")["acknowledged"] is True


def test_home_assistant_that_started_is_told_what_nobody_answered(house: House) -> None:
    """An event that was told while it was away is lost to it; what somebody has answered is not told again."""
    house.hear(QUIET, NEAR)
    house.command(commands.TellAgain())
    assert house.events()[-1] == "escalated"
    house.command(commands.Acknowledge("room", None))
    told = len(house.of("room/event"))
    house.command(commands.TellAgain())
    assert len(house.of("room/event")) == told
