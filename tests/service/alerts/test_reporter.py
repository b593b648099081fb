"""What the worker says becomes messages: events, states, settings, levels, the heartbeat, and obeyed commands."""

import json
import time
from pathlib import Path

import pytest

from model.classifier import Classifier
from monitord.types import RATE_HZ
from service.alerts.command_queue import COMMANDS_BOUND
from service.messages import commands
from service.messages.message import Keep
from tests.support.daemon.household_daemon import CRY, HOLD, QUIET, House
from tests.support.sound.sounds import noise, silence, tone


@pytest.fixture
def house(classifier: Classifier, tmp_path: Path) -> House:
    return House(classifier, tmp_path)


def test_an_episode_from_start_to_end(house: House) -> None:
    """One id through all its events, segments, states and attributes; states say what is the case after each."""
    house.hear(QUIET, CRY, QUIET, CRY, HOLD)
    events = house.of("room/event")
    assert house.events() == ["started", "reason", "ended"]
    episodes = {event["episode"] for event in events}
    assert len(episodes) == 1
    assert len({event["id"] for event in events}) == 3
    assert {one["episode"] for one in house.of("room/segment")} == episodes
    states = house.of("room/state")
    assert [(s["crying"], s["reason"], s["episode"] in episodes) for s in states] == [
        (True, "none", True),
        (True, "hunger", True),
        (False, "none", False),
    ]
    attributes = house.of("room/episode")
    assert [one["ended"] is None for one in attributes] == [True, True, False]
    assert attributes[-1]["reason"] == "hunger"
    assert attributes[-1]["duration_s"] == pytest.approx(5 + 10, abs=0.5)  # two cries, a pause, the hold


def test_times_are_those_of_the_sound(house: House) -> None:
    """The episode began when the sound was captured, not when it was computed; the state since then."""
    house.hear(QUIET, CRY, HOLD)
    began = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(house.clock + 1.0))
    assert house.of("room/event")[0]["episode"] == f"room-{began}-1"
    started, ended = house.of("room/event")[0], house.of("room/event")[-1]
    assert started["latency_ms"] == pytest.approx(3_599_000, abs=60_000)  # heard an hour late, and it says so
    assert ended["latency_ms"] - ended["latency_end_ms"] == pytest.approx(12_000, abs=500)  # the sound and the hold
    assert house.of("room/state")[0]["since"] < house.of("room/state")[-1]["since"]


def test_alarms_are_kept_longest(house: House) -> None:
    """`started` goes last when a disk is full, segments first; states are retained and live ones not kept."""
    house.hear(QUIET, CRY, HOLD)
    keep = {(one.topic.rsplit("/", 1)[-1], one.keep, one.retain) for one in house.messages}
    assert keep == {
        ("event", Keep.ALARM, False),
        ("event", Keep.EVENT, False),
        ("segment", Keep.SEGMENT, False),
        ("state", Keep.LATEST, True),
        ("episode", Keep.LATEST, True),
        ("today", Keep.LATEST, True),
        ("spectrogram", Keep.LATEST, True),
        ("level", Keep.LIVE, False),
        ("heartbeat", Keep.LIVE, False),
    }


def test_the_screen_shows_what_was_made_durable(house: House) -> None:
    """Each line after its message, with the id and the episode that MQTT carries."""
    house.hear(QUIET, CRY, HOLD)
    told = house.of("room/event") + house.of("room/segment")
    assert {line["id"] for line in house.lines} == {one["id"] for one in told}
    assert len(house.lines) == len(told)
    assert {line["episode"] for line in house.lines} == {one["episode"] for one in told}
    for number, one in enumerate(house.order):
        if one == "line":
            assert house.order[number - 1].rsplit("/", 1)[-1] in ("event", "segment")


def test_what_is_no_cry_is_not_told(house: House) -> None:
    """A loud sound that is no cry is no labelled event; by a lower threshold of the family it is."""
    house.hear(QUIET, noise(1.0, rms_dbfs=-25), QUIET)
    assert house.of("room/segment") == house.lines == []
    house.command(commands.SetThreshold("room", 1e-6))
    house.hear(noise(1.0, rms_dbfs=-25), QUIET)
    assert len(house.of("room/segment")) == 1


def test_begin_tells_a_first_state_and_the_settings(house: House) -> None:
    """Every entity starts with a value."""
    house.reporter.begin()
    assert house.of("room/state") == [
        {
            "crying": False,
            "reason": "none",
            "reason_p": 0.0,
            "distress": None,
            "since": None,
            "episode": None,
            "acknowledged": False,
        }
    ]
    settings = {"enabled": True, "threshold": 0.5, "profile": "day", "snoozed_until": None}
    assert house.of("room/settings") == [{**settings, "gain_db": 0.0, "tuned": False}]


def test_levels_at_most_once_a_second_and_only_of_sound(house: House) -> None:
    """Rounds within a second of the last level tell none, nor does a second in which no sound came."""
    level_at, channel = house.reporter._telemetry._level_at, house.channels["room"]
    house.hear(silence(0.5))
    assert len(house.levels) == len(house.of("room/level")) == 1
    assert house.of("room/level")[0]["dbfs"] == -96.0
    level_at["room"] = time.monotonic() + 1_000  # the second is never over
    house.hear(tone(300, 2.0))
    assert len(house.levels) == 1
    level_at["room"] = time.monotonic() - 1.0
    house.hear(tone(300, 0.5))
    assert len(house.levels) == 2
    assert house.of("room/level")[1]["dbfs"] == pytest.approx(-9.0, abs=0.1)
    level_at["room"] -= 1.0
    channel.last_audio_monotonic = level_at["room"] - 1.0
    house.worker.round()
    assert len(house.levels) == 2


def test_the_heartbeat_comes_from_rounds(house: House) -> None:
    """The first with the first round, the next after half a minute; it counts sources, and the worker's lag."""
    house.worker.round()
    house.worker.round()
    assert len(house.of("heartbeat")) == 1
    first = house.of("heartbeat")[0]
    assert (first["sources_ok"], first["sources_total"], first["lag_ms"]) == (1, 1, 0)


def test_lag_is_the_age_of_the_newest_sound_while_more_waits(house: House) -> None:
    """An hour behind and more in the inbox is an hour of lag; a quiet inbox is none, however old its last sound."""
    for _ in range(3):
        house.channels["room"].inbox.write(silence(1.0), RATE_HZ, house.clock)
    house.worker.round()
    assert house.reporter._telemetry.lag_ms() == pytest.approx(3_599_000, abs=60_000)
    house.worker.round()
    house.worker.round()
    assert house.reporter._telemetry.lag_ms() == 0


def test_acknowledged_once_and_only_the_episode_that_is_meant(house: House) -> None:
    """A late press for an older episode does nothing; none in particular means the one in hand."""
    house.command(commands.Acknowledge("room", None))
    assert house.events() == []
    house.hear(QUIET, CRY)
    house.command(commands.Acknowledge("room", "room-20200101T000000Z-1"))
    assert "acknowledged" not in house.events()
    episode = house.of("room/event")[0]["episode"]
    house.command(commands.Acknowledge("room", episode), commands.Acknowledge("room", None))
    assert house.events().count("acknowledged") == 1
    assert house.of("room/state")[-1]["crying"] is True


def test_a_snooze_acknowledges_now_and_later(house: House) -> None:
    """The episode in hand, and those that start within it; after it, none."""
    house.hear(QUIET, CRY)
    house.command(commands.Snooze("room", 10))
    house.hear(HOLD, CRY, HOLD)
    assert house.events().count("acknowledged") == 2
    house.command(commands.Snooze("room", 0))
    house.hear(CRY, HOLD)
    assert house.events().count("acknowledged") == 2
    assert house.events().count("started") == 3


def test_switching_off_ends_the_episode(house: House) -> None:
    """It is told as ended, the state is calm, the settings say so, and nothing more is told until it is on again."""
    house.hear(QUIET, CRY)
    house.command(commands.SetEnabled("room", enabled=False))
    assert house.events()[-1] == "ended"
    assert house.of("room/state")[-1]["crying"] is False
    assert house.of("room/settings")[-1]["enabled"] is False
    before = len(house.of("room/event"))
    house.hear(CRY, QUIET)
    assert len(house.of("room/event")) == before
    house.command(commands.SetEnabled("room", enabled=True))
    house.hear(CRY, QUIET)
    assert house.events()[before] == "started"


def test_settings_are_told_as_they_are_in_force(house: House) -> None:
    """A threshold counts; a profile that there is not is refused, and the settings told again say which is in force."""
    house.command(
        commands.SetThreshold("room", 0.99999),
        commands.SetProfile("room", "night"),
        commands.SetProfile("room", "loud"),
        commands.SetProfile("room", "day"),
    )
    assert [(one["threshold"], one["profile"]) for one in house.of("room/settings")] == [
        (1.0, "day"),
        (0.5, "night"),  # each profile has a threshold of its own
        (0.5, "night"),
        (1.0, "day"),
    ]
    house.hear(QUIET, CRY)
    assert house.events() == []  # the network says 0.99995


def test_rooms_are_told_apart(classifier: Classifier, tmp_path: Path) -> None:
    """A cry in one room is on that room's topics alone."""
    house = House(classifier, tmp_path, sources=("nursery", "bedroom"))
    house.hear(QUIET, CRY, source="bedroom")
    assert house.events("nursery") == []
    assert house.events("bedroom")[0] == "started"


def test_a_restart_is_asked_for(house: House) -> None:
    """By the worker, so that a stuck one cannot pretend to obey."""
    house.queue.put(commands.Restart())
    assert house.restarts == 0
    house.worker.round()
    assert house.restarts == 1


def test_commands_have_a_bound(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """What a worker cannot obey in time is refused with a line in the log, not kept for ever."""
    for _ in range(COMMANDS_BOUND + 1):
        house.queue.put(commands.Restart())
    house.worker.round()
    assert house.restarts == COMMANDS_BOUND
    assert "refused Restart" in caplog.text


def test_the_demo_says_so_in_every_payload(classifier: Classifier, tmp_path: Path) -> None:
    """Nobody may take the built-in cry for their baby's."""
    house = House(classifier, tmp_path, demo=True)
    house.reporter.begin()
    house.hear(QUIET, CRY, HOLD)
    assert all(json.loads(one.payload)["demo"] is True for one in house.messages if isinstance(one.payload, str))
    assert all(line["demo"] is True for line in house.lines)
