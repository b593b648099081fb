"""What Home Assistant is told about our devices: whole payloads, and what must hold for any configuration."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from service.config import load_config
from service.homeassistant.house import House, Room
from service.homeassistant.hub import hub_payload, hub_retained
from service.homeassistant.room import room_payload, room_retained
from service.homeassistant.settings import HomeAssistantConfig
from service.messages import commands
from service.messages.message import Node

GOLDEN = Path(__file__).parent / "discovery_golden"
"""Whole payloads. `python -m tests.service.homeassistant.test_discovery` writes them anew: then read the difference."""

NURSERY = Room("nursery", "Nursery", "Microphone")
HOUSE = House(Node("home"), "1.2.3", (NURSERY, Room("bedroom", "Bedroom", "Stream")))

HUB_TOPICS = {"status", "heartbeat", "info", "test_alarm/set", "restart/set"}
ROOM_TOPICS = {
    *("status", "state", "event", "episode", "level", "health", "settings", "today", "spectrogram", "proof"),
    *(f"{command}/set" for command in ("enabled", "threshold", "profile", "ack", "snooze", "correct", "test_alarm")),
}
"""The contract's."""

ids = st.from_regex(r"[a-z0-9_]{1,12}", fullmatch=True)
names = st.text(min_size=1, max_size=12)


def rooms() -> st.SearchStrategy[tuple[Room, ...]]:
    room = st.builds(Room, ids, names, st.just("Stream"))
    return st.lists(room, min_size=1, max_size=4, unique_by=lambda each: each.source).map(tuple)


houses = st.builds(House, st.builds(Node, ids, demo=st.booleans()), st.just("1.2.3"), rooms())


def golden() -> dict[str, dict[str, object]]:
    return {"hub": hub_payload(HOUSE), "room": room_payload(HOUSE, NURSERY)}


def payloads(house: House) -> list[dict[str, Any]]:
    return [hub_payload(house), *(room_payload(house, room) for room in house.rooms)]


def topics(value: object, key: str = "") -> Iterator[str]:
    """Every topic in a payload: `topic`, and every option that ends so."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from topics(each, str(name))
    elif isinstance(value, list):
        for each in value:
            yield from topics(each, key)
    elif key.endswith("topic"):
        yield str(value)


@pytest.mark.parametrize("name", ["hub", "room"])
def test_payloads_are_golden(name: str) -> None:
    """Each change of a payload is seen, whole, in the golden file."""
    assert golden()[name] == json.loads((GOLDEN / f"{name}.json").read_text())


@given(houses)
def test_unique_ids_are_unique_and_from_ids_alone(house: House) -> None:
    """No two entities of a house share a unique id, and what people call a room does not change one."""

    def unique_ids(house: House) -> list[str]:
        return [one["unique_id"] for device in payloads(house) for one in device["components"].values()]

    assert len(set(unique_ids(house))) == len(unique_ids(house))
    renamed = tuple(Room(room.source, "Another name", room.kind) for room in house.rooms)
    assert unique_ids(House(house.node, "9", renamed)) == unique_ids(house)


@given(houses)
def test_names_do_not_repeat_the_device(house: House) -> None:
    """No entity's name begins with its device's name, whatever a family calls a room; no two are alike in a device."""
    for device in payloads(house):
        told = [one["name"] for one in device["components"].values()]
        assert len(set(told)) == len(told)
        assert not [name for name in told if name.lower().startswith(device["device"]["name"].lower())]


@given(houses)
def test_every_topic_is_of_the_contract(house: House) -> None:
    """Every topic in a payload is one that the daemon tells or obeys."""
    root = house.node.root
    assert {topic.removeprefix(f"{root}/") for topic in topics(hub_payload(house))} == HUB_TOPICS
    for room in house.rooms:
        of_room = {f"{root}/{room.source}/{topic}" for topic in ROOM_TOPICS}
        assert set(topics(room_payload(house, room))) == of_room | {f"{root}/status"}


@given(houses)
def test_retained_topics_are_in_the_payloads(house: House) -> None:
    """What is emptied for a removed device are its own topics, never a command."""
    for room in house.rooms:
        assert set(room_retained(house, room)) <= set(topics(room_payload(house, room)))
        assert not [topic for topic in room_retained(house, room) if topic.endswith(("/set", "/event", "/level"))]
    assert set(hub_retained(house)) <= set(topics(hub_payload(house)))


def sent(one: dict[str, Any]) -> list[str]:
    """What an entity can send."""
    match one["platform"]:
        case "button":
            return [one["payload_press"]]
        case "switch":
            return ["ON", "OFF"]
        case "number":
            return [str(one["min"]), str(one["max"])]
        case "select":
            return list(one["options"])
    return []


def test_commands_are_understood() -> None:
    """What each button, switch, number and select sends, the daemon obeys."""
    sources = [room.source for room in HOUSE.rooms]
    tried = 0
    for device in payloads(HOUSE):
        for one in device["components"].values():
            for value in sent(one):
                assert commands.parse(HOUSE.node, sources, one["command_topic"], value.encode()), one
                tried += 1
    assert tried == 2 + 2 * 11


def test_home_assistants_rules() -> None:
    """What Home Assistant refuses or drops in silence: categories, enums, units, ids."""
    for device in payloads(HOUSE):
        for key, one in device["components"].items():
            assert one["qos"] == 1
            assert re.fullmatch(r"[a-z_]+\.[a-z0-9_]+", one["default_entity_id"])
            if one["platform"] in ("sensor", "binary_sensor"):
                assert one.get("entity_category", "diagnostic") == "diagnostic", key
            if one.get("device_class") == "enum":
                assert not {"unit_of_measurement", "state_class"} & set(one)
                assert "unknown" not in one["options"]
            assert one.get("device_class") != "sound_pressure"


def test_only_what_is_heard_now_needs_the_source() -> None:
    """Crying and its like go with the source; what happened, answers and settings stay while the daemon is there."""
    payload: Any = room_payload(HOUSE, NURSERY)
    assert [each["topic"] for each in payload["availability"]] == [
        "monitord/home/status",
        "monitord/home/nursery/status",
    ]
    assert payload["availability_mode"] == "all"
    components = payload["components"]
    heard = {key for key, one in components.items() if "availability" not in one}
    assert heard == {"crying", "reason", "reason_confidence", "cry_intensity", "level"}
    always = [one["availability"] for key, one in components.items() if key not in heard]
    assert always == [[{"topic": "monitord/home/status"}]] * len(always)


def test_the_house_comes_from_the_configuration(tmp_path: Path) -> None:
    """Rooms have the names of the configuration, and say what they listen with."""
    file = tmp_path / "monitord.yaml"
    file.write_text("node: attic\nsources: {baby_room: {microphone: default}, b: {stream: 'rtsp://c/a', name: Crib}}\n")
    sources = [(room.id, room.name, room.spec) for room in load_config(file).rooms]
    house = House.of(Node("attic"), "1", sources)
    assert house == House(
        Node("attic"), "1", (Room("baby_room", "Baby room", "Microphone"), Room("b", "Crib", "Stream"))
    )
    hub: Any = hub_payload(house)
    assert hub["device"]["name"] == "Baby monitor attic"
    demo = House.of(Node("attic", demo=True), "1", sources)
    assert {room.kind for room in demo.rooms} == {"Demo sound"}


@pytest.mark.parametrize("prefix", ["", "a/#", "+", "/a", "a/", "$SYS", "a b", "a//b"])
def test_a_prefix_that_is_no_topic_is_refused(prefix: str) -> None:
    """A prefix with wildcards, spaces or empty levels is refused."""
    with pytest.raises(ValidationError):
        HomeAssistantConfig(prefix=prefix)
    assert HomeAssistantConfig(prefix="home/assistant").prefix == "home/assistant"


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, payload in golden().items():
        (GOLDEN / f"{name}.json").write_text(json.dumps(payload, indent=2) + "\n")
