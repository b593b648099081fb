"""The cry alert in a real Home Assistant: the right push on the right phone, taps, taking away, restarts."""

import pytest

from tests.support.homeassistant.family import EVENTS, GARDEN, SOLD, Family, beat_until_heard
from tests.support.servers.mosquitto import until

pytestmark = [pytest.mark.homeassistant, pytest.mark.usefixtures("quiet_phones")]


def test_a_cry_is_a_push_that_makes_a_noise_on_both_kinds_of_phone(family: Family) -> None:
    """The first parent's phone gets title, message, tag, buttons and what iOS and Android need to ring."""
    episode = family.monitor.new_episode()
    family.monitor.event("started", episode)
    family.until_shown(episode, family.anna)
    push = family.anna.shows()[episode]
    assert push["title"] == "Nursery: crying"
    assert push["message"] == "Since 19:02."
    data = push["data"]
    assert data["push"] == {
        "sound": {"name": "default", "critical": 1, "volume": 1.0},
        "interruption-level": "critical",
    }
    assert (data["ttl"], data["priority"], data["channel"]) == (0, "high", "Baby cries 1")
    assert data["actions"] == [
        {"action": f"monitord:going:home:nursery:{episode}:1", "title": "I'm going"},
        {"action": f"monitord:snooze:home:nursery:{episode}:1", "title": "Snooze"},
    ]
    assert family.told(episode) == [True, False, False]


def test_nobody_answers_and_the_second_parent_is_told(family: Family) -> None:
    """An escalation long before the minutes are over rings at the first parent alone, one at their end at both."""
    episode = family.monitor.new_episode()
    family.monitor.event("started", episode)
    family.monitor.event("escalated", episode, unacknowledged_s=120)
    until(lambda: len(family.anna.pushes) == 2)
    assert family.told(episode) == [True, False, False]
    family.monitor.event("escalated", episode, unacknowledged_s=178)
    family.until_shown(episode, *family.phones)
    assert family.ben.shows()[episode]["data"]["priority"] == "high"
    assert len(family.anna.shows()) == 1


def test_a_tap_on_going_tells_the_monitor_which_episode(family: Family) -> None:
    """The episode's id goes to the room that tells it, and who goes: the person whose user the phone's is."""
    episode = family.monitor.new_episode("bedroom")
    family.monitor.event("started", episode)
    family.until_shown(episode, family.anna)
    family.anna.tap_button(episode, "I'm going")
    until(lambda: family.commands("bedroom", "ack") == [f"{episode} {family.person}"])


def test_a_tap_of_a_user_who_is_no_person_says_only_that_somebody_goes(family: Family) -> None:
    """As of a tablet on the wall, or where Home Assistant knows no people."""
    (person,) = family.home.command("person/list")["storage"]
    family.home.command("person/update", person_id=person["id"], user_id=None)
    try:
        episode = family.monitor.new_episode()
        family.monitor.event("started", episode)
        family.until_shown(episode, family.anna)
        family.anna.tap_button(episode, "I'm going")
        until(lambda: family.commands("nursery", "ack") == [episode])
    finally:
        family.home.command("person/update", person_id=person["id"], user_id=person["user_id"])


def test_a_tap_on_snooze_tells_the_monitor_how_long(family: Family) -> None:
    """The minutes are those of the blueprint."""
    episode = family.monitor.new_episode()
    family.monitor.event("started", episode)
    family.until_shown(episode, family.anna)
    family.anna.tap_button(episode, "Snooze")
    until(lambda: family.commands("nursery", "snooze") == ["15"])


@pytest.mark.parametrize("event_type", ["acknowledged", "ended"])
def test_an_answer_and_an_end_take_the_notification_from_all_phones(family: Family, event_type: str) -> None:
    """Also from those of the second parent."""
    episode = family.monitor.new_episode()
    family.monitor.event("escalated", episode, unacknowledged_s=600)
    family.until_shown(episode, *family.phones)
    family.monitor.event(event_type, episode)
    family.until_gone(episode)


def test_a_reason_corrects_the_text_without_a_noise(family: Family) -> None:
    """The same notification, the new words, no sound."""
    episode = family.monitor.new_episode()
    words = {"title": "Nursery: crying", "message": "Since 19:02. Probably hungry."}
    family.monitor.event("started", episode)
    family.monitor.event("reason", episode, text=words)
    until(lambda: len(family.anna.pushes) == 2)
    push = family.anna.shows()[episode]
    assert push["message"] == "Since 19:02. Probably hungry."
    assert push["data"]["push"]["sound"] == "none"
    assert push["data"]["alert_once"] is True


def test_a_silent_cry_pushes_nothing(family: Family) -> None:
    """Profile silent, or snoozed: the monitor says that no phone should make a noise."""
    quiet, loud = family.monitor.new_episode(), family.monitor.new_episode("bedroom")
    for event_type in ("started", "reason", "escalated"):
        family.monitor.event(event_type, quiet, alert=False)
    family.monitor.event("started", loud)
    family.until_shown(loud, family.anna)
    assert family.told(quiet) == [False, False, False]


def test_two_rooms_at_once_lose_nothing(family: Family) -> None:
    """Five cries in each of two rooms in the same moment are ten notifications."""
    episodes = [family.monitor.new_episode(room) for room in ("nursery", "bedroom") * 5]
    for episode in episodes:
        family.monitor.event("started", episode)
    for episode in episodes:
        family.until_shown(episode, family.anna)
    assert len(family.anna.pushes) == 10


def test_a_test_alarm_is_marked_rings_everywhere_and_is_proven(family: Family) -> None:
    """Home Assistant answers at once, each phone when it is tapped."""
    episode = family.monitor.new_episode()
    family.monitor.event("test", episode)
    family.until_shown(episode, *family.phones)
    until(lambda: family.commands("nursery", "received") == [f"{episode} home_assistant"])
    push = family.ben.shows()[episode]
    assert push["title"] == "TEST: Nursery: crying"
    assert push["data"]["push"]["sound"]["critical"] == 1
    assert [button["title"] for button in push["data"]["actions"]] == ["Got it"]
    family.ben.tap_button(episode, "Got it")
    family.anna.tap_button(episode, "Got it")
    expected = {f"{episode} {receiver}" for receiver in ("home_assistant", "phone_2", "phone_1")}
    until(lambda: set(family.commands("nursery", "received")) == expected)


def test_a_restart_of_home_assistant_tells_nothing_again_and_taps_still_work(family: Family) -> None:
    """The event entities come back with their last event; a tap on an older notification is answered all the same."""
    episode = family.monitor.new_episode()
    family.monitor.event("started", episode)
    family.monitor.state("nursery", crying=True, episode=episode)
    family.until_shown(episode, family.anna)
    shown = family.told(episode)
    family.home.restart()
    beat_until_heard(family.home, family.monitor)
    family.home.expect(EVENTS[0], lambda state: state not in (None, "unavailable", "unknown"))
    family.anna.tap_button(episode, "I'm going")
    until(lambda: family.commands("nursery", "ack") == [f"{episode} {family.person}"])
    assert family.told(episode) == shown == [True, False, False]
    assert len(family.rang(family.anna)) == 1


def test_a_cry_that_ended_while_home_assistant_was_away_leaves_the_phones(family: Family) -> None:
    """Its end was told to nobody; the calm room says it."""
    over, lasting = family.monitor.new_episode(), family.monitor.new_episode("bedroom")
    for episode in (over, lasting):
        family.monitor.event("started", episode)
        family.monitor.state(episode.partition("-")[0], crying=True, episode=episode)
        family.until_shown(episode, family.anna)
    family.home.stop()
    family.monitor.state("nursery")
    family.home.start()
    family.until_gone(over)
    family.home.expect("binary_sensor.bedroom_crying", "on")
    assert family.told(lasting) == [True, False, False]
    family.monitor.state("bedroom")


def test_a_restart_of_the_monitor_tells_nothing_again(family: Family) -> None:
    """Away and back: the entity's old event is no new cry, and the next one is."""
    first, second = family.monitor.new_episode(), family.monitor.new_episode()
    family.monitor.event("started", first)
    family.until_shown(first, family.anna)
    family.monitor.say("monitord/home/status", "offline", retain=True)
    family.home.expect(EVENTS[0], "unavailable")
    family.monitor.begin()
    family.home.expect(EVENTS[0], lambda state: state != "unavailable")
    family.monitor.event("started", second)
    family.until_shown(second, family.anna)
    assert family.rang(family.anna) == [first, second]


def test_an_event_that_overtakes_the_news_that_the_monitor_is_back_is_told(family: Family) -> None:
    """A young event is told although its entity was away when it came."""
    episode = family.monitor.new_episode()
    family.monitor.say("monitord/home/status", "offline", retain=True)
    family.home.expect(EVENTS[0], "unavailable")
    family.monitor.event("started", episode)
    family.monitor.begin()
    family.until_shown(episode, family.anna)


def test_a_phone_that_is_gone_takes_nothing_from_the_others(family: Family) -> None:
    """A name that Home Assistant does not know, and an action for the light, between two good phones."""
    automation = family.home.install(
        GARDEN / "cry_alert.yaml",
        "Bedroom alert",
        rooms=[EVENTS[1]],
        first_phones=[family.anna.action, SOLD, family.ben.action],
        ios_critical=False,
        ios_volume=40,
        on_cry=[{"event": "lamp", "event_data": {"room": "{{ event.source }}"}}],
    )
    try:
        episode = family.monitor.new_episode("bedroom")
        family.monitor.event("started", episode)
        family.until_shown(episode, family.ben)
        assert family.ben.shows()[episode]["data"]["push"] == {
            "sound": {"name": "default", "critical": 0, "volume": 0.4},
            "interruption-level": "time-sensitive",
        }
    finally:
        family.home.remove(automation)
