"""The first minute of a new user: no configuration, no microphone, the port that everybody uses."""

import asyncio
import json
import os
import re
import socket
import time
from pathlib import Path

import pytest

from service.cli import CONFIG_EXIT
from tests.support.daemon.bare_machine import PORT, hide_microphones, need_free_port, state_dir, taken
from tests.support.daemon.daemon import Daemon, crying_room, monitord, quiet_room
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.web.served_page import browser

pytestmark = pytest.mark.e2e


@pytest.fixture(autouse=True)
def _free_port() -> None:
    need_free_port()


@pytest.fixture
def no_microphone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No capture device is found, whatever the machine has."""
    hide_microphones(tmp_path, monkeypatch)


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
def test_a_phone_takes_the_place_of_the_demo(tmp_path: Path) -> None:
    """The QR code's link makes a phone the microphone of a room, which is then what it listens to."""
    with Daemon(tmp_path) as daemon:
        link = re.compile(r"(https://\S+/)pair#(\S+)")
        daemon.wait_for(lambda: bool(link.findall(daemon.words)), "the QR code")
        page, token = link.findall(daemon.words)[0]

        async def pair() -> None:
            body, headers = {"token": token, "role": "microphone", "name": "Nursery"}, {"Origin": page.rstrip("/")}
            authority = state_dir() / "web" / "ca.crt"
            async with (
                browser(authority) as phone,
                phone.post(page + "api/pair", json=body, headers=headers) as answer,
            ):
                assert answer.status == 201, await answer.text()

        asyncio.run(pair())
        daemon.wait_for(lambda: "Nursery  a phone, by the family's page" in daemon.words, "the room")
        assert daemon.words.count("*** DEMO") == 1
        daemon.wait_for(lambda: len(link.findall(daemon.words)) > 1, "a code for the next phone")
        assert daemon.stop()[0] == 0


@pytest.mark.usefixtures("no_microphone")
def test_a_demo_proves_nothing_of_a_real_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test alarm in the demo is proven by the broker alone and waits for nobody; a real `room` knows none of it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with Daemon(tmp_path) as daemon:
        daemon.wait_for(lambda: bool(daemon.events("ended")), "the end of the demo's cry")
        done, deadline = monitord("test-alarm"), time.monotonic() + PATIENCE_S
        # The demo cries every half minute, before a test or into it, and a busy machine may answer late.
        while done.returncode != 0 and time.monotonic() < deadline:
            done = monitord("test-alarm")
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        assert done.stdout.splitlines()[-2:] == [
            "no phone is configured (notify.channels)",
            "room: proven as far as the broker; no phone has it",
        ]
        assert "as far as the broker, no phone" in monitord("status").stdout
        daemon.stop()
    until(lambda: not taken())
    (tmp_path / "real").mkdir()
    with Daemon(tmp_path / "real", quiet_room(tmp_path / "quiet.wav", 60.0)) as daemon:
        daemon.wait_for(lambda: "mosquitto_sub" in daemon.words, "the banner")
        with Subscriber(Mosquitto(tmp_path, port=PORT)) as subscriber:
            until(lambda: subscriber.last("monitord/home/room/proof") is not None)
            proof = json.loads(str(subscriber.last("monitord/home/room/proof")))
            assert (proof["state"], proof["proven"], proof["proven_by"]) == ("never", None, [])
            until(lambda: subscriber.last("monitord/home/room/today") is not None)
            assert json.loads(str(subscriber.last("monitord/home/room/today")))["episodes"] == 0
            assert not subscriber.last("monitord/home/room/episode")


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
        assert any("/pair#" in line for line in daemon.printed)
        assert not any("\x1b" in line for line in daemon.printed)  # a pipe, or a log file, is no terminal
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
