"""Real brokers for tests: a private mosquitto on a free port, with TLS, users and rights where asked for."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from tests.support.patience import PATIENCE_S
from tests.support.servers.sockets import free_port

PATH = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
"""Where Debian keeps mosquitto, also outside of a user's PATH."""


def until(condition: Callable[[], bool], timeout_s: float = PATIENCE_S) -> None:
    """Waits until the condition holds; fails the test when it does not in time."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def authority(directory: Path, name: str = "monitord test CA") -> tuple[Path, Path]:
    """Makes a certificate authority by RFC 5280, on which Python insists from 3.13 on; returns (certificate, key)."""
    certificate, key = directory / "ca.crt", directory / "ca.key"
    # Signatures, too: a camera that signs for itself serves with this very certificate.
    usage = ("-addext", "keyUsage=critical,digitalSignature,keyCertSign,cRLSign")
    _openssl("req", "-x509", *_EC, "-days", "30", "-keyout", key, "-out", certificate, "-subj", f"/CN={name}", *usage)
    return certificate, key


def certificate(directory: Path, ca: tuple[Path, Path], name: str, names: str) -> tuple[Path, Path]:
    """Makes a certificate signed by the authority, for `names` (`DNS:localhost`); returns it and its key."""
    request, made, key = (directory / f"{name}.{end}" for end in ("csr", "crt", "key"))
    extensions = directory / f"{name}.cnf"
    extensions.write_text(f"subjectAltName={names}\n{_SIGNED_BY}")
    _openssl("req", *_EC, "-keyout", key, "-out", request, "-subj", f"/CN={name}")
    signer = ("-CA", ca[0], "-CAkey", ca[1], "-CAcreateserial", "-days", "30", "-extfile", extensions)
    _openssl("x509", "-req", "-in", request, "-out", made, *signer)
    return made, key


def expired(directory: Path, ca: tuple[Path, Path], names: str) -> tuple[Path, Path]:
    """Makes a certificate that was good in January 2020 only; returns it and its key."""
    request, made, key = (directory / f"expired.{end}" for end in ("csr", "crt", "key"))
    (directory / "index").write_text("")
    settings = directory / "expired.cnf"
    settings.write_text(
        f"[ca]\ndefault_ca=d\n[d]\ndatabase={directory}/index\nnew_certs_dir={directory}\nrand_serial=yes\n"
        f"default_md=sha256\npolicy=p\nx509_extensions=e\n[p]\ncommonName=supplied\n[e]\nsubjectAltName={names}\n{_SIGNED_BY}"
    )
    _openssl("req", *_EC, "-keyout", key, "-out", request, "-subj", "/CN=expired")
    dates = ("-startdate", "20200101000000Z", "-enddate", "20200201000000Z")
    signer = ("-cert", ca[0], "-keyfile", ca[1])
    _openssl("ca", "-batch", "-notext", "-config", settings, *signer, *dates, "-in", request, "-out", made)
    return made, key


_SIGNED_BY = "authorityKeyIdentifier=keyid\n"
_EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


@dataclass
class Mosquitto:
    """A broker with its files in `directory`; a with-block starts and ends it."""

    directory: Path
    users: dict[str, str] = field(default_factory=dict)
    """Password by name; none at all lets everybody in."""
    acl: str = ""
    """Rights, as in mosquitto's `acl_file`."""
    tls: tuple[Path, Path] | None = None
    """Certificate and key of the broker."""
    client_ca: Path | None = None
    """Whose certificates clients must show."""
    port: int = field(default_factory=free_port)
    options: tuple[str, ...] = ()
    """More lines of its configuration, such as `max_packet_size 3000`; they belong to the listener."""

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        self._configure()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Starts it and waits until it listens."""
        with (self.directory / "log").open("ab") as log:
            binary = shutil.which("mosquitto", path=PATH)
            assert binary, "mosquitto is not installed"
            self._child = subprocess.Popen([binary, "-c", self._conf], stdout=log, stderr=log)
        until(self._listens)

    def terminate(self) -> None:
        """Ends it as a service manager does: it saves its state."""
        self._child.terminate()
        self._child.wait(PATIENCE_S)

    def kill(self) -> None:
        """Ends it as a power cut does."""
        self._child.kill()
        self._child.wait(PATIENCE_S)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    @property
    def log(self) -> str:
        """What it wrote so far."""
        return (self.directory / "log").read_text()

    @property
    def _conf(self) -> Path:
        return self.directory / "mosquitto.conf"

    def _listens(self) -> bool:
        assert self._child.poll() is None, f"mosquitto ended: {self.log}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _configure(self) -> None:
        lines = [
            "user root",  # without effect for any other user
            f"listener {self.port} 127.0.0.1",
            *self.options,
            f"allow_anonymous {'false' if self.users else 'true'}",
            "persistence true",
            f"persistence_location {self.directory}/",
            "autosave_interval 1",
            "autosave_on_changes true",
            "max_queued_messages 10000",
            "log_type all",
        ]
        if self.tls is not None:
            lines += [f"certfile {self.tls[0]}", f"keyfile {self.tls[1]}"]
        if self.client_ca is not None:
            lines += [f"cafile {self.client_ca}", "require_certificate true"]
        if self.users:
            lines.append(f"password_file {self.directory / 'users'}")
            (self.directory / "users").touch(mode=0o600)
        for name, password in self.users.items():
            command = ["mosquitto_passwd", "-b", str(self.directory / "users"), name, password]
            subprocess.run(command, check=True, capture_output=True)
        if self.acl:
            lines.append(f"acl_file {self.directory / 'acl'}")
            (self.directory / "acl").touch(mode=0o600)
            (self.directory / "acl").write_text(self.acl)
        self._conf.write_text("\n".join(lines) + "\n")

    def rights(self, acl: str) -> None:
        """Changes the rights while it runs."""
        (self.directory / "acl").write_text(acl)
        self._child.send_signal(1)  # SIGHUP: read again


@dataclass(frozen=True)
class Heard:
    """One message as it came."""

    topic: str
    payload: str
    retain: bool
    qos: int
    at: float
    """Wall time (Unix seconds)."""
    at_s: float
    """The same by the clock that nobody sets (monotonic seconds)."""


class Subscriber:
    """Listens to all of a broker with a durable session, so that it misses nothing while it is away itself."""

    def __init__(
        self, broker: Mosquitto, name: str = "subscriber", *, user: str | None = None, topic: str = "#"
    ) -> None:
        self.heard: list[Heard] = []
        self.connected = False
        self._topic = topic
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=name, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        if user is not None:
            self._client.username_pw_set(user, broker.users[user])
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        lasting = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        lasting.SessionExpiryInterval = 3600
        self._client.connect("127.0.0.1", broker.port, clean_start=False, properties=lasting)

    def __enter__(self) -> Self:
        self._client.loop_start()
        until(lambda: self.connected)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publishes, and waits until the broker has it."""
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(PATIENCE_S)

    def payloads(self, topic: str) -> list[str]:
        """Returns what came on a topic, in order."""
        return [heard.payload for heard in self.heard if heard.topic == topic]

    def last(self, topic: str) -> str | None:
        """Returns the newest on a topic."""
        return next(iter(self.payloads(topic)[::-1]), None)

    def values(self, topic: str) -> list[dict[str, Any]]:
        """Returns what came on a topic of JSON objects, in order."""
        return [json.loads(payload) for payload in self.payloads(topic)]

    def latest(self, topic: str) -> dict[str, Any]:
        """Returns the newest of them; empty where none came."""
        return dict(json.loads(self.last(topic) or "{}"))

    def fault(self, source: str) -> str:
        """Returns what a room of the node `home` last said was wrong with it."""
        return str(self.latest(f"monitord/home/{source}/health").get("fault"))

    def _on_connect(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topic, qos=1)

    def _on_subscribe(self, *_: object) -> None:
        self.connected = True

    def _on_disconnect(self, *_: object) -> None:
        self.connected = False

    def _on_message(self, _client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
        payload = bytes(message.payload).decode(errors="replace")  # a picture is no text
        now, now_s = time.time(), time.monotonic()
        self.heard.append(Heard(message.topic, payload, message.retain, message.qos, now, now_s))
