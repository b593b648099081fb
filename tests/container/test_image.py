"""The image: who runs in it and how, its health, its end, its reload, and that a cry is heard and remembered."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from service.cli import _parser
from tests.support.container.containers import USER, Container, Network, compose, data_folder
from tests.support.container.image import Image
from tests.support.daemon.daemon import crying_room, quiet_room
from tests.support.paths import ROOT

pytestmark = [pytest.mark.container, pytest.mark.timeout(3600)]  # seconds: the first of them builds the image

MOST_BYTES = 180_000_000
"""Compressed: the bound of deploy/container/README.md."""


@pytest.fixture
def first(image: Image, network: Network, data: Path, tmp_path: Path) -> Iterator[Container]:
    """A family's first start: nothing is configured yet, and there is no microphone."""
    with Container(image, network, data, tmp_path) as container:
        yield container


@pytest.fixture
def configured(image: Image, network: Network, data: Path, tmp_path: Path) -> Iterator[Container]:
    """A nursery that cries over and over, and nothing else."""
    crying_room(data / "cry.wav")
    quiet_room(data / "quiet.wav")
    _configure(data, nursery={"file": "cry.wav", "loop": True})
    with Container(image, network, data, tmp_path) as container:
        container.says("Nursery")
        yield container


def _configure(data: Path, **sources: object) -> None:
    (data / "monitord.yaml").write_text(json.dumps({"sources": sources}))


def _heard(container: Container) -> str:
    return container.run("monitord", "status").stdout


def test_is_small(image: Image) -> None:
    """A parent waits for each megabyte, and a small disk keeps them all."""
    assert image.compressed_bytes <= MOST_BYTES


def test_a_first_start_plays_the_demo_and_shows_the_way_to_the_page(first: Container) -> None:
    """As deploy/run: a private broker, a cry that is heard, and a link that pairs a phone with the page, in the log."""
    first.says("there is no /data/monitord.yaml yet")
    first.says("https://")
    first.says("/pair#")
    first.wait_for(lambda: "CRYING" in _heard(first), "a cry, asked for over its broker")
    assert first.healthy()
    assert first.stop() == 0
    assert "WARNING" not in first.words


def test_one_that_is_stopped_while_it_starts_has_not_failed(first: Container) -> None:
    """Python is still loading, and has no word in it yet."""
    first.says("there is no /data/monitord.yaml yet")
    assert first.stop() == 0


def test_health_does_not_hang_on_the_file(configured: Container, data: Path) -> None:
    """One that was started with a configuration is the same once that is gone."""
    configured.wait_for(configured.healthy, "health")
    (data / "monitord.yaml").unlink()
    assert configured.healthy()
    assert configured.stop() == 0


def test_runs_as_nobody_in_particular(first: Container) -> None:
    """User and group 568, in `audio`, without a capability, and what is not /data or /tmp takes no writes."""
    first.wait_for(first.healthy, "health")
    for process in ("1", "self"):
        status = first.run("cat", f"/proc/{process}/status").stdout
        assert re.search(rf"^Uid:(\t{USER}){{4}}$", status, re.MULTILINE)
        assert re.search(rf"^Gid:(\t{USER}){{4}}$", status, re.MULTILINE)
        assert re.search(r"^Groups:\t29\b", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
    assert first.run("sh", "-c", "touch /etc/x || touch /opt/monitord/x || touch /usr/x").returncode != 0
    assert first.run("sh", "-c", "touch /data/x /tmp/x").returncode == 0


def test_a_configuration_is_heard_by_and_obeyed_anew(configured: Container, data: Path) -> None:
    """A cry is told; HUP takes a new room, and refuses a broken file; health is what it was before each."""
    configured.wait_for(lambda: "nursery: CRYING" in _heard(configured), "a cry")
    assert configured.healthy()
    _configure(data, nursery={"file": "cry.wav", "loop": True}, attic={"file": "quiet.wav", "loop": True})
    configured.kill("HUP")
    configured.wait_for(lambda: "attic: quiet" in _heard(configured), "the new room")
    assert configured.healthy()
    (data / "monitord.yaml").write_text("sources: {attic: {file: gone.wav}}")
    assert configured.run("monitord", "check").returncode == 78
    configured.kill("HUP")
    configured.says("the reload is REFUSED, the old configuration stays in force")
    assert configured.healthy()
    assert configured.stop() == 0


def test_a_camera_that_is_gone_is_no_illness(image: Image, network: Network, data: Path, tmp_path: Path) -> None:
    """The room is not heard, `status` says so, and the container stays healthy."""
    _configure(data, nursery={"stream": "rtsp://127.0.0.1:8554/live"})
    with Container(image, network, data, tmp_path) as container:
        container.wait_for(lambda: "NOT HEARD" in _heard(container), "the fault")
        assert container.run("monitord", "status").returncode == 1
        assert container.healthy()


def test_a_new_container_remembers(image: Image, network: Network, data: Path, tmp_path: Path) -> None:
    """What the family has set is in force again, from /data alone; so is what the private broker keeps."""
    quiet_room(data / "quiet.wav")
    _configure(data, nursery={"file": "quiet.wav", "loop": True})
    broker, topic = ("-h", "127.0.0.1"), "monitord/home/nursery"
    kept = ("mosquitto_sub", *broker, "-C", "1", "-W", "60", "-t", f"{topic}/settings")
    with Container(image, network, data, tmp_path) as old:
        old.wait_for(lambda: "nursery: quiet" in _heard(old), "the room")
        old.run("mosquitto_pub", *broker, "-q", "1", "-t", f"{topic}/threshold/set", "-m", "0.71")
        old.wait_for(lambda: json.loads(old.run(*kept).stdout)["threshold"] == 0.71, "the threshold")
        assert old.stop() == 0
    with Container(image, network, data, tmp_path) as new:
        new.wait_for(lambda: "nursery: quiet" in _heard(new), "the room again")
        assert json.loads(new.run(*kept).stdout)["threshold"] == 0.71
        assert new.stop() == 0


def test_a_second_one_on_the_network_of_the_first_needs_a_name(
    image: Image, network: Network, first: Container, tmp_path: Path
) -> None:
    """Both would have one private broker and one name at it: the second ends and says why, the first goes on."""
    first.says("mosquitto serves")
    (tmp_path / "second").mkdir()
    with data_folder(tmp_path / "second") as data, Container(image, network, data, tmp_path) as second:
        assert second.ends() == 78
        assert "another monitord has the node name 'home'" in second.words
    first.wait_for(lambda: "CRYING" in _heard(first), "a cry")
    assert "again and again" not in first.words


@pytest.mark.parametrize("user", [USER, 1000])
def test_a_folder_that_is_not_its_own_is_told_with_what_helps(
    image: Image, network: Network, tmp_path: Path, user: int
) -> None:
    """Docker makes a folder that is missing, and it belongs to root then; whose it must be, the family may choose."""
    (tmp_path / "roots").mkdir(mode=0o755)
    with Container(image, network, tmp_path / "roots", tmp_path, user=user) as container:
        assert container.ends() == 78
        assert f"sudo chown -R {user}:{user}" in container.words


def test_each_command_that_takes_a_configuration_gets_it() -> None:
    """The entrypoint names them."""
    listed = re.search(r"^([a-z |-]+)\)$", (ROOT / "deploy/container/entrypoint").read_text(), re.MULTILINE)
    assert listed is not None
    (commands,) = [action.choices for action in _parser()._actions if action.dest == "COMMAND" or action.choices]
    assert commands is not None
    takes = [name for name, parser in dict(commands).items() if "--config" in parser.format_usage()]
    assert sorted(listed[1].split(" | ")) == sorted(takes)


def test_the_microphone_of_the_compose_file_is_two_lines_to_be_uncommented() -> None:
    """With them it is YAML that names a device and a group."""
    text = (ROOT / "deploy/container/compose.yaml").read_text()
    (service,) = yaml.safe_load(text.replace("# devices:", "devices:").replace("# group_add:", "group_add:"))[
        "services"
    ].values()
    assert set(service) - set(compose()) == {"devices", "group_add"}
