"""Phones and cameras through the whole daemon: those that send are heard beside those that refuse."""

import json
import socket
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, room, short_cry
from tests.support.servers.http_audio import PASSWORD, USER, HttpAudio
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.rtsp_server import camera
from tests.support.servers.sockets import free_port
from tests.support.sound.sounds import silence, write_wav

pytestmark = pytest.mark.e2e

WRONG = "not-the-lullaby"
"""A password that no server takes."""


def test_streams_are_heard_beside_those_that_refuse(tmp_path: Path) -> None:
    """RTSP and HTTP become events; what refuses or sends rubbish is a fault of its own, and no password is told."""
    crying = room(silence(1.0), short_cry(), silence(1.0))
    # The camera plays its sound once, and the daemon may take a while to come.
    wav = write_wav(tmp_path / "cry.wav", room(*[short_cry(), silence(1.0)] * 8))
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        HttpAudio(crying).running() as phone,
        camera(wav, "aac") as port,
        socket.socket() as nobody,
    ):
        nobody.bind(("127.0.0.1", 0))  # not listening: refused
        sources = {
            "camera": {"stream": f"rtsp://127.0.0.1:{port}/live"},
            "phone": {"stream": phone.url("/audio.wav")},
            "locked": {"stream": phone.url("/locked.wav", f"{USER}:{PASSWORD}@")},
            "asks": {"stream": phone.url("/locked.wav")},
            "wrong": {"stream": phone.url("/locked.wav", f"{USER}:{WRONG}@")},
            "refused": {"stream": f"rtsp://{USER}:{WRONG}@127.0.0.1:{nobody.getsockname()[1]}/live"},
            "page": {"stream": phone.url("/page.html")},
        }
        faults = {"asks": "auth_failed", "wrong": "auth_failed", "refused": "reconnecting", "page": "decode_error"}
        with Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon:
            for source in ("camera", "phone", "locked"):  # all hear the same cry: one of them tells it

                def cries(source: str = source) -> bool:
                    states = subscriber.payloads(f"monitord/home/{source}/state")
                    return any(json.loads(state)["crying"] for state in states)

                daemon.wait_for(cries, f"a cry in {source}")
                daemon.wait_for(lambda: subscriber.last(f"monitord/home/{source}/status") == "online", source)  # noqa: B023
                daemon.wait_for(lambda: subscriber.fault(source) == "ok", f"the health of {source}")  # noqa: B023
            for source, expected in faults.items():
                daemon.wait_for(lambda: subscriber.fault(source) == expected, f"{expected} of {source}")  # noqa: B023
                assert subscriber.last(f"monitord/home/{source}/status") == "offline"
            code, _ = daemon.stop()
            assert code == 0
            assert "wants a user and a password" in daemon.words
            assert "refuses this user and password" in daemon.words
            assert "nobody answers at this port" in daemon.words
        said = daemon.words + "\n".join([*daemon.printed, *(heard.payload for heard in subscriber.heard)])
        assert PASSWORD not in said
        assert WRONG not in said
        assert "Traceback" not in daemon.words


def test_a_camera_that_comes_and_goes(tmp_path: Path) -> None:
    """A camera switched on later is heard; one that dies is told, and heard again once it is back."""
    wav = write_wav(tmp_path / "cry.wav", room(*[short_cry(), silence(1.0)] * 6))
    port = free_port()
    status = "monitord/home/bedroom/status"
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:
        sources = {"bedroom": {"stream": f"rtsp://127.0.0.1:{port}/live"}}
        with Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon:
            daemon.wait_for(lambda: "nobody answers at this port" in daemon.words, "a try")
            with camera(wav, "l16", port):
                daemon.wait_for(lambda: subscriber.last(status) == "online", "the camera")
                daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
            daemon.wait_for(lambda: subscriber.last(status) == "offline", "the loss")
            with camera(wav, "l16", port):
                daemon.wait_for(lambda: subscriber.last(status) == "online", "the camera again")

                def well() -> bool:
                    health = subscriber.latest("monitord/home/bedroom/health")
                    return bool(health["fault"] == "ok" and health["reconnects"] >= 1)

                daemon.wait_for(well, "its health")
            assert daemon.stop()[0] == 0
