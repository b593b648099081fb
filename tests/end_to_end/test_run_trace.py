"""`monitord run --trace FILE`: a running daemon writes why it rang, and a file that cannot be written harms nobody."""

import json
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, crying_room
from tests.support.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.e2e


def test_a_night_in_a_file(tmp_path: Path) -> None:
    """The way of the cry is in the file: room, gate, windows and events, each with its time of day."""
    trace = tmp_path / "trace.jsonl"
    sources = {"nursery": {"file": str(crying_room(tmp_path / "cry.wav"))}}
    with Mosquitto(tmp_path / "broker") as broker:
        configuration = configure(tmp_path, broker, sources)
        with Daemon(tmp_path, "--config", configuration, "--trace", trace, "--log-level", "warning") as daemon:
            assert daemon.ends() == 0
    lines = [json.loads(line) for line in trace.read_text().splitlines()]
    assert {line["kind"] for line in lines} >= {"room", "gate", "window", "segment", "event", "state"}
    assert {line["source"] for line in lines} == {"nursery"}
    (started,) = [line for line in lines if line.get("event_type") == "started"]
    assert started["onset_s"] == daemon.events("started")[0]["onset_s"]
    assert all(line["at"].endswith("Z") for line in lines)
    assert "nursery: live" not in daemon.words  # of the level info


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """It is said once, and the cry is told all the same."""
    sources = {"nursery": {"file": str(crying_room(tmp_path / "cry.wav"))}}
    with Mosquitto(tmp_path / "broker") as broker:
        configuration = configure(tmp_path, broker, sources)
        with Daemon(tmp_path, "--config", configuration, "--trace", tmp_path / "gone" / "trace.jsonl") as daemon:
            assert daemon.ends() == 0
    assert daemon.events("started")
    assert daemon.words.count("hearing goes on") == 1
