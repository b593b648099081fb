"""A real Home Assistant for tests: started by the kit in ../shared/ha, with a broker of its own, and phones to push to.

The phones are registered with Home Assistant's own `mobile_app`, so the notify actions and their payloads are the real
ones; only the way through Apple's and Google's servers is cut short.
"""

import json
import os
import re
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Self

import pytest

from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, until

KIT: Final = ROOT.parent / "shared" / "ha"
INSTALLED: Final = Path(
    os.environ.get("HA_ROOT") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ha-kit"
)
"""Where the kit's setup.sh puts Home Assistant."""
START_S: Final = 600.0
"""Longest start, and longest installation of one part (seconds): only a failure takes so long."""

Json = dict[str, Any]
"""A JSON object. Any: values of JSON."""

_BENIGN: Final = re.compile(
    r"haffmpeg|libturbojpeg|Skipping pip installation|components\.brands|marketplace|components\.analytics"
)
"""What a Home Assistant without the internet says by itself; as in the kit."""

_LOGGED: Final = re.compile(r"\S+ \S+ (?P<level>\w+) \(.*?\) \[(?P<logger>.*?)\] (?P<text>.*)")

_WRONG_VALUE: Final = "No matching payload found"
"""Said at level INFO only, yet it means that an entity did not understand a payload."""


def skip_without_home_assistant() -> None:
    """Skips the test, saying why, where no real Home Assistant can be started."""
    if not (KIT / "run.sh").is_file():
        pytest.skip("needs the Home Assistant kit in ../shared/ha")
    mode = INSTALLED / "mode"
    if not mode.is_file() or not (INSTALLED / "tools" / "bin" / "python").exists():
        pytest.skip(f"Home Assistant is not installed in {INSTALLED}: run ../shared/ha/setup.sh once")
    if mode.read_text().strip() == "chroot" and os.geteuid() != 0:
        pytest.skip("the kit's Home Assistant lives in a chroot: needs root")


class HomeAssistant:
    """Home Assistant, connected to a broker; a with-block starts and ends it.

    Args:
        folder: For its log and state.
        broker: Running.
        language: Of its frontend.
    """

    def __init__(self, folder: Path, broker: Mosquitto, language: str = "en") -> None:
        self.folder = folder
        self._broker, self._language = broker, language

    def __enter__(self) -> Self:
        skip_without_home_assistant()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._kit("up", "--broker", f"127.0.0.1:{self._broker.port}", "--lang", self._language)
        state = json.loads((self.folder / "state.json").read_text())
        self.url: str = state["url"]
        self._token: str = state["token"]
        self._config = Path(state["config_dir"])
        return self

    def __exit__(self, *_: object) -> None:
        self._kit("down")
        shutil.rmtree(self._config, ignore_errors=True)

    def restart(self) -> None:
        """Ends it as its owner does, and starts it again with all that it kept."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """Ends it."""
        self._kit("stop-ha")

    def start(self) -> None:
        """Starts it again, and waits until everything is set up."""
        self._kit("start-ha")

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Calls the REST API; returns what it answers."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()[:500]}") from None
        return json.loads(text) if text[:1] in ("{", "[") else text

    def command(self, command: str, **arguments: object) -> Any:
        """Gives a command over the WebSocket API, which the REST API lacks; returns its result."""
        script = (
            "import asyncio, json, sys; sys.path.insert(0, sys.argv[1]); from check import HA\n"
            "async def main():\n"
            "    async with HA(sys.argv[2]) as ha:\n"
            "        print(json.dumps(await ha.cmd(sys.argv[3], **json.loads(sys.argv[4]))))\n"
            "asyncio.run(main())"
        )
        python = INSTALLED / "tools" / "bin" / "python"
        call = [python, "-c", script, KIT, self.folder, command, json.dumps(arguments)]
        return json.loads(_output(list(map(str, call))))

    def call(self, action: str, **data: object) -> None:
        """Performs an action, `switch.turn_on`."""
        self.ask("POST", f"/api/services/{action.replace('.', '/')}", data)

    def entity(self, entity_id: str) -> Json | None:
        """Returns state and attributes; None where there is no such entity."""
        found = [entity for entity in self.ask("GET", "/api/states") if entity["entity_id"] == entity_id]
        return found[0] if found else None

    def state(self, entity_id: str) -> str | None:
        """Returns the state; None where there is no such entity."""
        entity = self.entity(entity_id)
        return None if entity is None else str(entity["state"])

    def expect(self, entity_id: str, state: str | Callable[[str | None], bool], timeout_s: float = PATIENCE_S) -> None:
        """Waits until an entity has a state; fails, saying what it has, when it does not in time."""
        holds = state if callable(state) else lambda now: now == state
        try:
            until(lambda: holds(self.state(entity_id)), timeout_s)
        except AssertionError:
            raise AssertionError(f"{entity_id} is {self.state(entity_id)!r}, expected {state!r}") from None

    def install(self, blueprint: Path, alias: str, **inputs: object) -> str:
        """Makes an automation from a blueprint, as its page in Home Assistant does; returns the entity id.

        Args:
            blueprint: The file.
            alias: Name of the automation.
            inputs: As the selectors give them.
        """
        folder = self._config / "blueprints" / "automation" / "monitord"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(blueprint, folder)
        number = re.sub(r"\W+", "_", alias.lower())
        path = f"monitord/{blueprint.name}"
        body = {"alias": alias, "use_blueprint": {"path": path, "input": inputs}}
        self.ask("POST", f"/api/config/automation/config/{number}", body)
        self.expect(f"automation.{number}", "on")
        return f"automation.{number}"

    def remove(self, automation: str) -> None:
        """Takes away what `install` returned."""
        self.ask("DELETE", f"/api/config/automation/config/{automation.removeprefix('automation.')}")
        until(lambda: self.state(automation) in (None, "unavailable"))

    def warnings(self) -> list[str]:
        """Returns what it complained about so far, one text each."""
        log = (self._config / "home-assistant.log").read_text(errors="replace")
        found: list[str] = []
        for line in log.splitlines():
            entry = _LOGGED.match(line)
            if entry is None:
                continue
            bad = entry["level"] in ("WARNING", "ERROR", "CRITICAL") or _WRONG_VALUE in entry["text"]
            if bad and not _BENIGN.search(entry["logger"] + entry["text"]):
                found.append(f"[{entry['logger']}] {entry['text']}")
        return found

    def check(self, *arguments: str | Path) -> str:
        """Runs a command of the kit's check.py (`lint`, `shots`); returns what it prints."""
        python = INSTALLED / "tools" / "bin" / "python"
        return _output([str(python), str(KIT / "check.py"), str(self.folder), *map(str, arguments)])

    def _kit(self, command: str, *arguments: str) -> None:
        # A file, not a pipe: Home Assistant inherits it, and a pipe would never end.
        words = self.folder / "kit.log"
        with words.open("ab") as log:
            call = [str(KIT / "run.sh"), command, str(self.folder), *arguments]
            done = subprocess.run(call, stdout=log, stderr=log, check=False, timeout=START_S)
        assert done.returncode == 0, f"the kit could not {command}:\n{words.read_text()[-3000:]}"


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=START_S)
    assert done.returncode == 0, (
        f"{command[1:]} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    )
    return done.stdout
