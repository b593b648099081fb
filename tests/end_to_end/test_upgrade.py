"""A state directory that the version before has written, killed while a baby cried and its broker was away."""

import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber

pytestmark = pytest.mark.e2e

BEFORE = Path(__file__).parent / "state_of_0_1"
"""What 0.1 left behind; its outbox as rows, for a binary file cannot be read in a review."""


def state_of_before(folder: Path) -> Path:
    """Lays it out as it was found a moment after the kill."""
    shutil.copytree(BEFORE, folder, ignore=shutil.ignore_patterns("outbox.json"))
    outbox = json.loads((BEFORE / "outbox.json").read_text())
    with sqlite3.connect(folder / "outbox.db") as file:
        file.execute(outbox["schema"])
        file.execute(f"PRAGMA user_version = {outbox['user_version']}")
        for row in outbox["rows"]:
            file.execute(
                "INSERT INTO message VALUES (:seq, :keep, :topic, :payload, :added)", row | {"added": time.time()}
            )
    file.close()
    return folder


def test_the_state_of_the_version_before_is_read(tmp_path: Path) -> None:
    """What was left open ends, what waited is sent, what the family set and proved stays; nothing is set aside."""
    state = state_of_before(tmp_path / "state")
    waiting = {json.loads(row["payload"])["id"] for row in json.loads((BEFORE / "outbox.json").read_text())["rows"]}
    recording = str(quiet_room(tmp_path / "quiet.wav"))
    sources = {one: {"file": recording, "loop": True} for one in ("nursery", "attic")}
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:

        def told(topic: str) -> dict[str, object]:
            values: dict[str, object] = json.loads(subscriber.last(f"monitord/home/{topic}") or "{}")
            return values

        with Daemon(tmp_path, "--config", configure(tmp_path, broker, sources, state_dir=str(state))) as daemon:
            daemon.wait_for(lambda: subscriber.last("monitord/home/status") == "online", "the daemon")
            daemon.wait_for(
                lambda: (
                    waiting
                    <= {
                        json.loads(payload)["id"]
                        for room in sources
                        for payload in subscriber.payloads(f"monitord/home/{room}/segment")
                    }
                ),
                "what waited for a broker",
            )
            daemon.wait_for(lambda: told("nursery/event").get("event_type") == "ended", "the end of what was open")
            assert told("nursery/event")["episode"] == "nursery-20261129T183618Z-1"
            assert told("nursery/event")["cause"] == "restart"
            assert told("nursery/state")["crying"] is False
            # What waited goes before such states.
            daemon.wait_for(lambda: bool(told("attic/settings") and told("nursery/proof")), "what the family set")
            assert (told("attic/settings")["profile"], told("attic/settings")["threshold"]) == ("night", 0.77)
            assert (told("nursery/proof")["state"], told("nursery/proof")["heard_ms"]) == ("proven", 1612)
            assert "set aside" not in daemon.words
            assert "Traceback" not in daemon.words
    assert list(state.glob("*.broken*")) == []
