"""From the release before to this one, and back: what the family taught, set, paired and is waiting for is there.

`state_of_0_1` is what 0.1 left behind; how it was made says `left_behind`.
"""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model.bundle import load_bundle
from model.manifest_versions import VOTES
from tests.end_to_end.upgrade.left_behind import CONFIGURATION, DATABASES, LEFT, unpacked
from tests.support.daemon.daemon import Daemon, monitord, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.sockets import free_port
from tests.support.web.served_page import browser

pytestmark = pytest.mark.e2e

BEFORE = Path(__file__).parent / "state_of_0_1"
HOME = "monitord/home"
NEWER = 99
"""Version of tables that nobody writes yet."""


def left(name: str) -> Any:
    """A file of the release before. Any: values of JSON."""
    return json.loads((BEFORE / name).read_text())


def configuration(folder: Path, broker: Mosquitto) -> Path:
    """The configuration of the release before, in rooms that are quiet now, with this machine's free ports."""
    text = (BEFORE / CONFIGURATION).read_text().replace("/srv", str(folder))
    values = json.loads(text)
    for name in ("cry.wav", "quiet.wav"):
        quiet_room(folder / name)
    values["mqtt"]["port"] = broker.port
    values["web"] |= {"port": free_port(), "http_port": free_port()}
    path = folder / CONFIGURATION
    path.write_text(json.dumps(values, indent=1))
    return path


def test_an_upgrade_keeps_everything(tmp_path: Path) -> None:
    """What was open ends, what waited is sent; settings, proofs, corrections, devices, rooms and nights stay."""
    unpacked(BEFORE, tmp_path / "state")
    rows = left("outbox.json")["rows"]["message"]
    waiting = {json.loads(payload)["id"] for _, _, topic, payload, _ in rows if topic.endswith("/segment")}
    (episode,) = left("episodes.json")["episodes"]
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as family:
        path = configuration(tmp_path, broker)
        with Daemon(tmp_path, "--config", path) as daemon:
            daemon.wait_for(lambda: family.last(f"{HOME}/status") == "online", "the daemon")
            daemon.wait_for(lambda: waiting <= _segments(family), "what waited for a broker")
            daemon.wait_for(lambda: _event(family).get("event_type") == "ended", "the end of what was open")
            assert (_event(family)["episode"], _event(family)["cause"]) == (episode["id"], "restart")
            daemon.wait_for(
                lambda: all(family.latest(f"{HOME}/attic/{topic}") for topic in ("settings", "proof")), "the attic"
            )
            settings = family.latest(f"{HOME}/attic/settings")
            assert (settings["profile"], settings["threshold"]) == ("night", 0.77)
            assert family.latest(f"{HOME}/attic/proof")["state"] == "proven"
            # Made on the page, by pairing a phone, and in no configuration.
            daemon.wait_for(lambda: family.last(f"{HOME}/kuche/status") is not None, "the phone's room")
            daemon.wait_for(lambda: "on any phone" in daemon.words, "the page")
            page = f"https://localhost:{json.loads(path.read_text())['web']['port']}/"
            authority = tmp_path / "state" / "web" / "ca.crt"
            assert asyncio.run(_role(authority, page, left(LEFT)["cookie"])) == "owner"
            assert "set aside" not in daemon.words.replace("and are set aside", "")
            assert "Traceback" not in daemon.words
            assert daemon.stop()[0] == 0
    assert list((tmp_path / "state").glob("*.broken*")) == []
    _holds_the_history(tmp_path / "state")
    _holds_the_corrections(tmp_path / "state")


def test_a_downgrade_loses_nothing(tmp_path: Path) -> None:
    """Tables of a newer version are kept beside, in a sentence; of documents what is known is read."""
    state = tmp_path / "state"
    unpacked(BEFORE, state)
    for name in DATABASES:
        with closing(sqlite3.connect(state / f"{name}.db")) as file:
            file.execute(f"PRAGMA user_version = {NEWER}")
    settings = json.loads((state / "settings.json").read_text())
    settings["attic"]["lullaby"] = "of a newer version"
    (state / "settings.json").write_text(json.dumps(settings))
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as family:
        path = configuration(tmp_path, broker)
        with Daemon(tmp_path, "--config", path) as daemon:
            daemon.wait_for(lambda: family.latest(f"{HOME}/attic/settings").get("threshold") == 0.77, "the settings")
            daemon.wait_for(lambda: daemon.words.count("a newer monitord wrote it") == len(DATABASES), "the words")
            assert daemon.stop()[0] == 0
        for name in DATABASES:
            (aside,) = state.glob(f"{name}.db.broken-*Z")
            assert f"it is kept as {aside}" in daemon.words
            with closing(sqlite3.connect(aside)) as file:
                assert file.execute("PRAGMA user_version").fetchone() == (NEWER,)
                for table, rows in left(f"{name}.json")["rows"].items():
                    assert file.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(rows),)
        values = json.loads(path.read_text())
        path.write_text(json.dumps(values | {"lullabies": True}))
        refused = monitord("check", "--config", path)
        assert refused.returncode == 78
        assert "lullabies" in refused.stderr


def test_a_bundle_of_format_1_still_hears(tmp_path: Path) -> None:
    """Whoever names a bundle in the configuration need not make it anew: its votes are read as evidence."""
    old = tmp_path / "bundle"
    shutil.copytree(load_bundle().directory, old)
    manifest = json.loads((old / "manifest.json").read_text())
    votes = dict.fromkeys(VOTES, 0) | {"on_p": 0.6, "off_p": 0.4, "n": 6, "m": 7, "span_s": 4.0, "hold_s": 6.0}
    manifest |= {"format_version": 1, "tracker": votes | {"unsure_below": manifest["tracker"]["unsure_below"]}}
    del manifest["distress"]
    (old / "manifest.json").write_text(json.dumps(manifest))
    unpacked(BEFORE, tmp_path / "state")
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as family:
        path = configuration(tmp_path, broker)
        with Daemon(tmp_path, "--config", path, "--bundle", old) as daemon:
            daemon.wait_for(lambda: family.last(f"{HOME}/attic/status") == "online", "the attic")
            assert daemon.stop()[0] == 0


def _segments(family: Subscriber) -> set[str]:
    return {
        json.loads(payload)["id"]
        for room in ("nursery", "attic")
        for payload in family.payloads(f"{HOME}/{room}/segment")
    }


def _event(family: Subscriber) -> dict[str, Any]:
    return family.latest(f"{HOME}/nursery/event")


async def _role(authority: Path, page: str, cookie: str) -> str:
    """Asks the page with the cookie that the owner's phone has kept."""
    async with (
        browser(authority, cookie) as phone,
        phone.get(page + "api/me") as got,
    ):
        role: str = (await got.json())["role"]
        return role


def _holds_the_history(state: Path) -> None:
    with closing(sqlite3.connect(state / "history.db")) as file:
        for table, column in (("episode", "id"), ("correction", "was")):
            kept = {value for (value,) in file.execute(f"SELECT {column} FROM {table}")}
            before = left("history.json")["rows"][table]
            assert before
            assert {value for row in before for value in row} >= kept & {"cat"}
            ours = [row[0] if table == "episode" else row[3] for row in before]
            assert set(ours) <= kept


def _holds_the_corrections(state: Path) -> None:
    """Under the name of the bundle to which they were given, where this version ships another one."""
    before = left("adaptation.json")
    now = json.loads((state / "adaptation.json").read_text())
    if now["bundle"] != before["bundle"]:
        now = json.loads((state / f"adaptation-{before['bundle']}.json").read_text())
    assert [one["was"] for one in now["corrections"]] == [one["was"] for one in before["corrections"]] == ["cat"]
