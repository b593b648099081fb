"""Phones without Home Assistant: told that a room is not heard and that it is again; once each, and never untruly."""

from dataclasses import dataclass, field
from typing import get_args

import pytest

from monitord.faults import Fault
from service.health.outage_notice import PATIENCE_S, OutageNotice
from service.messages.message import Node
from service.messages.texts import Texts, languages
from service.notify.notice import Notice, Severity
from tests.support.daemon.household_daemon import Clock


@dataclass
class Family:
    """One room that is looked at twice a second, and the phones."""

    clock: Clock
    notices: list[Notice] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.speak("en")

    def speak(self, language: str) -> None:
        """Begins anew in a language."""
        texts, tell = Texts.load(language), self.notices.append
        self.rooms = {
            source: OutageNotice.of_room(Node("home"), source, source.capitalize(), texts, tell)
            for source in ("nursery", "bedroom")
        }

    def poll(
        self, duration_s: float, *, heard: bool, wanted: bool = True, fault: Fault = "ok", source: str = "nursery"
    ) -> None:
        """Lets a room stand so for a while."""
        for _ in range(round(duration_s * 2)):
            self.rooms[source].poll(failing=not heard, wanted=wanted, fault=fault)
            self.clock.pass_by(0.5)
        self.rooms[source].poll(failing=not heard, wanted=wanted, fault=fault)

    @property
    def kinds(self) -> list[str]:
        """What phones were told."""
        return [notice.kind for notice in self.notices]


@pytest.fixture
def family(monkeypatch: pytest.MonkeyPatch) -> Family:
    return Family(Clock(monkeypatch))


def test_told_after_a_minute_and_when_it_is_over(family: Family) -> None:
    """Not before, not twice, and under one tag, so that a phone replaces the one by the other."""
    family.poll(10, heard=True)
    family.poll(PATIENCE_S - 1, heard=False, fault="stalled")
    assert family.kinds == []
    family.poll(3_630, heard=False, fault="stalled")
    assert family.kinds == ["not_hearing"]
    family.poll(60, heard=True)
    assert family.kinds == ["not_hearing", "hearing_again"]
    not_heard, again = family.notices
    assert not_heard.tag == again.tag == "monitord-home-nursery-hearing"
    assert not_heard.title == "Nursery: NOT HEARD"
    assert not_heard.message.startswith("No sound arrives. Not heard since ")
    assert not_heard.payload["fault"] == "stalled"
    assert again.title == "Nursery: heard again"
    assert again.message.startswith("It was not heard for 1 h 1 min, from ")
    assert again.payload["since"] == not_heard.payload["since"]
    assert not_heard.at - again.at == pytest.approx(-3_630, abs=5)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("fault", [fault for fault in get_args(Fault) if fault != "ok"])
def test_every_fault_is_told_to_phones(family: Family, fault: Fault, language: str) -> None:
    """Whatever is wrong, loudly and in its own words, in every language; and, quietly, that it is over."""
    family.speak(language)
    family.poll(PATIENCE_S + 1, heard=False, fault=fault)
    family.poll(1, heard=True)
    not_heard, again = family.notices
    assert (not_heard.kind, not_heard.severity) == ("not_hearing", Severity.CRITICAL)
    assert not_heard.message.startswith(dict(Texts.load(language).language.faults)[fault])
    assert not_heard.payload["fault"] == fault
    assert (again.kind, again.severity, again.closes) == ("hearing_again", Severity.INFO, True)
    assert again.supersedes(not_heard)


def test_a_short_break_is_not_told(family: Family) -> None:
    """A router that restarts twice wakes nobody; the minute begins anew each time."""
    for _ in range(3):
        family.poll(PATIENCE_S - 5, heard=False, fault="reconnecting")
        family.poll(1, heard=True)
    assert family.kinds == []


def test_each_outage_is_told(family: Family) -> None:
    """The second as well as the first."""
    for _ in range(2):
        family.poll(PATIENCE_S + 1, heard=False)
        family.poll(1, heard=True)
    assert family.kinds == ["not_hearing", "hearing_again"] * 2


def test_a_room_that_was_never_heard_is_told(family: Family) -> None:
    """From the start of the monitor on."""
    family.poll(PATIENCE_S + 1, heard=False, fault="auth_failed")
    assert family.kinds == ["not_hearing"]


def test_nobody_is_told_of_what_the_family_switched_off(family: Family) -> None:
    """Nor of a recording that has ended: silence from it is no news."""
    family.poll(3_600, heard=False, wanted=False)
    assert family.kinds == []


def test_to_switch_a_room_off_is_not_to_hear_it_again(family: Family) -> None:
    """It is never said of a room that is not heard; switched on and still not heard, it is told anew."""
    family.poll(PATIENCE_S + 1, heard=False)
    family.poll(60, heard=False, wanted=False)
    assert family.kinds == ["not_hearing"]
    family.poll(PATIENCE_S + 1, heard=False)
    assert family.kinds == ["not_hearing", "not_hearing"]
    family.poll(1, heard=True)
    assert family.kinds[-1] == "hearing_again"


def test_rooms_are_told_apart(family: Family) -> None:
    """Each with its own minute, words and tag."""
    family.poll(30, heard=False)
    family.poll(PATIENCE_S + 1, heard=False, source="bedroom")
    assert [notice.source for notice in family.notices] == ["bedroom"]
    family.poll(0, heard=False)
    assert [notice.source for notice in family.notices] == ["bedroom", "nursery"]
    assert len({notice.tag for notice in family.notices}) == 2


def flap(family: Family, duration_s: float) -> None:
    """The connection comes and goes: eight seconds heard, four not."""
    for _ in range(round(duration_s / 12)):
        for heard_s, heard, fault in ((8, True, "intermittent"), (4, False, "reconnecting")):
            for _ in range(heard_s * 2):
                family.rooms["nursery"].poll(failing=True, at_times=heard, fault=fault)  # type: ignore[arg-type]
                family.clock.pass_by(0.5)


def test_a_room_that_is_heard_badly_is_told(family: Family) -> None:
    """After a minute of it, once, in its own words; and when it is over."""
    flap(family, 48)
    assert family.kinds == []
    flap(family, 600)
    assert family.kinds == ["heard_badly"]
    badly = family.notices[0]
    assert (badly.title, badly.severity, badly.payload["fault"]) == (
        "Nursery: HEARD BADLY",
        Severity.CRITICAL,
        "intermittent",
    )
    assert "more than a tenth of the last five minutes" in badly.message
    family.poll(1, heard=True)
    assert family.kinds == ["heard_badly", "hearing_again"]
    assert family.notices[1].supersedes(badly)


def test_a_room_that_is_lost_after_it_was_heard_badly_is_told_too(family: Family) -> None:
    """That nothing is heard any more is worse, and not covered by the first notice."""
    flap(family, 120)
    family.poll(PATIENCE_S + 1, heard=False, fault="reconnecting")
    assert family.kinds == ["heard_badly", "not_hearing"]
    family.poll(1, heard=True)
    assert family.kinds[-1] == "hearing_again"
