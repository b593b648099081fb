"""The app as Home Assistant starts it: options that only root reads, its Supervisor, its broker and its sound server.

Here by the entrypoint alone, in the image by tests/container/test_homeassistant_app.py.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pytest

from service.homeassistant_app.__main__ import USER
from tests.support.daemon.daemon import crying_room
from tests.support.homeassistant.supervisor import TOKEN, FakeSupervisor, serve_supervisor, service
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S, wait_beside
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.sockets import free_port
from tests.support.servers.virtual_microphone import VirtualMicrophone

pytestmark = pytest.mark.e2e

MQTT_PASSWORD, CAMERA_PASSWORD = "brokerwort-7f3a", "kamerawort-91bc"


def _user() -> int:
    """The app's own where this Python can become it, which lies in root's own folder on some machines."""
    try:
        subprocess.run([sys.executable, "-c", ""], check=True, user=USER, group=USER, extra_groups=())
    except (OSError, subprocess.CalledProcessError):
        return os.geteuid()
    return USER


@dataclass
class App:
    """One start of the app; a with-block starts and ends it."""

    folder: Path
    """With data, config and run."""
    supervisor: FakeSupervisor
    user: int = field(default_factory=_user)

    def __enter__(self) -> Self:
        folders = [f"--{name}={self.folder / name}" for name in ("data", "config", "run")]
        command = [sys.executable, "-m", "service.homeassistant_app", *folders, f"--user={self.user}"]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, f"--supervisor={self.supervisor.address}"],
                cwd=ROOT,
                env={**os.environ, "SUPERVISOR_TOKEN": TOKEN, "HASSIO_TOKEN": TOKEN},  # as the Supervisor does
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(PATIENCE_S)

    @property
    def words(self) -> str:
        """What Home Assistant shows as the app's log."""
        return (self.folder / "log").read_text()

    def wait_for(self, condition: Callable[[], bool], what: str) -> None:
        """Waits until the condition holds; fails, with its words, where it ends before."""
        wait_beside(self._process, condition, what, lambda: self.words)

    def of_process(self, name: str) -> str:
        """Returns a file of /proc, its words one a line."""
        return Path(f"/proc/{self._process.pid}/{name}").read_bytes().replace(b"\0", b"\n").decode()

    def stop(self) -> int:
        """Asks it to leave; returns its exit status."""
        self._process.send_signal(signal.SIGTERM)
        return self.ends()

    def ends(self) -> int:
        """Waits for its end."""
        return self._process.wait(PATIENCE_S)


@pytest.fixture
def folder() -> Iterator[Path]:
    """With the app's folders; its user may pass through it, as not through pytest's."""
    made = Path(tempfile.mkdtemp(prefix="monitord-app-"))
    made.chmod(0o755)
    for name in ("data", "config", "sound"):
        (made / name).mkdir()
    yield made
    shutil.rmtree(made)


def options(folder: Path, values: object) -> None:
    """Writes them as the Supervisor does."""
    path = folder / "data" / "options.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps(values))


@pytest.fixture
def microphone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    """Home Assistant's sound server, which lets every user in."""
    made = VirtualMicrophone(folder / "sound", monkeypatch)
    made.start()
    (folder / "sound").chmod(0o755)
    yield made
    made.kill()


def test_a_cry_reaches_home_assistant(folder: Path, microphone: VirtualMicrophone) -> None:
    """From the microphone to the broker that the Supervisor offers, with nothing typed but a room; no secret leaks."""
    camera = f"rtsp://anna:{CAMERA_PASSWORD}@127.0.0.1:{free_port()}/live"
    rooms = [{"name": "Nursery", "microphone": "default"}, {"name": "Hall", "stream": camera}]
    options(folder, {"rooms": rooms, "language": "de", "owners": ["anna"]})
    (folder / "config" / "monitord.yaml").write_text("web: {host: 127.0.0.1}\n")
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder / "broker", users={"addons": MQTT_PASSWORD}))
        subscriber = stack.enter_context(Subscriber(broker, user="addons"))
        supervisor = FakeSupervisor(service(broker, "addons"), ingress_port=free_port())
        stack.enter_context(serve_supervisor(supervisor))
        app = stack.enter_context(App(folder, supervisor))
        app.wait_for(lambda: subscriber.last("monitord/home/nursery/status") == "online", "the microphone")
        microphone.play(crying_room(folder / "cry.wav"))
        app.wait_for(lambda: subscriber.latest("monitord/home/nursery/state").get("crying") is True, "the cry")
        assert re.search(rf"^Uid:(\t{app.user}){{4}}$", app.of_process("status"), re.MULTILINE)
        app.wait_for(lambda: subscriber.fault("hall") != "ok", "the camera that is not there")
        assert f"MQTT: Home Assistant's broker, 127.0.0.1:{broker.port}" in app.words
        seen = app.words + app.of_process("cmdline") + app.of_process("environ")
        seen += "".join(heard.payload for heard in subscriber.heard)
        state = [path for path in (folder / "data" / "monitord").rglob("*") if path.is_file()]
        for secret in (MQTT_PASSWORD, CAMERA_PASSWORD, TOKEN):
            assert secret not in seen
            assert [path for path in state if secret.encode() in path.read_bytes()] == []
        assert app.stop() == 0


def test_wrong_options_are_told_and_nothing_starts(folder: Path) -> None:
    """By the names of the form, and with the exit status of a configuration that a person must mend."""
    options(folder, {"rooms": [{"name": "Attic"}], "language": "fr"})
    with serve_supervisor(FakeSupervisor()) as supervisor, App(folder, supervisor) as app:
        assert app.ends() == 78
    assert "option rooms.0: 'Attic' needs either microphone" in app.words
    assert "option language: 'fr' is not allowed; allowed are de, en" in app.words
    assert not (folder / "run").exists()


def test_a_wrong_file_of_the_family_is_told_with_its_line(folder: Path) -> None:
    """As everywhere, by the name under which the family knows it."""
    options(folder, {})
    (folder / "config" / "monitord.yaml").write_text("node: home\nsource: {}\n")
    with serve_supervisor(FakeSupervisor()) as supervisor, App(folder, supervisor) as app:
        assert app.ends() == 78
    assert "config/monitord.yaml:2: source: unknown key; did you mean 'sources'" in app.words


def test_a_folder_that_takes_no_writes_is_told(folder: Path) -> None:
    """In a sentence, with the folder: here, a file is in its way."""
    options(folder, {})
    (folder / "data" / "monitord").write_text("")
    with serve_supervisor(FakeSupervisor()) as supervisor, App(folder, supervisor) as app:
        assert app.ends() == 78
    assert f"cannot write {folder / 'data' / 'monitord'}: File exists; is the disk full, or read-only?" in app.words
    assert "Traceback" not in app.words
