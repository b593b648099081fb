"""What a killed run leaves behind, and what the next one makes of it: alarms end, counts and settings stay."""

import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from model.classifier import Classifier
from monitord.household import Episode
from service.config import Config
from service.messages import commands, cry_messages
from service.messages.message import Message, Node
from tests.support.daemon.household_daemon import FAR, HOLD, NEAR, QUIET, Clock, House
from tests.support.time_zone import time_zone

ROOMS = ("nursery", "bedroom")


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    """No midnight comes between: the family lives where it is noon now."""
    with time_zone(f"NOON{time.gmtime().tm_hour - 12:+d}"):
        yield


def begun(classifier: Classifier, state_dir: Path, sources: tuple[str, ...] = ROOMS) -> House:
    """The next run on what the last one left."""
    house = House(classifier, state_dir, sources)
    house.reporter.begin()
    return house


def test_what_a_kill_left_open_is_ended(classifier: Classifier, tmp_path: Path) -> None:
    """Once, for the same id in the same room, and in words that do not call it quiet; no phone shows it for ever."""
    killed = begun(classifier, tmp_path)
    killed.hear_all({"nursery": NEAR, "bedroom": FAR})
    started = killed.told("nursery")[0]
    house = begun(classifier, tmp_path)
    assert house.told("bedroom") == []
    (ended,) = house.told("nursery")
    assert (ended["event_type"], ended["episode"], ended["alert"]) == ("ended", started["episode"], False)
    assert (ended["since"], ended["rooms"], ended["cause"]) == (started["since"], ["nursery", "bedroom"], "restart")
    assert [notice.tag for notice in house.notices] == [started["episode"]]
    assert [house.last(f"{room}/state")["crying"] for room in ROOMS] == [False, False]
    again = begun(classifier, tmp_path)
    assert again.told("nursery") == []
    assert again.notices == []


class Killed(Exception):  # noqa: N818 - what happened, not what is wrong
    """The power goes."""


class KilledWhileTelling(House):
    """Its first event gets out, and nothing after it."""

    def tell(self, message: Message) -> bool:
        """As the reporter's `tell`."""
        super().tell(message)
        if message.topic.endswith("/event"):
            raise Killed
        return True


def test_a_kill_in_the_middle_of_telling_leaves_no_alarm(classifier: Classifier, tmp_path: Path) -> None:
    """The episode was kept before it was told: whatever a phone shows, the next run ends it."""
    killed = KilledWhileTelling(classifier, tmp_path, ROOMS)
    with pytest.raises(Killed):
        killed.hear(NEAR)
    started = killed.told("nursery")[0]
    house = begun(classifier, tmp_path)
    assert [(event["event_type"], event["episode"]) for event in house.told("nursery")] == [
        ("ended", started["episode"])
    ]
    assert house.last("nursery/today")["episodes"] == 1


class KilledAfterTheEnd(House):
    """Its end is told, and not kept."""

    def tell(self, message: Message) -> bool:
        """As the reporter's `tell`."""
        super().tell(message)
        if message.topic.endswith("/event") and json.loads(message.payload)["event_type"] == "ended":
            raise Killed
        return True


def test_a_kill_after_the_end_was_told_tells_it_again_under_its_id(classifier: Classifier, tmp_path: Path) -> None:
    """Receivers drop the second as they drop every double."""
    killed = KilledAfterTheEnd(classifier, tmp_path, ROOMS)
    with pytest.raises(Killed):
        killed.hear(NEAR, HOLD)
    (again,) = begun(classifier, tmp_path).told("nursery")
    ended = killed.told("nursery")[-1]
    assert [event["event_type"] for event in (ended, again)] == ["ended", "ended"]
    assert again["id"] == ended["id"]
    assert len({event["id"] for event in killed.told("nursery")}) == len(killed.told("nursery"))


@pytest.mark.parametrize("other", [("attic", "room-1", 0.5), ("home", "room-2", 0.5), ("home", "room-1", 0.6)])
def test_the_end_of_another_episode_has_another_id(other: tuple[str, str, float]) -> None:
    """Of another node, another episode, and another of the same name, which a machine without a clock may have."""
    ids = [
        cry_messages.event_id(
            Node(node), Episode(episode, "room", since, told_at=told_at, reminded_at=told_at), "ended"
        )
        for told_at, (node, episode, since) in enumerate([("home", "room-1", 0.5), ("home", "room-1", 0.5), other])
    ]
    assert ids[0] == ids[1] != ids[2]


def test_the_attributes_of_what_a_kill_left_open_are_ended_too(classifier: Classifier, tmp_path: Path) -> None:
    """The broker keeps them: without an end they would say for ever that the episode lasts."""
    killed = begun(classifier, tmp_path)
    killed.hear_all({"nursery": NEAR, "bedroom": FAR})
    house = begun(classifier, tmp_path)
    for room in ROOMS:
        attributes = house.last(f"{room}/episode")
        assert attributes["episode"] == killed.told("nursery")[0]["episode"]
        assert attributes["ended"] is not None
        assert attributes["rooms"] == ["nursery", "bedroom"]


def test_todays_minutes_count_up_to_the_last_sign_of_life(classifier: Classifier, tmp_path: Path, clock: Clock) -> None:
    """The episode counts once; the hours until somebody started the monitor again are not crying."""
    killed = begun(classifier, tmp_path)
    killed.clock += 3_590  # the cry is now
    killed.hear(QUIET, NEAR)
    clock.pass_by(120)
    killed.worker.round()
    told = killed.last("nursery/today")
    assert told["episodes"] == 1
    assert told["crying_min"] == pytest.approx(2.1, abs=0.15)
    clock.pass_by(20)
    house = begun(classifier, tmp_path)
    assert house.last("nursery/today") == told
    clock.pass_by(31)
    house.worker.round()
    assert house.last("nursery/today") == told
    assert house.last("bedroom/today")["episodes"] == 0


def test_a_clean_stop_leaves_nothing_to_end(classifier: Classifier, tmp_path: Path) -> None:
    """The next run is silent."""
    left = begun(classifier, tmp_path)
    left.hear(NEAR)
    left.worker.flush()
    assert left.events("nursery")[-1] == "ended"
    house = begun(classifier, tmp_path)
    assert house.told("nursery") == []
    assert house.last("nursery/today")["episodes"] == 1


def test_a_room_that_is_gone_is_not_told(classifier: Classifier, tmp_path: Path) -> None:
    """Its episode is forgotten; the rooms that are there begin as ever."""
    killed = begun(classifier, tmp_path)
    killed.hear(NEAR)
    house = begun(classifier, tmp_path, ("bedroom",))
    assert not [one.topic for one in house.messages if "/nursery/" in one.topic]
    assert house.events("bedroom") == []
    assert json.loads((tmp_path / "episodes.json").read_text()) == {}


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "\udcff", '{"episodes": [{}]}', '{"episodes": 3}'])
@pytest.mark.parametrize("name", ["episodes", "today", "settings", "proofs"])
def test_a_broken_document_does_not_stop_the_monitor(
    classifier: Classifier, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: str
) -> None:
    """What cannot be read is set aside and said so; a key that nobody knows is passed over."""
    (tmp_path / f"{name}.json").write_bytes(text.encode(errors="surrogateescape"))
    with caplog.at_level(logging.WARNING):
        house = begun(classifier, tmp_path)
    house.hear(NEAR, HOLD)
    assert house.events()[0] == "started"
    if not (text.startswith("{") and name == "today"):
        (aside,) = tmp_path.glob(f"{name}.json.broken-*")
        assert aside.is_file()
        assert f"set aside as {aside.name}" in caplog.text


def test_without_the_open_episodes_today_does_not_count_on(
    classifier: Classifier, tmp_path: Path, clock: Clock
) -> None:
    """An episode whose end nobody will tell any more adds nothing from now on."""
    killed = begun(classifier, tmp_path)
    killed.hear(NEAR)
    (tmp_path / "episodes.json").write_text("nonsense")
    house = begun(classifier, tmp_path)
    told = house.last("nursery/today")
    clock.pass_by(3_000)
    house.worker.round()
    assert house.last("nursery/today")["crying_min"] == told["crying_min"]


def test_settings_outlive_the_daemon(classifier: Classifier, tmp_path: Path) -> None:
    """Switch, profile, a threshold for each profile, snooze: told again, and in force."""
    house = begun(classifier, tmp_path)
    house.command(
        commands.SetThreshold("nursery", 0.7),
        commands.SetProfile("nursery", "night"),
        commands.SetThreshold("nursery", 0.99999),
        commands.Snooze("nursery", 60),
        commands.SetEnabled("bedroom", enabled=False),
    )
    again = begun(classifier, tmp_path)
    assert [again.last(f"{room}/settings") for room in ROOMS] == [house.last(f"{room}/settings") for room in ROOMS]
    assert again.last("nursery/settings")["profile"] == "night"
    assert again.last("bedroom/settings")["enabled"] is False
    again.hear_all({"nursery": NEAR, "bedroom": NEAR})
    assert again.events("nursery") == again.events("bedroom") == []
    again.command(commands.SetProfile("nursery", "day"))
    assert again.last("nursery/settings")["threshold"] == 0.7
    again.hear(QUIET, NEAR)
    assert again.events("nursery")[:2] == ["started", "acknowledged"]


def test_a_room_that_is_not_configured_now_keeps_its_settings(classifier: Classifier, tmp_path: Path) -> None:
    """It may be unplugged for a week."""
    begun(classifier, tmp_path).command(commands.SetProfile("bedroom", "silent"))
    begun(classifier, tmp_path, ("nursery",)).command(commands.SetProfile("nursery", "night"))
    house = begun(classifier, tmp_path)
    assert [house.last(f"{room}/settings")["profile"] for room in ROOMS] == ["night", "silent"]


def test_kept_settings_that_make_no_sense_are_not_used(classifier: Classifier, tmp_path: Path) -> None:
    """For that room alone; deaf by a typo is worse than a lost wish."""
    kept = {"nursery": {"enabled": "perhaps", "profile": "silent"}, "bedroom": {"profile": "night"}}
    (tmp_path / "settings.json").write_text(json.dumps(kept))
    house = begun(classifier, tmp_path)
    assert [house.last(f"{room}/settings")["profile"] for room in ROOMS] == ["day", "night"]


def test_a_profiles_threshold_comes_after_the_familys(classifier: Classifier, tmp_path: Path) -> None:
    """The configuration's where the family has not moved it, else the bundle's."""
    config = Config.model_validate({"profiles": {"night": {"threshold": 0.4}}})
    house = House(classifier, tmp_path, config=config)
    house.command(commands.SetProfile("room", "night"), commands.SetThreshold("room", 0.6))
    house.command(commands.SetProfile("room", "silent"))
    assert [one["threshold"] for one in house.of("room/settings")] == [0.4, 0.6, 0.5]
