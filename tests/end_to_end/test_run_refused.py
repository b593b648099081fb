"""What the daemon refuses at its start: each mistake named, with what helps; exit 78, so that nobody tries for ever."""

import os
import shutil
from pathlib import Path

import pytest

from model.bundle import MANIFEST, TFLITE, default_bundle_path
from service.cli import CONFIG_EXIT
from tests.support.daemon.daemon import Daemon, configure, crying_room, looped, monitord, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.media import write_video


def refusal(folder: Path, *arguments: str | Path) -> str:
    """Runs the daemon, which must refuse at once; returns what it said."""
    with Daemon(folder, *arguments) as daemon:
        assert daemon.ends() == CONFIG_EXIT, daemon.words
    assert daemon.printed == []
    assert "Traceback" not in daemon.words
    assert "monitord: " in daemon.words
    return daemon.words.partition("monitord: ")[2]


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A copy of the model, to be damaged."""
    return shutil.copytree(default_bundle_path(), tmp_path / "bundle")


def test_an_unknown_key(tmp_path: Path) -> None:
    """A typo in the configuration is named by file, line and path, with the key that was meant."""
    source = {"file": str(quiet_room(tmp_path / "quiet.wav")), "lop": True}
    words = refusal(tmp_path, "--config", configure(tmp_path, None, {"nursery": source}))
    assert words.startswith(str(tmp_path / "monitord.yaml"))
    assert "sources.nursery.lop" in words
    assert "did you mean 'loop'" in words


def test_a_configuration_that_is_missing(tmp_path: Path) -> None:
    """A missing configuration is named."""
    assert str(tmp_path / "gone.yaml") in refusal(tmp_path, "--config", tmp_path / "gone.yaml")


def test_a_missing_recording(tmp_path: Path) -> None:
    """A recording that is not there, typed or configured, is named, even beside one that is."""
    good = quiet_room(tmp_path / "quiet.wav")
    assert f"{tmp_path / 'gone.wav'}: no such file" in refusal(tmp_path, good, tmp_path / "gone.wav")
    configuration = configure(tmp_path, None, {"nursery": {"file": str(tmp_path / "gone.wav")}})
    words = refusal(tmp_path, "--config", configuration)
    assert "sources.nursery.file" in words
    assert str(tmp_path / "gone.wav") in words


def test_recordings_without_sound(tmp_path: Path) -> None:
    """Where no source gives sound, the first of them is named with its remedy."""
    (tmp_path / "notes.wav").write_text("feed at nine\n" * 100)
    write_video(tmp_path / "silent.mp4", None)
    words = refusal(tmp_path, tmp_path / "notes.wav", tmp_path / "silent.mp4")
    assert str(tmp_path / "notes.wav") in words
    assert "give a sound or video file" in words


@pytest.mark.parametrize("url", ["gopher://host/x", "rtsp://", "rtsp://host:port/x"])
def test_a_source_that_is_none(tmp_path: Path, url: str) -> None:
    """An address that cannot be one is refused before anything is opened."""
    assert refusal(tmp_path, url)


def test_a_corrupt_bundle(tmp_path: Path, bundle: Path) -> None:
    """A network with one other byte, a cut manifest, or no bundle at all: named by file, and nothing is opened."""
    recording = quiet_room(tmp_path / "quiet.wav")
    content = bytearray((bundle / TFLITE).read_bytes())
    content[len(content) // 2] ^= 1
    (bundle / TFLITE).write_bytes(content)
    assert str(bundle / TFLITE) in refusal(tmp_path, recording, "--bundle", bundle)
    (bundle / MANIFEST).write_bytes((bundle / MANIFEST).read_bytes()[:500])
    assert str(bundle / MANIFEST) in refusal(tmp_path, recording, "--bundle", bundle)
    assert str(tmp_path / "none") in refusal(tmp_path, recording, "--bundle", tmp_path / "none")
    assert list(Path(os.environ["XDG_STATE_HOME"]).iterdir()) == []


def test_a_state_directory_that_is_none(tmp_path: Path) -> None:
    """A state directory that cannot be written is named with its key."""
    (tmp_path / "file").touch()
    sources = {"nursery": {"file": str(quiet_room(tmp_path / "quiet.wav"))}}
    mqtt = {"host": "127.0.0.1"}
    configuration = configure(tmp_path, None, sources, mqtt=mqtt, state_dir=str(tmp_path / "file"))
    words = refusal(tmp_path, "--config", configuration)
    assert str(tmp_path / "file") in words
    assert "state_dir" in words


def test_a_second_daemon(tmp_path: Path) -> None:
    """A second daemon on the same state is refused with the first one's process; the first goes on."""
    sources = {"nursery": looped(quiet_room(tmp_path / "quiet.wav", 1.0))}
    # Nobody serves port 1: the daemon goes on without a broker.
    configuration = configure(tmp_path, None, sources, mqtt={"host": "127.0.0.1", "port": 1})
    (tmp_path / "second").mkdir()
    with Daemon(tmp_path, "--config", configuration) as first:
        first.wait_for(lambda: "nursery: live" in first.words, "sound")
        words = refusal(tmp_path / "second", "--config", configuration)
        assert f"another monitord (process {first.pid})" in words
        assert "state_dir" in words
        assert first.stop()[0] == 0
    with Daemon(tmp_path, "--config", configuration) as third:
        third.wait_for(lambda: third.words.count("nursery: live") == 2, "sound")
        assert third.stop()[0] == 0


@pytest.mark.e2e
def test_a_broker_that_refuses_the_password(tmp_path: Path) -> None:
    """A wrong password ends the daemon with the user's name and the keys to check; the password is nowhere."""
    (tmp_path / "password").write_text("wrong-secret\n")
    sources = {"nursery": looped(crying_room(tmp_path / "cry.wav"))}
    with Mosquitto(tmp_path / "broker", users={"monitord": "right-secret"}) as broker:
        mqtt = {"host": "127.0.0.1", "port": broker.port, "username": "monitord"}
        mqtt["password_file"] = str(tmp_path / "password")
        words = refusal(tmp_path, "--config", configure(tmp_path, None, sources, mqtt=mqtt))
    assert "refuses this user" in words
    assert "mqtt.password_file" in words
    assert "secret" not in (tmp_path / "stderr").read_text()


@pytest.mark.e2e
def test_the_password_file_is_used(tmp_path: Path) -> None:
    """With the right password the daemon and the commands beside it are let in."""
    (tmp_path / "password").write_text("right-secret\n")
    sources = {"nursery": looped(quiet_room(tmp_path / "quiet.wav", 1.0))}
    users = {"monitord": "right-secret", "subscriber": "other"}
    with Mosquitto(tmp_path / "broker", users=users) as broker, Subscriber(broker, user="subscriber") as subscriber:
        mqtt = {"host": "127.0.0.1", "port": broker.port, "username": "monitord"}
        mqtt["password_file"] = str(tmp_path / "password")
        configuration = configure(tmp_path, None, sources, mqtt=mqtt)
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: subscriber.last("monitord/home/nursery/status") == "online", "the nursery online")
            assert monitord("status", "--config", configuration).returncode == 0
            assert daemon.stop()[0] == 0
    assert "right-secret" not in daemon.words


@pytest.mark.e2e
def test_a_bad_recording_beside_a_good_one(tmp_path: Path) -> None:
    """A recording that gives no sound is a visible fault of its source; the others are heard."""
    (tmp_path / "notes.wav").write_text("feed at nine\n" * 100)
    sources = {
        "notes": looped(tmp_path / "notes.wav"),
        "nursery": looped(crying_room(tmp_path / "cry.wav")),
    }
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon,
    ):
        daemon.wait_for(lambda: bool(daemon.events("started", "nursery")), "a cry")
        daemon.wait_for(
            lambda: subscriber.fault("notes") == "decode_error",
            "the fault of the other",
        )
        assert subscriber.last("monitord/home/notes/status") == "offline"
        assert str(tmp_path / "notes.wav") in daemon.words
        assert daemon.stop()[0] == 0
