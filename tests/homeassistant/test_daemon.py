"""The real daemon, a real cry, a real Home Assistant, and phones: from the first sound to the tap, whatever falls."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime

import pytest

from monitord.household import JOIN_S
from tests.support.homeassistant.home_assistant import INSTALLED, KIT, HomeAssistant
from tests.support.homeassistant.whole_house import BLUEPRINTS, HEALTHY, ROOMS, House, whole_house

pytestmark = pytest.mark.homeassistant

NOT_HEARING = f"monitord_not_hearing_{HEALTHY}"
CONNECTIVITY = "binary_sensor.baby_monitor_connectivity"
NURSERY, BEDROOM = (f"binary_sensor.{source}_crying" for source in ROOMS)
NURSERY_EVENT = "event.nursery_cry_event"
THRESHOLD = 0.71
"""Not the bundle's."""
LOST_BROKER = "[homeassistant.components.mqtt.client]"
OUTSIDE_LOOP = "Validates schema outside the event loop"
"""What Home Assistant 2026.11 answers to the kit's lint of any template, which it checks where there is no loop."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """All that runs, started once."""
    with whole_house(tmp_path_factory.mktemp("house")) as running:
        yield running
        # That it lost the broker which was killed is no mistake of ours.
        assert [warning for warning in running.home.warnings() if not warning.startswith(LOST_BROKER)] == []


@pytest.fixture(autouse=True)
def _begin_calm(house: House) -> Iterator[None]:
    house.calm()
    house.forget()
    yield
    # Shown where the test has failed.
    sys.stdout.write(house.report())


def lint(home: HomeAssistant) -> list[str]:
    """Checks what was announced against Home Assistant's own schemas; returns what they refuse or would drop."""
    command = [INSTALLED / "tools" / "bin" / "python", KIT / "check.py", home.folder, "lint"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    devices = json.loads(done.stdout)
    assert len(devices) == 1 + len(ROOMS)
    found = [text for device in devices.values() for text in device["errors"] + device["dropped"]]
    return [text for text in found if OUTSIDE_LOOP not in text]


def test_every_entity_is_there(house: House) -> None:
    """The hub's and both rooms', as announced, with a value where there is one, and not a word in the log."""
    announced = {
        component["default_entity_id"]
        for device in house.announced().values()
        for component in device["components"].values()
    }
    house.until(
        lambda: "unavailable" not in house.entities().values(), "a value of each, also of what comes every second"
    )
    states = house.entities()
    assert set(states) == announced
    assert len(states) == 7 + 2 * 19
    never_yet = {entity for entity, state in states.items() if state == "unknown"}
    assert {entity.partition(".")[0] for entity in never_yet} <= {"button", "event", "image", "sensor"}
    assert {states[NURSERY], states[BEDROOM]} == {"off"}
    assert lint(house.home) == []
    assert house.home.warnings() == []


def test_a_tap_ends_the_alarm_on_all_phones_and_without_one_the_second_parent_is_told(house: House) -> None:
    """Two babies: somebody goes to the one; the other is reminded of until the second parent's phone rings."""
    house.cry("nursery")
    house.until_state(NURSERY, "on")
    house.until(lambda: bool(house.events("started")), "the event")
    (started,) = house.events("started")
    house.until_shown(started["episode"], house.iphone, house.tablet)
    assert house.iphone.shows()[started["episode"]]["data"]["push"]["sound"]["critical"] == 1
    assert house.tablet.shows()[started["episode"]]["title"] == "Nursery: crying"
    assert house.attributes(NURSERY_EVENT)["episode"] == started["episode"]

    house.iphone.tap_button(started["episode"], "I'm going")
    house.until(lambda: bool(house.last("nursery/state").get("acknowledged")), "the state to be acknowledged")
    house.until_event("nursery", "acknowledged")
    house.until_gone(started["episode"])

    since = datetime.fromisoformat(started["since"]).timestamp()
    house.until(lambda: time.time() > since + JOIN_S, "the time in which it would be the same cry")
    house.cry("bedroom")
    house.until(lambda: bool(house.events("started", "bedroom")), "the other baby")
    (other,) = house.events("started", "bedroom")
    assert other["episode"] != started["episode"]
    house.until_shown(other["episode"], house.iphone, house.tablet)
    assert house.rung(house.second) == set()
    house.until_event("bedroom", "escalated")
    house.until_shown(other["episode"], house.second)
    # The nursery's began earlier, and lasts: without the tap it would have been told again before.
    assert house.home.state(NURSERY) == "on"
    assert house.events("escalated", "nursery") == []
    assert house.rung(house.second) == {other["episode"]}

    house.calm()
    house.until(lambda: len(house.events("ended")) == 2, "both ends")
    house.until_gone(other["episode"])
    assert [phone.shows() for phone in house.phones] == [{}, {}, {}]
    assert [event["event_type"] for event in house.events("", "nursery") if event["event_type"] != "reason"] == [
        "started",
        "acknowledged",
        "ended",
    ]


def test_a_test_alarm_is_proven_to_each_phone(house: House) -> None:
    """The button rings every phone, marked; Home Assistant answers at once, a phone when it is tapped."""
    house.home.call("button.press", entity_id="button.baby_monitor_test_alarm")
    house.until(lambda: len(house.events("test")) == len(ROOMS), "the tests")
    for source in ROOMS:
        (test,) = house.events("test", source)
        house.until_shown(test["episode"], *house.phones)
        assert {phone.shows()[test["episode"]]["title"].startswith("TEST") for phone in house.phones} == {True}
        house.tablet.tap_button(test["episode"], "Got it")
        proof = house.until_received(source, "home_assistant", "phone_2")
        assert proof["state"] == "proven"
        assert proof["heard_ms"] <= proof["published_ms"]
        assert proof["heard_ms"] <= proof["receivers"]["home_assistant"] <= proof["receivers"]["phone_2"]
        proven_at = house.home.state(f"sensor.{source}_last_proven")
        assert datetime.fromisoformat(str(proven_at)) == datetime.fromisoformat(proof["proven"]).replace(microsecond=0)
    assert house.events("started") == []
    assert (house.home.state(NURSERY), house.home.state(BEDROOM)) == ("off", "off")


def test_a_kill_is_seen_and_told_and_so_is_the_return(house: House) -> None:
    """In the middle of a cry: nothing stays that looks like health, and no alarm stays for ever on the phones."""
    automation = house.home.install(
        BLUEPRINTS / "not_hearing.yaml",
        "Not hearing",
        monitoring=HEALTHY,
        signals=[f"binary_sensor.{source}_audio_signal" for source in ROOMS],
        phones=[house.iphone.action, house.second.action],
        after_s=5,
    )
    house.cry("nursery")
    house.until(lambda: bool(house.events("started")), "the event")
    (started,) = house.events("started")
    house.until_shown(started["episode"], house.iphone, house.tablet)

    house.kill()
    house.until_state(CONNECTIVITY, "off")
    house.until(
        lambda: {state for entity, state in house.entities().items() if entity != CONNECTIVITY} == {"unavailable"},
        "all to be unavailable",
    )
    house.until_shown(NOT_HEARING, house.iphone, house.second)
    push = house.iphone.shows()[NOT_HEARING]
    assert push["title"] == "Baby monitor is not hearing!"
    assert push["data"]["push"]["sound"]["critical"] == 1

    house.hush("nursery")
    house.start()
    house.until_well()
    house.until_gone(started["episode"])
    house.until(
        lambda: house.iphone.shows()[NOT_HEARING]["title"] == "Baby monitor is hearing again", "the word of its return"
    )
    house.until_state(NURSERY, "off")
    (ended,) = house.events("ended")
    assert ended["episode"] == started["episode"]
    assert {event["id"] for event in house.events("started")} == {started["id"]}  # killed before it heard that it came
    house.home.remove(automation)


@pytest.fixture
def set_in_home_assistant(house: House) -> Iterator[None]:
    """Settings that a family has made, in the nursery, and a bedroom that is switched off."""
    usual = float(str(house.home.state("number.nursery_cry_threshold")))
    house.set_profile("night")
    house.home.call("number.set_value", entity_id="number.nursery_cry_threshold", value=THRESHOLD)
    house.until_state("number.nursery_cry_threshold", str(THRESHOLD))
    house.home.call("switch.turn_off", entity_id="switch.bedroom_listening")
    house.until_state("switch.bedroom_listening", "off")
    yield
    house.home.call("number.set_value", entity_id="number.nursery_cry_threshold", value=usual)
    house.home.call("switch.turn_on", entity_id="switch.bedroom_listening")
    house.until_state("switch.bedroom_listening", "on")
    house.set_profile("day")


@pytest.mark.usefixtures("set_in_home_assistant")
def test_restarts_lose_nothing_and_tell_nothing_again(house: House) -> None:
    """Of broker, Home Assistant and daemon, in the middle of a cry to which somebody has gone."""
    house.cry("bedroom")
    house.cry("nursery")
    house.until(lambda: bool(house.events("started")), "the event")
    (started,) = house.events("started")
    house.until_shown(started["episode"], house.iphone)
    house.home.call("button.press", entity_id="button.nursery_acknowledge")
    house.until_event("nursery", "acknowledged")
    house.until_gone(started["episode"])
    pushes = [len(phone.pushes) for phone in house.phones]

    def nothing_is_lost() -> None:
        house.until_state(CONNECTIVITY, "on")
        house.until_state(NURSERY, "on")
        house.until_state(HEALTHY, "on")
        house.until_state("select.nursery_alert_profile", "night")
        house.until_state("number.nursery_cry_threshold", str(THRESHOLD))
        house.until_state("switch.bedroom_listening", "off")
        house.until_state(BEDROOM, "unavailable")  # not off: nobody listens

    house.broker.kill()
    house.until_state(NURSERY, "unavailable")
    house.broker.start()
    nothing_is_lost()
    house.home.restart()
    nothing_is_lost()
    assert house.told("nursery").count("started") == 1
    assert [len(phone.pushes) for phone in house.phones] == pushes
    assert len(house.events("started")) == 1

    # A clean end is an end of the episode, too; the baby is heard anew.
    house.restart()
    house.until(lambda: len(house.events("started")) == 2, "the same baby, heard by the next daemon")
    nothing_is_lost()
    assert len(house.events("ended")) == 1
    new = house.events("started")[1]
    assert new["profile"] == "night"
    house.until_shown(new["episode"], house.iphone, house.tablet)
    house.hush("bedroom")
    house.hush("nursery")
    house.until_state(NURSERY, "off")
    house.until_gone(new["episode"])
    assert {event["source"] for event in house.events()} == {"nursery"}


@pytest.fixture
def unreminded(house: House) -> Iterator[None]:
    """A nursery of which nobody is reminded: what is not told once is never told."""
    house.set_profile("night")
    yield
    house.set_profile("day")


@pytest.mark.usefixtures("unreminded")
def test_a_cry_is_told_after_an_outage_of_the_broker(house: House) -> None:
    """It began while the broker was away; Home Assistant comes back later than the daemon, and rings all the same."""
    house.broker.kill()
    before = len(house.daemon.events("started"))
    house.cry("nursery")
    house.daemon.wait_for(lambda: len(house.daemon.events("started")) > before, "the cry")
    house.broker.start()
    house.until_state(NURSERY, "on")
    house.until_shown(house.last("nursery/state")["episode"], house.iphone, house.tablet)


@pytest.mark.usefixtures("unreminded")
def test_a_cry_is_told_after_a_restart_of_home_assistant(house: House) -> None:
    """It began while Home Assistant was away."""
    house.home.stop()
    house.cry("nursery")
    house.until(lambda: bool(house.events("started")), "the event")
    house.home.start()
    house.until_state(NURSERY, "on")
    house.until_shown(house.last("nursery/state")["episode"], house.iphone, house.tablet)
