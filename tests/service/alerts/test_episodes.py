"""One cry is one episode in the whole house: which room tells it, and what all rooms say of it."""

import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from model.classifier import Classifier
from monitord.types import Pcm
from service.messages import commands
from tests.support.daemon.household_daemon import FAR, HOLD, NEAR, QUIET, House, both
from tests.support.sound.sounds import noise, tone

ROOMS = ("nursery", "bedroom")


def late(sound: Pcm, lag_s: float) -> Pcm:
    """A quiet room, the sound some time later, quiet."""
    rest = noise(5.0 - lag_s, rms_dbfs=-80)
    return np.concatenate([QUIET, noise(lag_s, rms_dbfs=-80), sound, rest[: len(rest) - len(sound) + len(NEAR)]])


def all_events(house: House) -> list[str]:
    return [event["event_type"] for room in house.sources for event in house.told(room)]


@pytest.mark.parametrize("louder", ROOMS)
@pytest.mark.parametrize("late_room", ROOMS)
@pytest.mark.parametrize("lag_s", [0.0, 0.5, 1.0, 2.0])
def test_the_same_cry_in_two_rooms_is_one_episode(house: House, louder: str, late_room: str, lag_s: float) -> None:
    """Whichever room hears it louder and whichever lags: one `started`, one `ended`, one id in both states."""
    heard = {room: late(NEAR if room == louder else FAR, lag_s if room == late_room else 0.0) for room in ROOMS}
    house.hear_all(heard)
    episodes = {house.last(f"{room}/state")["episode"] for room in ROOMS}
    assert [house.last(f"{room}/state")["crying"] for room in ROOMS] == [True, True]
    house.hear_all(both(HOLD, HOLD))
    assert [house.last(f"{room}/state")["crying"] for room in ROOMS] == [False, False]
    assert len(episodes) == 1
    assert all_events(house).count("started") == all_events(house).count("ended") == 1
    assert sorted(house.last("nursery/episode")["rooms"]) == sorted(ROOMS)
    reporter = house.sources[0] if house.told("nursery") else house.sources[1]
    assert episodes == {event["episode"] for event in house.told(reporter)}
    assert len(house.notices) == len(house.told(reporter))


@pytest.mark.parametrize("louder", ROOMS)
@pytest.mark.parametrize("lag_s", [0.0, 0.25])
def test_the_louder_room_tells(house: House, louder: str, lag_s: float) -> None:
    """Also where the other one decides first, by a quarter of a second: a phone says where to go."""
    house.round_s = 0.1
    quieter = next(room for room in ROOMS if room != louder)
    house.hear_all({louder: late(NEAR, lag_s), quieter: late(FAR, 0.0)})
    assert house.events(louder)[0] == "started"
    assert house.events(quieter) == []
    started = house.told(louder)[0]
    assert started["episode"].startswith(f"{louder}-")
    assert started["rooms"] == house.last(f"{quieter}/episode")["rooms"] == [louder, quieter]
    assert (started["room"], started["text"]["title"]) == (louder.capitalize(), f"{louder.capitalize()}: crying")


@pytest.mark.parametrize("louder", ROOMS)
def test_each_rooms_state_says_since_when_it_hears_it(house: House, louder: str) -> None:
    """By its own first sound, also in a room that tells because another one decided."""
    house.round_s = 0.1
    house.hear_all({room: late(NEAR, 0.25) if room == louder else late(FAR, 0.0) for room in ROOMS})
    first = {room: next(s for s in house.of(f"{room}/state") if s["crying"])["since"] for room in ROOMS}
    assert all(first.values())
    assert max(first, key=lambda room: first[room]) == louder


def test_two_babies_are_two_episodes(house: House) -> None:
    """A cry that begins long after the other one, and as loud, is another baby's: each is told and ends on its own."""
    house.hear_all(both(np.concatenate([QUIET, NEAR, NEAR, NEAR, NEAR]), np.tile(QUIET, 9)))
    house.hear_all(both(NEAR, NEAR))
    nursery, bedroom = house.told("nursery"), house.told("bedroom")
    assert nursery[0]["episode"] != bedroom[0]["episode"]
    assert house.events("nursery")[0] == house.events("bedroom")[0] == "started"
    assert bedroom[0]["rooms"] == ["bedroom"]
    house.command(commands.Acknowledge("nursery", None))
    house.hear_all(both(HOLD, HOLD))
    assert house.events("nursery").count("acknowledged") == house.events("nursery").count("ended") == 1
    assert house.events("bedroom").count("acknowledged") == 0
    assert house.events("bedroom").count("ended") == 1


def test_it_ends_once_when_the_last_room_is_quiet(house: House) -> None:
    """The telling room falls silent first, and tells the end when the other one does; its own state is calm before."""
    house.hear_all(both(np.concatenate([QUIET, NEAR]), np.concatenate([QUIET, FAR])))
    for _ in range(6):
        house.hear_all(both(np.concatenate([QUIET, QUIET]), FAR))
    assert "ended" not in all_events(house)
    assert house.last("nursery/state")["crying"] is False
    assert house.last("bedroom/state")["crying"] is True
    assert house.last("nursery/episode")["ended"] is None
    house.hear_all(both(HOLD, HOLD))
    assert house.events("nursery").count("ended") == 1
    assert house.told("bedroom") == []
    ended = house.told("nursery")[-1]
    assert (ended["event_type"], ended["cause"], ended["rooms"]) == ("ended", "quiet", ["nursery", "bedroom"])
    assert [house.last(f"{room}/episode")["ended"] for room in ROOMS] == [ended["ts"]] * 2


def test_only_the_telling_room_tells_the_reason(house: House) -> None:
    """The other one hears it through a wall, and may take it for something else."""
    other = tone(3_000, 2.0, peak_dbfs=-12.0)  # high voices are in discomfort, to this network
    house.hear_all(both(np.concatenate([QUIET, NEAR, HOLD]), np.concatenate([QUIET, other, HOLD])))
    assert [event["reason"] for event in house.told("nursery")] == ["none", "hunger", "hunger"]
    assert house.told("bedroom") == []
    assert {state["reason"] for state in house.of("bedroom/state") if state["crying"]} == {"none", "hunger"}


@pytest.mark.parametrize("lag_s", [0.0, 0.25, 0.5])
def test_a_silent_room_never_silences_one_that_wakes(house: House, lag_s: float) -> None:
    """The louder room wakes nobody, so the quieter one tells for itself, with alarm, whoever decides first."""
    house.round_s = 0.1
    house.command(commands.SetProfile("nursery", "silent"))
    house.hear_all(both(late(NEAR, 0.0), late(FAR, lag_s)))
    assert house.events("bedroom")[0] == "started"
    assert (house.told("bedroom")[0]["alert"], house.told("bedroom")[0]["profile"]) == (True, "day")
    assert not any(event["alert"] for event in house.told("nursery"))
    assert {event["profile"] for event in house.told("nursery")} <= {"silent"}


def test_a_silent_room_that_comes_later_joins_one_that_wakes(house: House) -> None:
    """The alarm is out already: nothing is lost."""
    house.command(commands.SetProfile("bedroom", "silent"))
    house.hear_all(both(late(FAR, 0.0), late(NEAR, 1.0)))
    assert house.events("nursery")[0] == "started"
    assert house.told("nursery")[0]["alert"] is True
    assert house.told("bedroom") == []
    assert house.last("bedroom/state")["episode"] == house.told("nursery")[0]["episode"]


def test_words_are_the_familys(classifier: Classifier, tmp_path: Path) -> None:
    """The event carries title, message and buttons in the language that is set, as the notice for a phone does."""
    house = House(classifier, tmp_path, sources=ROOMS, language="de")
    house.hear(QUIET, NEAR, HOLD)
    texts = [event["text"] for event in house.told()]
    since = f"{datetime.fromisoformat(house.told()[0]['since']).astimezone():%H:%M}"
    assert texts[0]["title"] == "Nursery: Weinen"
    assert texts[1]["message"] == f"Seit {since}. Wahrscheinlich Hunger."
    assert texts[2]["title"] == "Nursery: wieder ruhig"
    assert [text["going"] for text in texts] == ["Ich gehe hin"] * 3
    assert [(n.title, n.message) for n in house.notices] == [(text["title"], text["message"]) for text in texts]
    assert {notice.tag for notice in house.notices} == {event["episode"] for event in house.told()}


def test_an_event_says_how_late_it_is(house: House) -> None:
    """From the first sound, and from the last sample that was needed: N of M windows lie between."""
    house.clock = time.time() - 3.0  # the cry begins 2 s ago
    house.hear(QUIET, NEAR)
    started = house.told()[0]
    since, ts = datetime.fromisoformat(started["since"]).timestamp(), datetime.fromisoformat(started["ts"]).timestamp()
    assert since == pytest.approx(house.clock + 1.0, abs=0.05)
    assert 0.4 < ts - since < 1.0
    assert started["latency_ms"] - started["latency_end_ms"] == pytest.approx(1000 * (ts - since), abs=2)
    assert started["latency_ms"] >= 1_900


def test_a_room_that_is_switched_off_is_not_called_quiet(house: House) -> None:
    """Its episode ends, and the end says that nobody listens any more."""
    house.hear(QUIET, NEAR)
    house.command(commands.SetEnabled("nursery", enabled=False))
    ended = house.told()[-1]
    assert (ended["event_type"], ended["cause"]) == ("ended", "off")
    assert ended["text"]["title"] == "Nursery: NOT LISTENING any more"


def test_a_clean_stop_is_not_called_quiet(house: House) -> None:
    """The same when the whole monitor leaves."""
    house.hear(QUIET, NEAR)
    house.worker.flush()
    assert (house.told()[-1]["event_type"], house.told()[-1]["cause"]) == ("ended", "stopped")
    assert house.last("nursery/state")["crying"] is False
