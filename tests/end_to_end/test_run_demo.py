"""The first minute of a new user: no configuration, no microphone, the port that everybody uses."""

import json
import os
import socket
from contextlib import suppress
from pathlib import Path

import pytest

from service.cli import CONFIG_EXIT
from tests.support.daemon.daemon import Daemon, crying_room, monitord
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until

pytestmark = pytest.mark.e2e

PORT = 1883
"""MQTT's own: where the embedded broker serves."""


NO_CARD = "pcm.!default { type hw card 99 }"
"""Configuration of ALSA in which no card is found; with an empty one PortAudio aborts."""


def taken() -> bool:
    """Whether somebody answers on the port."""
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", PORT), 1).close()
        return True
    return False


@pytest.fixture(autouse=True)
def _free_port() -> None:
    if taken():
        pytest.skip(f"needs port {PORT} of this machine, which something has")


@pytest.fixture
def no_microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No capture device is found, whatever the machine has."""
    (tmp_path / "asound.conf").write_text(NO_CARD)
    monkeypatch.setenv("ALSA_CONFIG_PATH", str(tmp_path / "asound.conf"))
    monkeypatch.setenv("PULSE_SERVER", f"unix:{tmp_path / 'none'}")


@pytest.mark.usefixtures("no_microphone")
def test_demo(tmp_path: Path) -> None:
    """Without microphone and SOURCE: a banner that says so, a cry to see, `demo` in every payload, a clean end."""
    with Daemon(tmp_path) as daemon:
        daemon.wait_for(lambda: "mosquitto_sub" in daemon.words, "the banner")
        for words in ("*** DEMO", "there is no microphone here", "rtsp://", "mic:NAME", "recording.m4a"):
            assert words in daemon.words
        assert f"-p {PORT} -v -t 'monitord/home/#'" in daemon.words
        assert "a private broker" in daemon.words
        with Subscriber(Mosquitto(tmp_path, port=PORT)) as subscriber:
            daemon.wait_for(lambda: bool(daemon.events("started")), "the cry of the demo")
            topics = {"info", "state", "health", "settings", "level", "event", "episode", "status"}
            until(lambda: {heard.topic.rpartition("/")[2] for heard in subscriber.heard} >= topics)
            ours = [heard.payload for heard in subscriber.heard if heard.topic.startswith("monitord/")]
            payloads = [payload for payload in ours if payload.startswith("{")]
            assert all(json.loads(payload)["demo"] is True for payload in payloads)
            assert all(line["demo"] is True for line in daemon.lines)
            code, _ = daemon.interrupt()
            assert code == 0
            # Its own broker has told the goodbye before it left.
            until(lambda: subscriber.last("monitord/home/status") == "offline")
            assert subscriber.latest("monitord/home/room/event")["event_type"] == "ended"
            assert subscriber.last("monitord/home/room/status") == "offline"
        assert "Traceback" not in daemon.words
        assert "ERROR" not in daemon.words
    until(lambda: not taken())  # its broker has left too


@pytest.mark.usefixtures("no_microphone")
def test_devices_without_any() -> None:
    """`monitord devices` on a machine without any says what else to give, and is no failure."""
    done = monitord("devices")
    assert (done.returncode, done.stdout) == (0, "")
    assert "no capture device here" in done.stderr


def test_a_broker_that_is_there_is_used(tmp_path: Path) -> None:
    """A broker on the port is used, said to be found, and left running; two recordings are `room` and `room2`."""
    recordings = [crying_room(tmp_path / "one.wav", 0.5, 0.5), crying_room(tmp_path / "two.wav", 0.5, 0.5)]
    with Mosquitto(tmp_path / "theirs", port=PORT) as broker, Subscriber(broker) as subscriber:
        with Daemon(tmp_path, *recordings, json_lines=False) as daemon:
            assert daemon.ends() == 0, daemon.words
        assert "a broker that was running here already" in "\n".join(daemon.printed)
        until(lambda: subscriber.last("monitord/home/status") == "offline")
        rooms = ("room", "room2")
        events = [
            json.loads(told)["event_type"]
            for one in rooms
            for told in subscriber.payloads(f"monitord/home/{one}/event")
        ]
        assert (events[0], events[-1], events.count("started")) == ("started", "ended", 1)  # both hear the same cry
        for source in rooms:
            states = [json.loads(state)["crying"] for state in subscriber.payloads(f"monitord/home/{source}/state")]
            assert True in states
            assert states[-1] is False
        for words in ("started crying", "ended after", "cry sound of"):  # what a person reads
            assert any(words in line for line in daemon.printed)
        assert "\x1b" not in "".join(daemon.printed)  # no colours in a pipe
        os.kill(broker.pid, 0)  # still there


def test_the_port_is_taken_by_something_else(tmp_path: Path) -> None:
    """Something that is no broker on the port: exit 78, with the port and what to do; nothing is left running."""
    recording = crying_room(tmp_path / "cry.wav")
    with socket.create_server(("127.0.0.1", PORT)):  # takes the connection and says nothing
        done = monitord("run", recording)
    assert done.returncode == CONFIG_EXIT
    assert f"port {PORT} on 127.0.0.1 is taken by something that is no MQTT broker" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_broker_goes_with_a_kill(tmp_path: Path) -> None:
    """After a kill -9 of the daemon its broker is gone too."""
    recording = crying_room(tmp_path / "cry.wav")
    with Daemon(tmp_path, recording) as daemon:
        daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
        daemon.kill()
    until(lambda: not taken())
