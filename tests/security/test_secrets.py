"""Secrets stay where they are written: nothing that the daemon says, keeps or starts has one in it."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from service.mqtt.settings import MqttSettings, TlsSettings, is_loopback, read_credentials
from tests.support.daemon.daemon import Daemon, configure, monitord, room, short_cry
from tests.support.patience import PATIENCE_S
from tests.support.servers.http_audio import PASSWORD, USER, HttpAudio
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.post_server import serve_posts
from tests.support.sound.sounds import silence

SECRETS = {
    name: f"{name}-s3cr3t"
    for name in ("refused", "stalled", "wrong", "query", "path", "rtsp", "mqtt", "push", "hook", "listen", "page")
}
"""By the place in the configuration where it stands."""
BROKER_USER = "monitord"


@contextmanager
def mute() -> Iterator[int]:
    """A server that accepts and says nothing, at this port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@contextmanager
def rubbish() -> Iterator[int]:
    """An RTSP server whose every answer repeats what it was asked, as an error."""
    over = threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                sock, _ = server.accept()
            except TimeoutError:
                continue
            with sock:
                sock.settimeout(PATIENCE_S)
                asked = sock.recv(2_000)
                sock.sendall(b"RTSP/1.0 500 " + asked.splitlines()[0] + b"\r\nCSeq: 1\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield int(server.getsockname()[1])
        finally:
            over.set()
            thread.join()


def family_of(pid: int) -> list[int]:
    """A process and all below it."""
    above = {}
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                above[int(process.name)] = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [pid]
    for one in found:
        found.extend(child for child, parent in above.items() if parent == one)
    return found


def command_lines(pid: int) -> str:
    """What everybody on the machine can read of these processes."""
    lines = []
    for one in family_of(pid):
        try:
            lines.append(Path(f"/proc/{one}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return "\n".join(lines)


@pytest.mark.e2e
def test_no_secret_is_told_anywhere(tmp_path: Path) -> None:
    """Streams that refuse, stall, want another password or send rubbish, a broker and phones: all secrets are kept.

    Looked through: both outputs, every topic and payload, all files of the state directory, every command line.
    """
    crying = room(silence(0.5), short_cry(), silence(0.5))
    secret = SECRETS
    with (
        mute() as stalled,
        rubbish() as rtsp,
        HttpAudio(crying).running() as phone,
        serve_posts() as posts,
        socket.socket() as nobody,
        socket.socket() as taken,
        Mosquitto(tmp_path / "broker", users={BROKER_USER: secret["mqtt"], "subscriber": "subscriber"}) as broker,
        Subscriber(broker, "subscriber", user="subscriber") as subscriber,
    ):
        nobody.bind(("127.0.0.1", 0))  # not listening: refused
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        posts.answers += [500, 401, 404] * 50
        sources = {
            "refused": f"rtsp://{USER}:{secret['refused']}@127.0.0.1:{nobody.getsockname()[1]}/live",
            "stalled": f"rtsp://{USER}:{secret['stalled']}@127.0.0.1:{stalled}/live",
            "wrong": phone.url("/locked.wav", f"{USER}:{secret['wrong']}@"),
            "query": phone.url(f"/page.html?user=admin&token={secret['query']}"),
            "page": phone.url("/page.html", f"{USER}:{secret['page']}@"),
            "path": phone.url(f"/user=admin_password={secret['path']}_channel=1.sdp"),
            "rtsp": f"rtsp://{USER}:{secret['rtsp']}@127.0.0.1:{rtsp}/live",
            "right": phone.url("/locked.wav", f"{USER}:{PASSWORD}@"),
        }
        configured: dict[str, object] = {name: {"stream": url} for name, url in sources.items()}
        listening = f"rtmp://{USER}:{secret['listen']}@127.0.0.1:{taken.getsockname()[1]}/live"
        configured["listen"] = {"stream": listening, "listen": True}
        (tmp_path / "password").touch(mode=0o600)
        (tmp_path / "password").write_text(secret["mqtt"])
        mqtt = {
            "host": "127.0.0.1",
            "port": broker.port,
            "username": BROKER_USER,
            "password_file": str(tmp_path / "password"),
        }
        notify = {
            "channels": {
                "push": {"url": f"json://{USER}:{secret['push']}@{posts.host}/alarm", "severity": "info"},
                "hook": {"webhook": f"http://{USER}:{secret['hook']}@{posts.host}/hook", "severity": "info"},
                "dead": {
                    "webhook": f"http://{USER}:{secret['hook']}@127.0.0.1:{nobody.getsockname()[1]}/x",
                    "severity": "info",
                },
            }
        }
        configuration = configure(tmp_path, broker, configured, mqtt=mqtt, notify=notify)
        lines = ""
        with Daemon(tmp_path, "--config", configuration, json_lines=False) as daemon:
            faults = {
                "refused": "reconnecting",
                "stalled": "reconnecting",
                "wrong": "auth_failed",
                "query": "reconnecting",
                "page": "decode_error",
                "path": "reconnecting",
                "rtsp": "reconnecting",
                "listen": "reconnecting",
                "right": "ok",
            }

            def fault(source: str) -> str:
                nonlocal lines
                lines += command_lines(daemon._process.pid)
                return subscriber.fault(source)

            for source, expected in faults.items():
                daemon.wait_for(lambda: fault(source) == expected, f"{expected} of {source}")  # noqa: B023
            daemon.wait_for(lambda: bool(subscriber.payloads("monitord/home/right/event")), "a cry")
            daemon.wait_for(lambda: posts.posts.qsize() >= 2, "two tries to reach a phone")
            assert "service.capture.child.decoder_main" in lines
            status = monitord("status", "--config", configuration)
            checked = monitord("check", "--config", configuration)
            assert daemon.stop()[0] == 0
            printed = "\n".join(daemon.printed) + daemon.words
    said = [f"{message.topic} {message.payload}" for message in subscriber.heard]
    kept = [
        (Path(folder) / name).read_bytes().decode(errors="replace")
        for folder, _, names in os.walk(tmp_path / "state")
        for name in names
    ]
    assert kept
    told = "\n".join((printed, lines, *said, *kept, *(done.stdout + done.stderr for done in (status, checked))))
    assert "refused" in told
    assert [name for name, word in {**SECRETS, "right": PASSWORD}.items() if word in told] == []


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("broker.localhost", True),
        ("homeassistant.local", False),
        ("192.168.1.2", False),
        ("localhost.example.org", False),
        ("127.0.0.1.example.org", False),
        ("fe80::1", False),
        ("", False),
    ],
)
def test_what_stays_on_this_machine(host: str, *, here: bool) -> None:
    """Addresses of loopback and names below `localhost`; no name is trusted for what it looks like."""
    assert is_loopback(host) is here


@pytest.mark.parametrize(
    ("host", "tls", "warns"),
    [
        ("homeassistant.local", None, True),
        ("192.168.1.2", None, True),
        ("localhost", None, False),
        ("homeassistant.local", TlsSettings(), False),
    ],
)
def test_a_password_in_clear_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, host: str, tls: TlsSettings | None, *, warns: bool
) -> None:
    """To another machine without TLS, and only then; the password is not in the warning."""
    path = tmp_path / "password"
    path.touch(mode=0o600)
    path.write_text("hush-little-baby")
    with caplog.at_level(logging.WARNING):
        read_credentials(MqttSettings(host=host, port=1883, username="monitord", password_file=path, tls=tls))
    assert ("not encrypted" in caplog.text) is warns
    assert "hush" not in caplog.text
