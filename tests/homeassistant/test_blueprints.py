"""What a family installs, in a real Home Assistant: the right push on the right phone, taps, taking away, restarts."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.homeassistant.home_assistant import HomeAssistant, Phone, skip_without_home_assistant
from tests.support.homeassistant.played_monitor import Monitor
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, until

pytestmark = pytest.mark.homeassistant

GARDEN = ROOT / "deploy" / "homeassistant"
EVENTS = ["event.nursery_cry_event", "event.bedroom_cry_event"]
HEALTHY = "binary_sensor.baby_monitor_monitoring_healthy"
SOLD = "notify.mobile_app_sold"
"""A phone that is still in the automation, and no more in Home Assistant."""
SIGNALS = ["binary_sensor.nursery_audio_signal", "binary_sensor.bedroom_audio_signal"]


@dataclass
class Family:
    """Two parents, three phones, a monitor and a Home Assistant."""

    home: HomeAssistant
    monitor: Monitor
    anna: Phone
    ben: Phone
    ben_tablet: Phone

    @property
    def phones(self) -> tuple[Phone, ...]:
        """All of them: Anna is told first."""
        return (self.anna, self.ben, self.ben_tablet)

    def told(self, tag: str) -> list[bool]:
        """Which phones show a notification."""
        return [tag in phone.shows() for phone in self.phones]

    def rang(self, phone: Phone) -> list[str]:
        """Tags of all that was pushed to a phone, but for what takes a notification away."""
        return [push["data"]["tag"] for push in phone.pushes if push["message"] != "clear_notification"]

    def until_shown(self, tag: str, *phones: Phone) -> None:
        """Waits until all these phones show a notification."""
        until(lambda: all(tag in phone.shows() for phone in phones))

    def until_gone(self, tag: str) -> None:
        """Waits until no phone shows it any more."""
        until(lambda: not any(self.told(tag)))

    def commands(self, source: str, command: str) -> list[str]:
        """What the monitor was told on a command topic."""
        return self.monitor.payloads(f"monitord/home/{source}/{command}/set")


@pytest.fixture(scope="module")
def family(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Family]:
    """The family with both blueprints installed."""
    skip_without_home_assistant()
    folder = tmp_path_factory.mktemp("home")
    with (
        Mosquitto(folder / "broker") as broker,
        HomeAssistant(folder / "ha", broker) as home,
        Monitor(broker) as monitor,
        Phone(home, "anna", "iOS") as anna,
        Phone(home, "ben", "Android") as ben,
        Phone(home, "ben_tablet", "Android") as tablet,
    ):
        monitor.announce()
        monitor.begin()
        _beat_until_heard(home, monitor)
        home.install(
            GARDEN / "cry_alert.yaml",
            "Cry alert",
            rooms=EVENTS,
            first_phones=[anna.action],
            second_phones=[ben.action, "mobile_app_ben_tablet"],
            second_after_min=3,
            snooze_min=15,
        )
        yield Family(home, monitor, anna, ben, tablet)
        assert [warning for warning in home.warnings() if SOLD not in warning] == []


def _beat_until_heard(home: HomeAssistant, monitor: Monitor) -> None:
    """A heartbeat is not retained: Home Assistant hears only those after its subscription."""

    def healthy() -> bool:
        monitor.heartbeat()
        return home.state(HEALTHY) == "on"

    until(healthy)
    for signal in SIGNALS:
        home.expect(signal, "on")


@pytest.fixture(autouse=True)
def _clean(family: Family) -> None:
    family.monitor.heard.clear()
    for phone in family.phones:
        phone.forget()


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
    """The episode's id goes to the room that tells it."""
    episode = family.monitor.new_episode("bedroom")
    family.monitor.event("started", episode)
    family.until_shown(episode, family.anna)
    family.anna.tap_button(episode, "I'm going")
    until(lambda: family.commands("bedroom", "ack") == [episode])


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
    _beat_until_heard(family.home, family.monitor)
    family.home.expect(EVENTS[0], lambda state: state not in (None, "unavailable", "unknown"))
    family.anna.tap_button(episode, "I'm going")
    until(lambda: family.commands("nursery", "ack") == [episode])
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


NOT_HEARING = f"monitord_not_hearing_{HEALTHY}"


@pytest.fixture
def watched(family: Family) -> Iterator[Family]:
    """The family with *not hearing* installed too, over two seconds, in German; all is well."""
    _all_well(family)
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
    _all_well(family)


def _all_well(family: Family) -> None:
    family.monitor.begin()
    _beat_until_heard(family.home, family.monitor)


def test_a_monitor_that_is_away_is_told_once_and_its_return_too(watched: Family) -> None:
    """The last will makes it unavailable: one loud push on each phone; then one quiet one in its place."""
    watched.monitor.say("monitord/home/status", "offline", retain=True)
    watched.until_shown(NOT_HEARING, watched.anna, watched.ben)
    push = watched.anna.shows()[NOT_HEARING]
    assert push["title"] == "Das Babyfon hört nichts!"
    assert push["message"] == "Der Monitor antwortet nicht. Niemand hört zu."
    assert push["data"]["push"]["sound"] == {"name": "default", "critical": 1, "volume": 1.0}
    assert push["data"]["priority"] == "high"
    _all_well(watched)
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
    _all_well(watched)
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
    _all_well(family)
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
    _all_well(watched)
    until(lambda: watched.anna.shows()[NOT_HEARING]["title"] == "Das Babyfon hört wieder")
    assert watched.rang(watched.anna) == [NOT_HEARING] * 2


def test_a_restart_beside_a_living_monitor_takes_an_old_alarm_away(watched: Family) -> None:
    """It was told before the restart, and it heard again during it."""
    watched.monitor.say("monitord/home/status", "offline", retain=True)
    watched.until_shown(NOT_HEARING, watched.anna, watched.ben)
    watched.home.stop()
    watched.monitor.begin()
    watched.home.start()
    _all_well(watched)
    watched.until_gone(NOT_HEARING)
