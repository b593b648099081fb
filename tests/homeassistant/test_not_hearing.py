"""The alarm that nobody hears, in a real Home Assistant: told once, with the room, and its end too."""

from collections.abc import Iterator

import pytest

from tests.support.homeassistant.family import (
    GARDEN,
    HEALTHY,
    SIGNALS,
    SOLD,
    Family,
    all_well,
)
from tests.support.servers.mosquitto import until

pytestmark = [pytest.mark.homeassistant, pytest.mark.usefixtures("quiet_phones")]


NOT_HEARING = f"monitord_not_hearing_{HEALTHY}"


@pytest.fixture
def watched(family: Family) -> Iterator[Family]:
    """The family with *not hearing* installed too, over two seconds, in German; all is well."""
    all_well(family)
    automation = family.home.install(
        GARDEN / "not_hearing.yaml",
        "Not hearing",
        monitoring=HEALTHY,
        signals=SIGNALS,
        phones=[family.anna.action, SOLD, family.ben.action],
        after_s=2,
        language="de",
    )
    # It clears what may be left of a time before it.
    until(lambda: [phone.pushes[-1:] != [] for phone in family.phones] == [True, True, False])
    for phone in family.phones:
        phone.forget()
    yield family
    family.home.remove(automation)
    all_well(family)


def test_a_monitor_that_is_away_is_told_once_and_its_return_too(watched: Family) -> None:
    """The last will makes it unavailable: one loud push on each phone; then one quiet one in its place."""
    watched.monitor.say("monitord/home/status", "offline", retain=True)
    watched.until_shown(NOT_HEARING, watched.anna, watched.ben)
    push = watched.anna.shows()[NOT_HEARING]
    assert push["title"] == "Das Babyfon hört nichts!"
    assert push["message"] == "Der Monitor antwortet nicht. Niemand hört zu."
    assert push["data"]["push"]["sound"] == {"name": "default", "critical": 1, "volume": 1.0}
    assert push["data"]["priority"] == "high"
    all_well(watched)
    until(
        lambda: [phone.shows()[NOT_HEARING]["title"] for phone in watched.phones[:2]] == ["Das Babyfon hört wieder"] * 2
    )
    assert [len(phone.pushes) for phone in watched.phones] == [2, 2, 0]
    assert "critical" not in str(watched.anna.shows()[NOT_HEARING]["data"])


def test_each_room_that_falls_silent_is_named(watched: Family) -> None:
    """One, then the other; both again is one push."""
    watched.monitor.signal("nursery", heard=False)
    watched.monitor.heartbeat(heard=1)
    until(lambda: [push["message"] for push in watched.anna.pushes] == ["Kein Ton aus: Nursery."])
    watched.monitor.signal("bedroom", heard=False)
    watched.monitor.heartbeat(heard=0)
    until(lambda: len(watched.anna.pushes) == 2)
    assert watched.anna.pushes[1]["message"] == "Kein Ton aus: Nursery, Bedroom."
    all_well(watched)
    until(lambda: watched.anna.shows()[NOT_HEARING]["title"] == "Das Babyfon hört wieder")
    assert len(watched.anna.pushes) == 3


def test_a_room_that_was_switched_off_is_not_missed(watched: Family) -> None:
    """Its signal is off by will, also while the heartbeat counts it; another room is missed all the same."""
    watched.monitor.settings("bedroom", enabled=False)
    watched.home.expect("switch.bedroom_listening", "off")
    watched.monitor.signal("bedroom", heard=False)
    watched.monitor.heartbeat(heard=1)
    watched.home.expect(SIGNALS[1], "off")
    watched.home.expect(HEALTHY, "off")
    watched.monitor.signal("nursery", heard=False)
    until(lambda: [push["message"] for push in watched.anna.pushes] == ["Kein Ton aus: Nursery."])


def test_a_house_that_was_switched_off_is_not_missed(watched: Family) -> None:
    """All rooms off by will; the first that is wanted again, and not heard, rings."""
    for room in ("nursery", "bedroom"):
        watched.monitor.settings(room, enabled=False)
        watched.home.expect(f"switch.{room}_listening", "off")
        watched.monitor.signal(room, heard=False)
    watched.monitor.heartbeat(heard=0, of=0)
    watched.home.expect(HEALTHY, "off")
    watched.monitor.settings("nursery")
    watched.monitor.heartbeat(heard=0, of=1)
    until(lambda: [push["message"] for push in watched.anna.pushes] == ["Kein Ton aus: Nursery."])


def test_without_signals_the_monitor_alone_decides(family: Family) -> None:
    """The push cannot name the room then, and is in English where no language was chosen."""
    all_well(family)
    automation = family.home.install(
        GARDEN / "not_hearing.yaml", "Simple", monitoring=HEALTHY, phones=[family.ben.action], after_s=1
    )
    try:
        family.monitor.heartbeat(heard=1)
        family.until_shown(NOT_HEARING, family.ben)
        push = family.ben.shows()[NOT_HEARING]
        assert (push["title"], push["message"]) == ("Baby monitor is not hearing!", "A room gives no sound.")
    finally:
        family.home.remove(automation)


def test_a_hiccup_is_not_told(watched: Family) -> None:
    """A room that comes back before the time is over; the push that follows is of another room."""
    watched.monitor.signal("nursery", heard=False)
    watched.home.expect(SIGNALS[0], "off")
    watched.monitor.signal("nursery", heard=True)
    watched.home.expect(SIGNALS[0], "on")
    watched.monitor.signal("bedroom", heard=False)
    until(lambda: bool(watched.anna.pushes))
    assert [push["message"] for push in watched.anna.pushes] == ["Kein Ton aus: Bedroom."]


def test_a_home_assistant_that_starts_beside_a_dead_monitor_tells_it_once(watched: Family) -> None:
    """Nothing changes then, and yet it rings; and tells the return."""
    watched.home.stop()
    watched.monitor.say("monitord/home/status", "offline", retain=True)
    watched.home.start()
    watched.until_shown(NOT_HEARING, watched.anna, watched.ben)
    all_well(watched)
    until(lambda: watched.anna.shows()[NOT_HEARING]["title"] == "Das Babyfon hört wieder")
    assert watched.rang(watched.anna) == [NOT_HEARING] * 2


def test_a_restart_beside_a_living_monitor_takes_an_old_alarm_away(watched: Family) -> None:
    """It was told before the restart, and it heard again during it."""
    watched.monitor.say("monitord/home/status", "offline", retain=True)
    watched.until_shown(NOT_HEARING, watched.anna, watched.ben)
    watched.home.stop()
    watched.monitor.begin()
    watched.home.start()
    all_well(watched)
    watched.until_gone(NOT_HEARING)
