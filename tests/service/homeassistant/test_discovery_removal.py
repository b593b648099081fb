"""What Home Assistant is told to forget: removed sources, removed entities, discovery switched off."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from service.homeassistant.discovery import DOCUMENT, Discovery, discover
from service.homeassistant.house import House, Room
from service.homeassistant.room import room_retained
from service.homeassistant.settings import HomeAssistantConfig
from service.messages.message import Message, Node
from service.mqtt.client import MqttClient
from service.mqtt.sender import Speaker
from service.mqtt.settings import MqttSettings
from service.storage.documents import DocumentStore
from service.storage.outbox import Outbox
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import wait_connected

NURSERY = Room("nursery", "Nursery", "Microphone")
BEDROOM = Room("bedroom", "Bedroom", "Stream")
BOTH = House(Node("home"), "1", (NURSERY, BEDROOM))
ONE = House(Node("home"), "1", (NURSERY,))
HUB_TOPIC = "homeassistant/device/monitord_home/config"
NURSERY_TOPIC = "homeassistant/device/monitord_home_nursery/config"
BEDROOM_TOPIC = "homeassistant/device/monitord_home_bedroom/config"
ON = HomeAssistantConfig()
OFF = HomeAssistantConfig(discovery=False)


@pytest.fixture
def discovered(tmp_path: Path) -> Callable[[House, HomeAssistantConfig], Discovery]:
    """One start of the daemon after the other, over one state directory."""
    return lambda house, settings: discover(house, settings, DocumentStore(tmp_path))


Start = Callable[[House, HomeAssistantConfig], Discovery]


def said(messages: tuple[Message, ...]) -> dict[str, bool]:
    """Whether something stands there, by topic."""
    assert all(message.retain and message.qos == 1 for message in messages)
    return {message.topic: bool(message.payload) for message in messages}


def test_the_first_start_announces(discovered: Start) -> None:
    """The hub comes first, then the rooms in the order of the file; there is nothing to forget."""
    first = discovered(BOTH, ON)
    assert list(said(first.devices).items()) == [(HUB_TOPIC, True), (NURSERY_TOPIC, True), (BEDROOM_TOPIC, True)]
    assert (first.gone, first.swept, first.births) == ((), (), ("homeassistant/status",))
    assert discovered(BOTH, ON) == first


def test_a_removed_source_is_forgotten_on_every_start(discovered: Start) -> None:
    """Its device goes, all that it retained goes, on each start again; what is still there is not touched."""
    discovered(BOTH, ON)
    for _ in range(2):
        after = discovered(ONE, ON)
        assert said(after.devices) == {HUB_TOPIC: True, NURSERY_TOPIC: True}
        assert after.gone == (BEDROOM_TOPIC,)
        assert said(after.swept) == dict.fromkeys(room_retained(BOTH, BEDROOM), False)
    back = discovered(BOTH, ON)
    assert (back.gone, back.swept) == ((), ())
    assert list(said(back.devices)) == [HUB_TOPIC, NURSERY_TOPIC, BEDROOM_TOPIC]


def test_discovery_switched_off_removes_the_devices(discovered: Start) -> None:
    """All devices go, what the sources tell stays, and nobody waits for Home Assistant."""
    assert discovered(BOTH, OFF) == Discovery((), (), (), ())
    discovered(BOTH, ON)
    off = discovered(ONE, OFF)
    assert (off.devices, off.gone) == ((), (HUB_TOPIC, NURSERY_TOPIC, BEDROOM_TOPIC))
    assert set(said(off.swept)) == set(room_retained(BOTH, BEDROOM))
    assert off.births == ()


def test_where_home_assistant_says_that_it_started(discovered: Start) -> None:
    """Under the prefix and where its default is, which does not follow the prefix; or where the file says."""
    assert discovered(ONE, HomeAssistantConfig(prefix="ha")).births == ("ha/status", "homeassistant/status")
    assert discovered(ONE, HomeAssistantConfig(prefix="ha", birth_topic="house/born")).births == ("house/born",)


def test_another_prefix_or_node_leaves_nothing_behind(discovered: Start) -> None:
    """Under the old prefix or the old node's name nothing stays, of the hub neither."""
    discovered(ONE, ON)
    moved = discovered(ONE, HomeAssistantConfig(prefix="ha"))
    assert list(said(moved.devices)) == ["ha/device/monitord_home/config", "ha/device/monitord_home_nursery/config"]
    assert moved.gone == (HUB_TOPIC, NURSERY_TOPIC)
    assert moved.births == ("ha/status", "homeassistant/status")
    assert moved.swept == ()
    renamed = discovered(House(Node("attic"), "1", (NURSERY,)), ON)
    assert HUB_TOPIC in renamed.gone
    assert {"monitord/home/status", "monitord/home/info", *room_retained(ONE, NURSERY)} == set(said(renamed.swept))


def test_an_entity_that_is_no_more_is_removed_alone(discovered: Start, tmp_path: Path) -> None:
    """A component that an older version announced is named with its platform alone, in its device's payload."""
    discovered(ONE, ON)
    store = DocumentStore(tmp_path)
    document = store.load(DOCUMENT)
    document[NURSERY_TOPIC]["components"]["gate"] = "number"
    store.save(DOCUMENT, document)
    for _ in range(2):
        nursery = next(each for each in discovered(ONE, ON).devices if each.topic == NURSERY_TOPIC)
        components = json.loads(nursery.payload)["components"]
        assert components.pop("gate") == {"platform": "number"}
        assert all("unique_id" in one for one in components.values())


def test_what_cannot_be_read_is_left_alone(discovered: Start, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An entry of the document that makes no sense is said so, and stops nothing."""
    DocumentStore(tmp_path).save(DOCUMENT, {BEDROOM_TOPIC: {"components": 1}, "x": None})
    assert said(discovered(ONE, ON).devices) == {HUB_TOPIC: True, NURSERY_TOPIC: True}
    assert BEDROOM_TOPIC in caplog.text


@pytest.mark.e2e
def test_nothing_stale_stays_on_the_broker(broker: Mosquitto, discovered: Start, tmp_path: Path) -> None:
    """A removed source leaves nothing retained, also where the broker was away at first; its device is removed once."""

    def live(discovery: Discovery, messages: list[Message]) -> None:
        settings = MqttSettings(host="127.0.0.1", port=broker.port)
        with (
            Outbox(tmp_path / "outbox.db") as outbox,
            MqttClient(
                settings,
                Speaker(Node("home"), [], outbox, discovery=discovery.devices, gone=discovery.gone),
            ) as mqtt,
        ):
            for message in (*discovery.swept, *messages):
                mqtt.tell(message)
            if messages:
                assert wait_connected(mqtt).connected

    told = [
        Message(topic, "x", retain=True, qos=1, keep=first.keep)
        for first in discovered(BOTH, ON).devices[:1]
        for topic in (*room_retained(BOTH, NURSERY), *room_retained(BOTH, BEDROOM))
    ]
    live(discovered(BOTH, ON), told)
    broker.terminate()
    live(discovered(ONE, ON), [])
    broker.start()
    with Subscriber(broker) as subscriber:
        for _ in range(2):
            live(discovered(ONE, ON), told[:1])
        assert [heard.payload for heard in subscriber.heard if heard.topic == BEDROOM_TOPIC and not heard.retain] == [
            ""
        ]
    with Subscriber(broker, "later") as later:
        later.say("last", "")
        until(lambda: later.last("last") is not None)
        kept = {heard.topic for heard in later.heard if heard.retain}
    assert kept == {HUB_TOPIC, NURSERY_TOPIC, *room_retained(ONE, NURSERY), "monitord/home/status"}
