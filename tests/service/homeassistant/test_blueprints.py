"""The blueprints as files, without Home Assistant: what it would refuse, or quietly never do."""

import re
from typing import Any

import pytest
import yaml

from service.homeassistant.room import room_payload
from tests.support.homeassistant.played_monitor import HOUSE, ROOMS
from tests.support.paths import ROOT

GARDEN = ROOT / "deploy" / "homeassistant"
BLUEPRINTS = ("cry_alert.yaml", "not_hearing.yaml")


class _Input(str):
    """Name of an input, where the blueprint uses it."""

    __slots__ = ()


class _Loader(yaml.SafeLoader):
    """Reads `!input`, as Home Assistant does."""


_Loader.add_constructor("!input", lambda _, node: _Input(node.value))


def _load(name: str) -> dict[str, Any]:
    with (GARDEN / name).open() as file:
        loaded = yaml.load(file, _Loader)  # a SafeLoader
    assert isinstance(loaded, dict)
    return loaded


def _inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    """All inputs, out of their sections."""
    found: dict[str, Any] = {}
    for name, given in inputs.items():
        found |= _inputs(given["input"]) if "input" in given else {name: given}
    return found


def _used(part: object) -> set[str]:
    match part:
        case _Input():
            return {str(part)}
        case dict():
            return set().union(*map(_used, part.values()))
        case list():
            return set().union(*map(_used, part))
    return set()


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_input_is_used_and_every_used_input_exists(name: str) -> None:
    """A parent never sets something that does nothing."""
    blueprint = _load(name)
    body = {key: part for key, part in blueprint.items() if key != "blueprint"}
    assert _used(body) == set(_inputs(blueprint["blueprint"]["input"]))


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_every_input_has_a_name_and_a_selector(name: str) -> None:
    """So that it can be filled in without YAML."""
    for given in _inputs(_load(name)["blueprint"]["input"]).values():
        assert given["name"]
        assert given["selector"]


@pytest.mark.parametrize("name", BLUEPRINTS)
def test_it_says_from_which_version_on_it_works(name: str) -> None:
    """2024.11 is the first that knows our discovery; `triggers` and `actions` are as old."""
    blueprint = _load(name)
    assert blueprint["blueprint"]["homeassistant"]["min_version"] == "2024.11.0"
    assert {"triggers", "actions", "mode"} <= set(blueprint)


def test_every_kind_of_event_that_an_alert_speaks_of_is_told_by_a_room() -> None:
    """A misspelt one would never fire."""
    text = (GARDEN / "cry_alert.yaml").read_text()
    lists = re.findall(r"\btype in \[([^\]]+)\]", text)
    spoken = {word for words in lists for word in re.findall(r"'(\w+)'", words)} | set(
        re.findall(r"\btype == '(\w+)'", text)
    )
    components = room_payload(HOUSE, ROOMS[0])["components"]
    assert isinstance(components, dict)
    assert spoken == set(components["event"]["event_types"])


def test_an_alert_waits_for_no_other() -> None:
    """Two rooms at once lose nothing."""
    blueprint = _load("cry_alert.yaml")
    assert blueprint["mode"] == "parallel"
    assert blueprint["max"] >= 20
