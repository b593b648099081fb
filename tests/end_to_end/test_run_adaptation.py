"""That was the cat: a false alarm is corrected at a running daemon, and the next meow wakes nobody."""

import json
from pathlib import Path

import numpy as np
import pytest

from monitord.pcm import FULL_SCALE
from monitord.types import RATE_HZ, Pcm
from service.cli import CONFIG_EXIT
from tests.support.daemon.daemon import Daemon, Json, configure, crying_room, looped, monitord, room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import silence, write_wav

pytestmark = pytest.mark.e2e

HOME = "monitord/home"


def meow() -> Pcm:
    """A cat from a formula that the bundle takes for a cry: a voice that glides up and down, again and again."""
    t = np.arange(int(0.9 * RATE_HZ)) / RATE_HZ
    pitch_hz = 420.0 + 260.0 * np.sin(np.pi * t / 0.9)
    phase = 2.0 * np.pi * np.cumsum(pitch_hz) / RATE_HZ
    voice = sum(np.sin(k * phase) / k for k in range(1, 12))
    wave = voice * np.sin(np.pi * t / 0.9) ** 0.5
    one = (0.4 * FULL_SCALE * wave / np.abs(wave).max()).astype(np.int16)
    return np.concatenate([np.concatenate([one, silence(0.15)]) for _ in range(6)])


def test_that_was_the_cat(tmp_path: Path) -> None:
    """Corrected over MQTT and learnt at once: the same cat is silent in the next run, and a cry is told."""
    cat = write_wav(tmp_path / "cat.wav", room(silence(1.0), meow(), silence(2.0)))
    cry = crying_room(tmp_path / "cry.wav")
    # Lower hears more: a network that is seldom wrong is wrong here.
    sensitive = {"day": {"threshold": 0.15}}
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:

        def taught() -> Json:
            told: Json = subscriber.latest(f"{HOME}/info")["adaptation"]
            return told

        configuration = configure(tmp_path, broker, {"hall": looped(cat)}, profiles=sensitive)
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started")), "the cat")
            episode = daemon.events("started")[0]["episode"]
            subscriber.say(f"{HOME}/hall/correct/set", json.dumps({"episode": episode, "was": "cat"}))
            daemon.wait_for(lambda: bool(taught()["in_force"]), "what was learnt")
            assert taught()["corrections"] == 1
            assert taught()["detail"].startswith("1 of 1 corrections are heard as you say")
            shown = monitord("adapt", "--show", "--config", configuration)
            assert (shown.returncode, shown.stdout[:26]) == (0, "in force; corrections: 1, ")
            daemon.stop()
        configuration = configure(
            tmp_path, broker, {"hall": {"file": str(cat)}, "nursery": {"file": str(cry)}}, profiles=sensitive
        )
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.ends()
            assert [event["source"] for event in daemon.events("started")] == ["nursery"]


def test_corrected_from_another_terminal(tmp_path: Path) -> None:
    """By the command of a person, who need not know an episode's id; undone by another; a slip is said."""
    cat = write_wav(tmp_path / "cat.wav", room(silence(1.0), meow(), silence(2.0)))
    with Mosquitto(tmp_path / "broker") as broker:
        configuration = configure(tmp_path, broker, {"hall": looped(cat)}, profiles={"day": {"threshold": 0.15}})
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started")), "the cat")
            said = monitord("correct", "--was", "cat", "--config", configuration)
            assert (said.returncode, said.stderr) == (0, "")
            assert said.stdout.startswith("in force; corrections: 1, ")
            undone = monitord("adapt", "--undo", "--config", configuration)
            assert undone.returncode == 0
            assert undone.stdout.startswith("nothing in force; corrections: 0, ")
            slip = monitord("correct", "--reason", "loneliness", "--config", configuration)
            assert slip.returncode == CONFIG_EXIT
            assert "'loneliness' is none of hunger, boredom, tiredness, discomfort" in slip.stderr
