"""The app in its image, as Home Assistant starts it: as root, with options, a Supervisor, its sound, its folders."""

import json
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.support.container.containers import USER, Container, Network
from tests.support.container.image import Image, built
from tests.support.daemon.daemon import crying_room
from tests.support.homeassistant.supervisor import TOKEN, FakeSupervisor, serve_supervisor, service
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.virtual_microphone import VirtualMicrophone

pytestmark = pytest.mark.container

APP = ROOT / "deploy" / "homeassistant-app" / "monitord"
PASSWORD = "brokerwort-7f3a"
CAPABILITIES = [f"CAP_{name.upper()}" for name in re.findall(r"capability (\w+),", (APP / "apparmor.txt").read_text())]
"""What its profile leaves it."""
SUPERVISOR_PORT, INGRESS_PORT = 8_080, 62_001
"""In the network of the test."""
ALSA = 'pcm.!default { type pulse hint { show on description "Default Audio Device" } }\nctl.!default { type pulse }\n'
PULSE = "default-server = unix:/run/audio/native\nautospawn = no\n"
"""What the Supervisor mounts for `audio: true` (supervisor/data/asound.tmpl, pulse-client.tmpl)."""


@pytest.fixture(scope="session")
def app_image(image: Image) -> Image:
    """The Dockerfile of the app, on the image of this checkout."""
    build = ["buildah", "build", "--format", "docker", "--build-arg", f"BASE={image.name}"]
    return built(
        "monitord-app", [*build, "--tag", "monitord-app:latest", str(APP)], ("deploy/homeassistant-app",), on=image
    )


@dataclass
class Home:
    """What Home Assistant gives the app."""

    image: Image
    network: Network
    data: Path
    folder: Path

    def __post_init__(self) -> None:
        self.mounts = {"/config": self.folder / "config", "/run/monitord": self.folder / "run"}
        for folder in self.mounts.values():
            folder.mkdir()
        options = self.data / "options.json"
        options.touch(mode=0o600)
        options.write_text(json.dumps({"rooms": [{"name": "Nursery", "microphone": "default"}], "owners": ["anna"]}))

    def with_sound(self, environment: pytest.MonkeyPatch) -> VirtualMicrophone:
        """Adds its sound server, which lets every user in."""
        server, alsa, pulse = self.folder / "sound", self.folder / "asound.conf", self.folder / "client.conf"
        server.mkdir()
        microphone = VirtualMicrophone(server, environment)
        microphone.start()
        server.chmod(0o755)
        alsa.write_text(ALSA)
        pulse.write_text(PULSE)
        self.mounts |= {"/run/audio": server, "/etc/asound.conf": alsa, "/etc/pulse/client.conf": pulse}
        return microphone

    def app(self) -> Container:
        """As the Supervisor starts it; the Supervisor's address is one of the test's network."""
        return Container(
            self.image,
            self.network,
            self.data,
            self.folder,
            arguments=["--supervisor", f"http://127.0.0.1:{SUPERVISOR_PORT}"],
            environment={"SUPERVISOR_TOKEN": TOKEN},
            mounts=self.mounts,
            capabilities=CAPABILITIES,
        )


@pytest.fixture
def home(app_image: Image, network: Network, data: Path, tmp_path: Path) -> Home:
    """With one room in its form."""
    return Home(app_image, network, data, tmp_path)


def users(app: Container) -> dict[str, set[str]]:
    """Returns who runs which program, but for what looks."""
    told = app.run("sh", "-c", "grep -hE '^(Name|Uid):' /proc/[0-9]*/status").stdout
    found: dict[str, set[str]] = {}
    for name, user in re.findall(r"^Name:\t(.+)\nUid:\t(\d+)", told, re.MULTILINE):
        found.setdefault(name, set()).add(user)
    return {name: who for name, who in found.items() if name not in {"sh", "grep"}}


def test_a_cry_reaches_home_assistant(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its sound server and its broker, from user 568; no secret is in the log; it is healthy, and TERM gives 0."""
    with ExitStack() as stack:
        microphone = home.with_sound(monkeypatch)
        stack.callback(microphone.kill)
        stack.enter_context(home.network.entered())
        broker = stack.enter_context(Mosquitto(home.folder / "broker", users={"addons": PASSWORD}))
        subscriber = stack.enter_context(Subscriber(broker, user="addons"))
        supervisor = FakeSupervisor(service(broker, "addons"), INGRESS_PORT)
        stack.enter_context(serve_supervisor(supervisor, port=SUPERVISOR_PORT))
        app = stack.enter_context(home.app())
        app.wait_for(lambda: subscriber.last("monitord/home/nursery/status") == "online", "the microphone")
        microphone.play(crying_room(home.folder / "cry.wav"))
        app.wait_for(lambda: subscriber.latest("monitord/home/nursery/state").get("crying") is True, "the cry")
        app.wait_for(app.healthy, "health")
        assert users(app) == {"tini": {"0"}, "python": {str(USER)}}
        with pytest.raises(HTTPError, match="403"):  # it is there, and we are not the Supervisor
            urlopen(f"http://127.0.0.1:{INGRESS_PORT}/")
        seen = app.words + "".join(heard.payload for heard in subscriber.heard)
        assert PASSWORD not in seen
        assert TOKEN not in seen
        assert app.stop() == 0


def test_one_that_is_stopped_while_it_asks_has_not_failed(home: Home) -> None:
    """Home Assistant is starting and does not answer yet; a status of 143 would count as an error there."""
    supervisor = FakeSupervisor(failing=1_000)
    with home.network.entered(), serve_supervisor(supervisor, port=SUPERVISOR_PORT), home.app() as app:
        app.wait_for(lambda: supervisor.asked != [], "the first question")
        assert app.stop() == 0


def test_without_a_supervisor_it_starts_and_says_so(home: Home) -> None:
    """It has a broker of its own and its page, and is healthy: whoever reads the log learns what to install."""
    with home.app() as app:
        app.says("the Supervisor does not tell /services/mqtt: no connection")
        app.says("Install the app Mosquitto broker")
        app.says(":8443/")
        app.wait_for(app.healthy, "health")
        assert app.stop() == 0
