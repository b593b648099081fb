"""The ready dashboard: it names the entities that discovery makes, and the committed one is the generated one."""

import re

import pytest
import yaml

from service.homeassistant.dashboard import dashboard
from service.homeassistant.dashboard_words import WORDS
from service.homeassistant.house import House, Room
from service.messages.message import Node
from tests.support.paths import ROOT

COMMITTED = ROOT / "deploy" / "homeassistant" / "dashboard.yaml"
HOUSE = House(Node("home"), "1", (Room("nursery", "Nursery", "Microphone"), Room("bedroom", "Bedroom", "Stream")))


def test_the_committed_dashboard_is_the_generated_one() -> None:
    """For two rooms, nursery and bedroom; `python tests/test_dashboard.py` writes it anew."""
    assert COMMITTED.read_text() == dashboard(HOUSE)


@pytest.mark.parametrize("language", WORDS)
def test_every_language_says_everything(language: str) -> None:
    """The same keys as English, nothing empty, and YAML that reads."""
    assert WORDS[language].keys() == WORDS["en"].keys()
    assert all(WORDS[language].values())
    assert yaml.safe_load(dashboard(HOUSE, language))["title"] == WORDS[language]["title"]


def test_an_unknown_language_is_english() -> None:
    """A dashboard in the wrong language is better than none."""
    assert dashboard(HOUSE, "xx") == dashboard(HOUSE)


def test_every_room_has_a_part_with_entities_of_its_own() -> None:
    """Under a banner over both, no card of a room shows another room."""
    view = yaml.safe_load(dashboard(HOUSE))["views"][0]
    named = [set(re.findall(r"[a-z_]+\.(nursery|bedroom)_", str(section))) for section in view["sections"]]
    assert named == [{"nursery", "bedroom"}, {"nursery"}, {"bedroom"}, {"nursery"}, {"bedroom"}]


def test_the_ids_are_those_of_discovery() -> None:
    """Whatever the rooms are called: Home Assistant makes the ids that discovery asks for."""
    house = House(Node("home"), "1", (Room("nursery", "Zoë's Zimmer", "Microphone"),))
    named = set(re.findall(r"(?:sensor|event|switch|select|image|button)\.(\w+)", dashboard(house)))
    assert named
    assert all(one.startswith(("nursery_", "baby_monitor_")) for one in named - {"press"})  # an action, no entity


def test_another_node_has_another_hub() -> None:
    """Its device has the node's name in it."""
    text = dashboard(House(Node("attic"), "1", HOUSE.rooms))
    assert "binary_sensor.baby_monitor_attic_monitoring_healthy" in text


if __name__ == "__main__":
    COMMITTED.write_text(dashboard(HOUSE))
