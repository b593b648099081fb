"""What a version leaves behind when it is killed while a baby cries and its broker is away, as files for a review.

`python -m tests.end_to_end.upgrade.left_behind FOLDER` makes it, with the daemon of this checkout: once for each
release, as it is tagged. `unpacked` lays it out again, as it was found a moment after the kill.
"""

import asyncio
import json
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.end_to_end.test_run_adaptation import HOME, meow
from tests.support.daemon.daemon import Daemon, configure, crying_room, looped, monitord, quiet_room, room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.sockets import free_port
from tests.support.sound.sounds import silence, write_wav
from tests.support.web.served_page import COOKIE, browser

DATABASES: Final = ("outbox", "history")
"""SQLite files: as rows, for a binary file cannot be read in a review."""
LEFT: Final = "left.json"
"""Beside what is in the state directory: when it was left (Unix seconds), and the cookie of the paired owner."""
CONFIGURATION: Final = "monitord.yaml"


def main(out: Path) -> None:
    """Writes what is left behind into this folder, in place of what is there."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        configuration, cookie = _live(folder)
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        for path in sorted((folder / "state").glob("*.json")):
            _write(out / path.name, json.loads(path.read_text()))
        for name in DATABASES:
            _write(out / f"{name}.json", _rows(folder / "state" / f"{name}.db"))
        _write(out / LEFT, {"at": time.time(), "cookie": cookie})
        (out / CONFIGURATION).write_text(configuration.replace(str(folder), "/srv"))


def _live(folder: Path) -> tuple[str, str]:
    """One evening: returns the configuration, and the owner's cookie."""
    cat = write_wav(folder / "cat.wav", room(silence(1.0), meow(), silence(2.0)))
    quiet = looped(quiet_room(folder / "quiet.wav"))
    cries = {"nursery": looped(crying_room(folder / "cry.wav", 0.5, 0.5)), "attic": quiet}
    web = {"host": "127.0.0.1", "port": free_port(), "http_port": free_port()}
    # Lower hears more: a network that is seldom wrong is wrong about the cat.
    profiles = {"day": {"threshold": 0.15}, "night": {}}
    with Mosquitto(folder / "broker") as broker, Subscriber(broker) as family:
        path = configure(folder, broker, {"nursery": looped(cat), "attic": quiet}, profiles=profiles, web=web)
        with Daemon(folder, "--config", path) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started")), "the cat")
            episode = daemon.events("started")[0]["episode"]
            family.say(f"{HOME}/nursery/correct/set", json.dumps({"episode": episode, "was": "cat"}))
            daemon.wait_for(lambda: bool(family.latest(f"{HOME}/info")["adaptation"]["in_force"]), "what was learnt")
            daemon.stop()
        path = configure(folder, broker, cries, profiles=profiles, web=web)
        with Daemon(folder, "--config", path) as daemon:
            daemon.wait_for(lambda: family.last(f"{HOME}/attic/status") == "online", "the attic")
            for name, value in (("profile", "night"), ("threshold", "0.77"), ("snooze", "30")):
                family.say(f"{HOME}/attic/{name}/set", value)
            daemon.wait_for(lambda: family.latest(f"{HOME}/attic/settings").get("threshold") == 0.77, "the settings")
            assert monitord("test-alarm", "--config", path, "--source", "attic").returncode == 0
            cookie = asyncio.run(_pair(path, folder / "state", "owner"))
            asyncio.run(_pair(path, folder / "state", "microphone", name="Küche"))
            daemon.wait_for(lambda: family.last(f"{HOME}/kuche/status") is not None, "the phone's room")
            daemon.wait_for(lambda: bool(family.latest(f"{HOME}/nursery/state").get("crying")), "a cry after that")
            family.say(f"{HOME}/nursery/ack/set", "PRESS")
            daemon.wait_for(lambda: bool(daemon.events("acknowledged", "nursery")), "the answer")
            broker.kill()
            told = len(daemon.segments())
            daemon.wait_for(lambda: len(daemon.segments()) > told + 2, "what nobody takes")
            daemon.kill()
    return path.read_text(), cookie


async def _pair(configuration: Path, state: Path, role: str, **more: str) -> str:
    made = monitord("pair", "--config", configuration, "--role", role)
    page, _, token = made.stdout.strip().partition("pair#")
    body, headers = {"token": token, **more}, {"Origin": page.rstrip("/")}
    async with (
        browser(state / "web" / "ca.crt") as phone,
        phone.post(page + "api/pair", json=body, headers=headers) as paired,
    ):
        return paired.cookies[COOKIE].value


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def _rows(path: Path) -> dict[str, Any]:
    """Returns a database as values of JSON. Any: values of SQLite."""
    file = sqlite3.connect(path)
    made = file.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    tables = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    rows = {name: [list(row) for row in file.execute(f"SELECT * FROM {name}")] for name in tables}
    (version,) = file.execute("PRAGMA user_version").fetchone()
    file.close()
    return {"user_version": version, "schema": [sql for (sql,) in made], "rows": rows}


def unpacked(left: Path, state: Path) -> None:
    """Lays it out as a state directory, as if it had been left a moment ago."""
    late_s = time.time() - json.loads((left / LEFT).read_text())["at"]
    state.mkdir()
    for path in left.glob("*.json"):
        value = _later(json.loads(path.read_text()), late_s)
        if path.stem in DATABASES:
            _fill(state / f"{path.stem}.db", value)
        elif path.name != LEFT:
            _write(state / path.name, value)


def _fill(path: Path, database: dict[str, Any]) -> None:
    file = sqlite3.connect(path)
    for sql in database["schema"]:
        file.execute(sql)
    for table, rows in database["rows"].items():
        for row in rows:
            file.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", row)
    file.execute(f"PRAGMA user_version = {database['user_version']}")
    file.commit()
    file.close()


CENTURY: Final = (1_577_836_800.0, 4_102_444_800.0)
"""From 2020 to 2099 (Unix seconds): a number between them is a time, for nothing else that is kept is so large."""


def _later(value: Any, by_s: float) -> Any:  # values of JSON
    """Moves every time in it: what is too old is thrown away, and this must not grow old."""
    match value:
        case dict():
            return {key: _later(one, by_s) for key, one in value.items()}
        case list():
            return [_later(one, by_s) for one in value]
        case int() | float() if not isinstance(value, bool) and CENTURY[0] < value < CENTURY[1]:
            return value + by_s
    return value


def documents(left: Path) -> Iterator[str]:
    """The names of the JSON documents in it."""
    yield from (path.stem for path in left.glob("*.json") if path.stem not in DATABASES and path.name != LEFT)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
