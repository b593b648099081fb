"""The ready dashboard in a real Home Assistant: its entities exist, and it says what is so, red where it must."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import yaml

from service.homeassistant.dashboard import dashboard
from tests.support.homeassistant.family import beat_until_heard
from tests.support.homeassistant.home_assistant import HomeAssistant, skip_without_home_assistant
from tests.support.homeassistant.played_monitor import HOUSE, Monitor
from tests.support.servers.mosquitto import Mosquitto, until

pytestmark = pytest.mark.homeassistant

HEALTHY = "binary_sensor.baby_monitor_monitoring_healthy"
CALM = "All calm"


class Scene(NamedTuple):
    """A Home Assistant with a played monitor."""

    home: HomeAssistant
    monitor: Monitor


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """Both, for all tests of this file."""
    skip_without_home_assistant()
    folder = tmp_path_factory.mktemp("dashboard")
    with (
        Mosquitto(folder / "broker") as broker,
        HomeAssistant(folder / "ha", broker) as home,
        Monitor(broker) as monitor,
    ):
        monitor.announce()
        yield Scene(home, monitor)
        assert home.warnings() == []


@pytest.fixture
def scene(running: Scene) -> Scene:
    """All is well."""
    running.monitor.begin()
    beat_until_heard(running.home, running.monitor)
    for room in ("nursery", "bedroom"):
        running.home.expect(f"binary_sensor.{room}_crying", "off")
        running.home.expect(f"switch.{room}_listening", "on")
    return running


def _view() -> dict[str, Any]:
    view = yaml.safe_load(dashboard(HOUSE))["views"][0]
    assert isinstance(view, dict)
    return view


def _said(scene: Scene) -> list[str]:
    """What the banner, the nursery and the bedroom say, rendered by Home Assistant."""
    cards = [card for section in _view()["sections"] for card in section["cards"] if card["type"] == "markdown"]
    return [scene.home.ask("POST", "/api/template", {"template": card["content"]}) for card in cards]


def _until_said(scene: Scene, *parts: str) -> None:
    until(lambda: all(part in said for part, said in zip(parts, _said(scene), strict=True)))


def test_every_entity_of_the_dashboard_exists(scene: Scene) -> None:
    """Their ids are guessed from names: here is what Home Assistant made of them."""
    named = set(re.findall(r"\b(?:binary_sensor|sensor|switch|select|button|image|event)\.\w+", str(_view())))
    named.remove("button.press")  # an action
    existing = {entity["entity_id"] for entity in scene.home.ask("GET", "/api/states")}
    assert named <= existing
    assert len(named) == 2 + 2 * 16  # of the hub, and of each room


def test_a_calm_house_is_green(scene: Scene) -> None:
    """And says when it was last heard of."""
    _until_said(scene, 'alert-type="success">Listening. Last sign of life: ', CALM, CALM)


def test_a_cry_is_red_with_since_when_and_why(scene: Scene) -> None:
    """The reason stands there only when it is sure."""
    since = "2026-11-22T19:02:00+00:00"
    episode = scene.monitor.new_episode()
    attributes = {"episode": episode, "since": since, "ended": None, "acknowledged": False}
    scene.monitor.say("monitord/home/nursery/episode", json.dumps(attributes), retain=True)
    scene.monitor.state("nursery", crying=True, reason="unsure", reason_p=0.4, since=since, episode=episode)
    _until_said(scene, "success", "CRYING since 19:02", CALM)
    assert "Probably" not in _said(scene)[1]
    scene.monitor.state("nursery", crying=True, reason="hunger", reason_p=0.71, since=since, episode=episode)
    _until_said(scene, "success", "Probably hungry (71 %).", CALM)
    scene.monitor.say("monitord/home/nursery/episode", json.dumps({**attributes, "acknowledged": True}), retain=True)
    _until_said(scene, "success", "Somebody is on the way.", CALM)


def test_a_room_that_is_not_heard_is_red_and_so_is_the_banner(scene: Scene) -> None:
    """The other room stays calm."""
    scene.monitor.signal("bedroom", heard=False)
    scene.monitor.heartbeat(heard=1)
    _until_said(scene, "A ROOM IS NOT HEARD", CALM, "NOT HEARING")


def test_a_room_that_was_switched_off_is_not_red(scene: Scene) -> None:
    """And never calm either."""
    scene.monitor.settings("bedroom", enabled=False)
    scene.monitor.signal("bedroom", heard=False)
    scene.monitor.heartbeat(heard=1, of=1)
    _until_said(scene, "success", CALM, "Switched off")


def test_a_house_that_was_switched_off_says_so(scene: Scene) -> None:
    """Nothing is wrong, and nobody listens."""
    for room in ("nursery", "bedroom"):
        scene.monitor.settings(room, enabled=False)
        scene.monitor.signal(room, heard=False)
    scene.monitor.heartbeat(heard=0, of=0)
    _until_said(scene, "Switched off", "Switched off", "Switched off")


def test_without_a_heartbeat_everything_is_red(scene: Scene) -> None:
    """Also while the last state of every room is calm and the broker says that the monitor is there."""
    scene.home.ask("POST", f"/api/states/{HEALTHY}", {"state": "unavailable"})
    _until_said(scene, "NOBODY IS LISTENING", "NOT HEARING", "NOT HEARING")
    assert scene.home.state("binary_sensor.nursery_crying") == "off"


def test_a_dead_monitor_is_red(scene: Scene) -> None:
    """Its last will comes at once."""
    scene.monitor.say("monitord/home/status", "offline", retain=True)
    _until_said(scene, "NOBODY IS LISTENING", "NOT HEARING", "NOT HEARING")
