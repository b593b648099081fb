"""Measures the last leg of an alert: from the last sample that it rests on to `crying` in a real Home Assistant."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import numpy as np
import pytest

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ
from tests.bench.cost.figures import Figure
from tests.bench.sounds import quiet
from tests.support.daemon.daemon import Daemon, configure, short_cry
from tests.support.homeassistant.home_assistant import HomeAssistant
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.sound.sounds import write_wav

ROOMS: Final = ("nursery", "bedroom", "attic", "parlour")
BETWEEN_S: Final = 4.5
"""Seconds between the cries of two rooms: with up to 3 s they would be one episode. A room's own turn comes after 18 s,
when its episode has ended."""
JITTER_S: Final = 0.5
"""Most seconds that a cry comes later, so that it lies anywhere between the hops of the windows."""
FIRST_S: Final = 10.0
"""Quiet before the first cry (seconds): by then Home Assistant has found all entities."""
LAST_S: Final = 15.0
"""Quiet after the last one (seconds): the hold of an episode is 10."""
SOON_S: Final = 10.0
"""A state that came so much later (seconds) belongs to another cry."""
TARGET_MS: Final = 250.0
"""Of the 95th percentile: the promise."""
CRIES: Final = 6
"""In each repetition; 10 repetitions are 60 cries."""


def to_home_assistant(
    folder: Path, broker: Mosquitto, bundle: Path, times: int, say: Callable[[str], None]
) -> list[Figure]:
    """Lets four rooms cry in turn, and compares clocks; nothing where no Home Assistant can be started.

    Args:
        folder: For sounds and state.
        broker: Running.
        bundle: Directory of the model.
        times: Repetitions, of `CRIES` cries each.
        say: Gets a line of progress.
    """
    turns = -(-times * CRIES // len(ROOMS))
    try:
        with (
            HomeAssistant(folder / "home_assistant", broker) as home,
            Subscriber(broker, "watch", topic="monitord/#") as watch,
        ):
            say(f"Home Assistant: {turns * len(ROOMS)} cries, {_length_s(turns) / 60:.1f} minutes")
            sources = {room: {"file": str(_cries(folder, i, turns))} for i, room in enumerate(ROOMS)}
            configuration = configure(folder, broker, sources, bundle=str(bundle))
            with Daemon(folder, "--config", configuration) as daemon:
                for room in ROOMS:
                    home.expect(f"binary_sensor.{room}_crying", "off")
                code = daemon.ends(2 * _length_s(turns))
                assert code == 0, daemon.words
            return _figures(_started(watch), _told(watch), _turned_on(home, turns * len(ROOMS)), say)
    except pytest.skip.Exception as reason:
        say(f"Home Assistant: left out, {reason}")
        return []


def _started(watch: Subscriber) -> list[dict[str, Any]]:
    """Every `started`, room by room."""
    events = [event for room in ROOMS for event in watch.values(f"monitord/home/{room}/event")]
    return [event for event in events if event["event_type"] == "started"]


def _told(watch: Subscriber) -> dict[str, list[float]]:
    """When each room was told to cry (Unix seconds)."""
    return {
        room: [
            heard.at
            for heard in watch.heard
            if heard.topic == f"monitord/home/{room}/state" and json.loads(heard.payload)["crying"]
        ]
        for room in ROOMS
    }


def _figures(
    started: list[dict[str, Any]], told: dict[str, list[float]], on: dict[str, list[float]], say: Callable[[str], None]
) -> list[Figure]:
    at_subscriber: list[float] = []
    at_home: list[float] = []
    for event in started:
        ts = datetime.fromisoformat(event["ts"]).timestamp()
        for times, values in ((told, at_subscriber), (on, at_home)):
            values.extend([1e3 * (at - ts) for at in times[event["source"]] if 0 <= at - ts < SOON_S][:1])
    say(f"Home Assistant: {len(started)} alarms, {len(at_home)} of them seen there")
    percentiles = range(0, 101, 10)
    values_ms = np.percentile(at_home, percentiles)
    say(" ".join(f"{percent} %: {value:.0f} ms," for percent, value in zip(percentiles, values_ms, strict=True)))
    rests = "from the last sample that an alarm rests on"
    return [
        Figure(f"{rests}, until it is decided", "ms", tuple(event["latency_end_ms"] for event in started)),
        Figure("... until it is published", "ms", tuple(event["latency_publish_ms"] for event in started)),
        Figure("... until a subscriber has the state", "ms", tuple(at_subscriber)),
        Figure("... until `crying` is on in Home Assistant", "ms", tuple(at_home), TARGET_MS, judged=95),
    ]


def _turned_on(home: HomeAssistant, cries: int) -> dict[str, list[float]]:
    """When each room's `crying` turned on (Unix seconds), from Home Assistant's own history, which lags a little."""
    began = quote(datetime.fromtimestamp(time.time() - 86_400, UTC).isoformat())
    entities = {f"binary_sensor.{room}_crying": room for room in ROOMS}
    found: dict[str, list[float]] = {}

    def written() -> bool:
        query = f"/api/history/period/{began}?filter_entity_id={','.join(entities)}"
        for states in home.ask("GET", query):
            on = [state["last_changed"] for state in states if state["state"] == "on"]
            found[entities[states[0]["entity_id"]]] = [datetime.fromisoformat(at).timestamp() for at in on]
        return sum(map(len, found.values())) >= cries

    try:
        until(written)
    except AssertionError:  # some were not heard: the figures say how many
        written()
    return found


def _length_s(turns: int) -> float:
    return FIRST_S + turns * len(ROOMS) * BETWEEN_S + LAST_S


def _cries(folder: Path, number: int, turns: int) -> Path:
    """Writes the sound of one room: a cry at each of its turns."""
    sound = quiet(_length_s(turns)).astype(np.int32)
    late_s = np.random.default_rng(number).uniform(0, JITTER_S, turns)
    cry = short_cry()
    for turn in range(turns):
        start = int((FIRST_S + (turn * len(ROOMS) + number) * BETWEEN_S + late_s[turn]) * RATE_HZ)
        sound[start : start + len(cry)] += cry
    return write_wav(folder / f"{ROOMS[number]}.wav", np.clip(sound, -FULL_SCALE, FULL_SCALE - 1).astype(np.int16))
