"""The voice against real brokers: order of connecting, outages, refusals, TLS, old brokers, the end."""

import contextlib
import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from mosquitto import Ear, Mosquitto, authority, certificate, free_port, until

from monitord.errors import ConfigError
from service import messages, session
from service.commands import Command, Restart
from service.messages import Keep, Message, Node
from service.mqtt import Mqtt
from service.mqtt_settings import MqttSettings, TlsFiles
from service.outbox import Outbox

pytestmark = pytest.mark.e2e

NODE = Node("home")
EVENT = "monitord/home/room/event"
BIRTH = "homeassistant/status"
RIGHTS = "user monitord\ntopic readwrite monitord/#\nuser ear\ntopic readwrite #\n"
USERS = {"monitord": "pw1", "ear": "pw2"}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    with Outbox(tmp_path / "outbox.db") as box:
        yield box


def at(broker: Mosquitto) -> MqttSettings:
    return MqttSettings("127.0.0.1", broker.port)


def voice(settings: MqttSettings, outbox: Outbox, **more: object) -> Mqtt:
    return Mqtt(settings, NODE, ["room", "room2"], outbox, **more)  # type: ignore[arg-type]


def event(number: int, event_type: str = "started") -> Message:
    values = {"event_type": event_type, "id": str(number), "episode": "e", "ts": "1970-01-01T00:00:00.000Z"}
    keep = Keep.ALARM if event_type == "started" else Keep.EVENT
    return Message(EVENT, json.dumps(values), retain=False, qos=1, keep=keep)


def ids(ear: Ear) -> list[str]:
    return [json.loads(payload)["id"] for payload in ear.payloads(EVENT)]


def test_order_of_connecting(broker: Mosquitto, outbox: Outbox) -> None:
    """Discovery, a pause, retained states, `online` last; then what waits; all as the contract says."""
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    state = messages.source_status(NODE, "room", online=True)
    mqtt = voice(at(broker), outbox, discovery=lambda: [discovery])
    mqtt.tell(state)
    mqtt.tell(event(1))
    with Ear(broker) as ear, mqtt:
        began = time.monotonic()
        assert mqtt.wait_connected(30).connected
        assert time.monotonic() - began > 0.9  # the pause
        until(lambda: len(ear.heard) == 4)
        assert [heard.topic for heard in ear.heard] == [
            discovery.topic,
            state.topic,
            "monitord/home/status",
            EVENT,
        ]
        assert {heard.qos for heard in ear.heard} == {1}
        until(lambda: outbox.waiting == 0)
    with Ear(broker, "later") as later:
        until(lambda: len(later.heard) >= 3)
        assert {heard.topic for heard in later.heard if heard.retain} >= {discovery.topic, "monitord/home/status"}
        assert later.payloads(EVENT) == []  # events are never retained


def test_home_assistant_is_greeted_anew(broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a birth message: discovery, a pause in which events go on, then every state, and `online` last."""
    monkeypatch.setattr(session, "BIRTH_FIRST_S", 0.2)
    monkeypatch.setattr(session, "BIRTH_LAST_S", 0.3)
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    state = messages.source_status(NODE, "room", online=True)
    picture = Message("monitord/home/room/spectrogram", b"\x00\x01", retain=True, qos=1, keep=Keep.LATEST)
    greeting = [discovery.topic, state.topic, picture.topic, "monitord/home/status"]
    mqtt = voice(at(broker), outbox, discovery=lambda: [discovery], births=[BIRTH])
    mqtt.tell(state)
    mqtt.tell(picture)
    with Ear(broker) as ear, mqtt:
        assert mqtt.wait_connected(30).connected
        until(lambda: [heard.topic for heard in ear.heard] == greeting)
        for payload in ("offline", "online"):
            ear.say(BIRTH, payload)
        until(lambda: len(ear.payloads(discovery.topic)) == 2)
        mqtt.tell(event(1))  # in the pause
        until(lambda: ear.payloads("monitord/home/status") == ["online", "online"])
        anew = [heard.topic for heard in ear.heard[len(greeting) :] if heard.topic != BIRTH]
        assert anew == [discovery.topic, EVENT, state.topic, picture.topic, "monitord/home/status"]
        assert ear.last(picture.topic) == "\x00\x01"


def test_only_a_birth_of_now_counts(broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A birth message that was stored, or whose topic nobody asked us to watch, greets nobody anew."""
    monkeypatch.setattr(session, "BIRTH_FIRST_S", 0.0)
    monkeypatch.setattr(session, "BIRTH_LAST_S", 0.0)
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    given: list[Command] = []
    with Ear(broker) as ear:
        ear.say(BIRTH, "online", retain=True)
        for births in ([BIRTH], []):
            told = len(ear.payloads(discovery.topic))
            with voice(at(broker), outbox, discovery=lambda: [discovery], births=births, on_command=given.append) as m:
                m.wait_connected(30)
                if not births:
                    ear.say(BIRTH, "online")
                given.clear()
                ear.say("monitord/home/test_alarm/set", "PRESS")  # comes after the birth message
                until(lambda: bool(given))
                m.tell(event(1))
                until(lambda: outbox.waiting == 0)
            assert len(ear.payloads(discovery.topic)) == told + 1


def test_events_say_when_they_were_sent(broker: Mosquitto, outbox: Outbox) -> None:
    """An event that waited for the broker tells how late it is."""
    with Ear(broker) as ear, voice(at(broker), outbox) as mqtt:
        mqtt.tell(event(1))  # of 1970
        until(lambda: ids(ear) == ["1"])
        late_ms = json.loads(str(ear.last(EVENT)))["latency_publish_ms"]
        assert abs(late_ms / 1000 - time.time()) < 60


def test_only_news_are_told(broker: Mosquitto, outbox: Outbox) -> None:
    """A state is told when it changes, live messages as they come."""
    with Ear(broker) as ear, voice(at(broker), outbox) as mqtt:
        mqtt.wait_connected(30)
        for online in (True, True, False, False):
            mqtt.tell(messages.source_status(NODE, "room", online=online))
            time.sleep(0.2)
        mqtt.tell(messages.level(NODE, "room", dbfs=-30, floor_dbfs=-60))
        until(lambda: ear.last("monitord/home/room/level") is not None)
        assert ear.payloads("monitord/home/room/status") == ["online", "offline"]
        assert ear.heard[-1].qos == 0


def test_clean_stop_says_goodbye(broker: Mosquitto, outbox: Outbox) -> None:
    """A clean stop empties the outbox, tells every source and then the node offline, and needs no last will."""
    with Ear(broker) as ear:
        mqtt = voice(at(broker), outbox)
        mqtt.start()
        mqtt.wait_connected(30)
        for number in range(30):
            mqtt.tell(event(number))
        assert mqtt.stop(20)
        assert outbox.waiting == 0
        until(lambda: ear.last("monitord/home/status") == "offline")
        assert [(heard.topic, heard.payload) for heard in ear.heard[-3:]] == [
            ("monitord/home/room/status", "offline"),
            ("monitord/home/room2/status", "offline"),
            ("monitord/home/status", "offline"),
        ]
        assert ids(ear) == [str(number) for number in range(30)]
    assert not mqtt.status().connected
    assert not mqtt.alive


def test_stop_is_quick_without_a_broker(outbox: Outbox) -> None:
    """Without a broker the end does not wait for one."""
    mqtt = voice(MqttSettings("127.0.0.1", free_port()), outbox)
    mqtt.start()
    until(lambda: "no broker" in mqtt.status().detail)
    began = time.monotonic()
    assert mqtt.stop()
    assert time.monotonic() - began < 2


def test_waits_for_a_broker_that_comes_later(tmp_path: Path, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """No broker at start is no error: it is said once, nothing is lost, and live messages are dropped and counted."""
    broker = Mosquitto(tmp_path / "broker")
    with voice(at(broker), outbox) as mqtt:
        mqtt.tell(event(1))
        mqtt.tell(messages.level(NODE, "room", dbfs=-30, floor_dbfs=-60))
        status = mqtt.wait_connected(2)
        assert (status.connected, status.refused, str(broker.port) in status.detail) == (False, False, True)
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
        with broker, Ear(broker) as ear:
            assert mqtt.wait_connected(30).connected
            until(lambda: ids(ear) == ["1"])
            assert mqtt.dropped_live == 1
            assert ear.payloads("monitord/home/room/level") == []


def test_nothing_is_lost_when_the_broker_is_killed(broker: Mosquitto, outbox: Outbox) -> None:
    """Every event told while the broker is killed and started twice arrives, in order, and states come anew."""
    total = 0

    def tell_for(seconds: float) -> None:
        nonlocal total
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert mqtt.tell(event(total))
            total += 1
            time.sleep(0.005)

    with Ear(broker) as ear, voice(at(broker), outbox) as mqtt:
        mqtt.tell(messages.source_status(NODE, "room", online=True))
        mqtt.wait_connected(30)
        for life in range(2):
            tell_for(0.5)
            broker.kill()
            tell_for(0.5)
            assert not mqtt.status().connected
            broker.start()
            until(lambda life=life: ear.payloads("monitord/home/status").count("online") >= life + 2)  # type: ignore[misc]
            tell_for(0.3)
        until(lambda: outbox.waiting == 0)
        until(lambda: len(set(ids(ear))) == total)
        first = list(dict.fromkeys(ids(ear)))  # doubles are allowed: receivers drop them by id
        assert first == [str(number) for number in range(total)]
        assert ear.payloads("monitord/home/room/status").count("online") >= 3


def test_nothing_is_lost_when_the_daemon_is_killed(broker: Mosquitto, tmp_path: Path) -> None:
    """Everything that was told before a kill -9 at any instant arrives, then or after the next start, in order."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from service.messages import Keep, Message, Node; from service.mqtt import Mqtt\n"
        "from service.mqtt_settings import MqttSettings; from service.outbox import Outbox\n"
        "path, port, number = sys.argv[1:]\n"
        "with Outbox(Path(path)) as outbox:\n"
        "    settings = MqttSettings('127.0.0.1', int(port))\n"
        "    with Mqtt(settings, Node('home'), ['room'], outbox) as mqtt:\n"
        "        while True:\n"
        "            assert mqtt.tell(Message('monitord/home/room/event', number, False, 1, Keep.EVENT))\n"
        "            print(number, flush=True)\n"
        "            number = str(int(number) + 1)\n"
        "            time.sleep(0.001)\n"
    )
    told: list[str] = []
    maybe: list[str] = []
    chance = random.Random(1)
    with Ear(broker) as ear:
        for _ in range(4):
            command = [sys.executable, "-c", script, str(tmp_path / "outbox.db"), str(broker.port), str(len(told))]
            with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
                assert daemon.stdout is not None
                told.append(daemon.stdout.readline().strip())
                time.sleep(chance.uniform(0, 0.4))
                daemon.kill()
                told += daemon.stdout.read().split()
            maybe.append(str(len(told)))  # may have been added and not printed: its number is not used again
            told.append(maybe[-1])
        with Outbox(tmp_path / "outbox.db") as outbox, voice(at(broker), outbox):
            until(lambda: outbox.waiting == 0)
        arrived = list(dict.fromkeys(ear.payloads(EVENT)))
    missing = set(told) - set(arrived)
    assert missing <= set(maybe)
    assert arrived == [number for number in told if number not in missing]


def test_a_hung_broker_is_noticed(broker: Mosquitto, outbox: Outbox) -> None:
    """A broker that stands still, with its connection open, is seen after twice the keepalive."""
    with voice(at(broker), outbox, keepalive_s=1) as mqtt:
        assert mqtt.wait_connected(30).connected
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            until(lambda: "not answered for 2 s" in mqtt.status().detail)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        assert mqtt.wait_connected(30).connected


def test_last_will(broker: Mosquitto, outbox: Outbox) -> None:
    """A daemon that vanishes without a goodbye is told offline by the broker."""
    proxy = _Proxy(broker.port)
    with Ear(broker) as ear, voice(MqttSettings("127.0.0.1", proxy.port), outbox) as mqtt:
        mqtt.wait_connected(30)
        until(lambda: ear.last("monitord/home/status") == "online")
        proxy.close()
        until(lambda: ear.last("monitord/home/status") == "offline")


def test_commands_arrive_but_not_retained_ones(broker: Mosquitto, outbox: Outbox) -> None:
    """A command given now is obeyed; one that was stored, or that makes no sense, is not."""
    given: list[Command] = []
    with Ear(broker) as ear:
        ear.say("monitord/home/test_alarm/set", "PRESS", retain=True)
        with voice(at(broker), outbox, on_command=given.append) as mqtt:
            mqtt.wait_connected(30)
            ear.say("monitord/home/room/threshold/set", "loud")
            ear.say("monitord/home/restart/set", "PRESS")
            until(lambda: bool(given))
            assert given == [Restart()]


def test_a_wrong_password_is_told_apart(tmp_path: Path, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """A broker that refuses the password is seen at once, as something that only a person can mend; said once."""
    password = tmp_path / "password"
    password.write_text("wrong\n")
    password.chmod(0o600)
    with Mosquitto(tmp_path / "broker", users=USERS) as broker:
        for settings in (
            MqttSettings("127.0.0.1", broker.port, "monitord", password),
            MqttSettings("127.0.0.1", broker.port),
        ):
            with voice(settings, outbox) as mqtt:
                status = mqtt.wait_connected(30)
                assert (status.connected, status.refused) == (False, True)
                assert "mqtt.username" in status.detail
                assert "wrong" not in status.detail
        caplog.clear()
        with voice(settings, outbox) as mqtt:
            until(lambda: broker.log.count("not authorised") >= 5)
            assert len([record for record in caplog.records if "refuses" in record.getMessage()]) == 1
        password.write_text("pw1\n")
        with voice(MqttSettings("127.0.0.1", broker.port, "monitord", password), outbox) as mqtt:
            assert mqtt.wait_connected(30).connected


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (MqttSettings(username="a", password_file=Path("/nowhere")), "password"),
        (MqttSettings(tls=TlsFiles(ca_file=Path("/nowhere"))), "ca_file"),
        (MqttSettings(tls=TlsFiles(ca_file=Path(__file__))), "ca_file"),
        (MqttSettings(tls=TlsFiles(cert_file=Path("/nowhere"))), "cert_file"),
        (MqttSettings(tls=TlsFiles(key_file=Path("/nowhere"))), "cert_file"),
    ],
)
def test_files_that_cannot_be_used_stop_the_start(outbox: Outbox, settings: MqttSettings, key: str) -> None:
    """A missing or wrong file is the operator's to mend: named by its key, before any connection."""
    with pytest.raises(ConfigError, match=key):
        voice(settings, outbox).start()


def test_a_refused_topic_is_seen_and_kept(tmp_path: Path, outbox: Outbox) -> None:
    """An event that the broker's rights refuse is said once and kept, not sent in a loop, and goes when they change."""
    password = tmp_path / "password"
    password.write_text("pw1")
    password.chmod(0o600)
    narrow = RIGHTS.replace("monitord/#", "monitord/home/status")
    with Mosquitto(tmp_path / "broker", users=USERS, acl=narrow) as broker, Ear(broker, user="ear") as ear:
        settings = MqttSettings("127.0.0.1", broker.port, "monitord", password)
        with voice(settings, outbox) as mqtt:
            mqtt.tell(messages.source_status(NODE, "room", online=True))
            mqtt.wait_connected(30)
            for number in range(25):  # more than are under way at once
                mqtt.tell(event(number))
            until(lambda: EVENT in mqtt.status().detail)
            time.sleep(2.5)  # time for a loop to show itself
            assert broker.log.count(f"Denied PUBLISH from monitord-home (d0, q1, r0, m2, '{EVENT}'") <= 1
            assert broker.log.count("Denied PUBLISH from monitord-home") == 25 + 1
            assert (outbox.waiting, outbox.dropped) == (25, 0)
            assert "monitord/home/room/status (Not authorized)" in mqtt.status().detail
            assert mqtt.status().connected
            broker.rights(RIGHTS)
            until(lambda: "Reloading config" in broker.log)
            mqtt.tell(event(25))
            until(lambda: set(ids(ear)) == {str(number) for number in range(26)})
            until(lambda: outbox.waiting == 0)
            mqtt.tell(messages.source_status(NODE, "room", online=False))
            until(lambda: EVENT not in mqtt.status().detail)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho leaves a failed handshake to the
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # garbage collector
def test_tls(tmp_path: Path, outbox: Outbox) -> None:
    """Chain and host name are verified, a client's certificate is shown, and each failure names its key."""
    (tmp_path / "other").mkdir()
    ours, stranger = authority(tmp_path), authority(tmp_path / "other", "another CA")
    server = certificate(tmp_path, ours, "server", "DNS:localhost")
    client = certificate(tmp_path, ours, "client", "DNS:monitord")
    good = TlsFiles(ours[0], *client)
    with Mosquitto(tmp_path / "broker", tls=server, client_ca=ours[0]) as broker:

        def status_with(host: str, tls: TlsFiles | None) -> tuple[bool, bool, str]:
            with voice(MqttSettings(host, broker.port, tls=tls), outbox) as mqtt:
                until(lambda: mqtt.status().connected or "not connected yet" not in mqtt.status().detail)
                status = mqtt.status()
            return status.connected, status.refused, status.detail

        assert status_with("localhost", good) == (True, False, "")
        connected, refused, detail = status_with("localhost", TlsFiles(stranger[0], *client))
        assert (connected, refused, "mqtt.tls.ca_file" in detail) == (False, True, True)
        connected, refused, detail = status_with("127.0.0.1", good)  # the certificate is for localhost
        assert (connected, refused, "mqtt.host" in detail) == (False, True, True)
        connected, refused, detail = status_with("localhost", TlsFiles(ours[0]))
        assert (connected, "mqtt.tls.cert_file" in detail) == (False, True)
        connected, refused, detail = status_with("localhost", None)
        assert not connected
    with Mosquitto(tmp_path / "plain") as broker:
        connected, refused, detail = status_with("localhost", good)
        assert (connected, "mqtt.tls" in detail) == (False, True)


@pytest.mark.parametrize("manner", ["answers", "hangs up"])
def test_falls_back_to_3_1_1(broker: Mosquitto, outbox: Outbox, manner: str) -> None:
    """A broker of the time before MQTT 5, which says so or just hangs up, is spoken to in 3.1.1."""
    refusal = bytes([0x20, 2, 0, 1]) if manner == "answers" else b""  # CONNACK: unacceptable protocol version
    proxy = _Proxy(broker.port, refuse_v5=refusal)
    with Ear(broker) as ear, voice(MqttSettings("127.0.0.1", proxy.port), outbox) as mqtt:
        assert mqtt.wait_connected(30).connected
        mqtt.tell(event(1))
        until(lambda: ids(ear) == ["1"])
        until(lambda: outbox.waiting == 0)
        assert "monitord-home (p2" in broker.log  # mosquitto's name for 3.1.1; 5 is p5
    proxy.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 9, b"\x20\x02\x00\x77", bytes(999)])
def test_what_is_no_broker_is_survived(outbox: Outbox, answer: bytes) -> None:
    """A port that answers something else makes a status, no crash."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with server.accept()[0] as sock, contextlib.suppress(ConnectionError):
                sock.recv(1000)
                sock.sendall(answer)
                sock.recv(1000)

        thread = threading.Thread(target=serve)
        thread.start()
        with voice(MqttSettings("127.0.0.1", server.getsockname()[1]), outbox) as mqtt:
            until(lambda: "not connected yet" not in mqtt.status().detail)
            assert not mqtt.status().connected
            assert mqtt.alive
        thread.join()


def test_a_second_daemon_of_the_same_name_is_named(broker: Mosquitto, outbox: Outbox, tmp_path: Path) -> None:
    """Two daemons of one node name throw each other out; the status says so."""
    with Outbox(tmp_path / "other.db") as other, voice(at(broker), outbox) as mqtt:
        mqtt.wait_connected(30)
        with voice(at(broker), other):
            until(lambda: "second monitord" in mqtt.status().detail)


def test_a_bug_in_a_command_handler_is_not_silent(broker: Mosquitto, outbox: Outbox) -> None:
    """When the thread dies of a bug, the broker tells the last will and the status says what happened."""

    def fail(_: Command) -> None:
        raise ZeroDivisionError("a bug")

    caught: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, caught.append
    try:
        with Ear(broker) as ear, voice(at(broker), outbox, on_command=fail) as mqtt:
            mqtt.wait_connected(30)
            ear.say("monitord/home/test_alarm/set", "PRESS")
            until(lambda: ear.last("monitord/home/status") == "offline")
            until(lambda: not mqtt.alive)
            assert "a bug" in mqtt.status().detail
    finally:
        threading.excepthook = before
    assert [args.exc_type for args in caught] == [ZeroDivisionError]


class _Proxy:
    """Passes bytes to a real broker; refuses MQTT 5 where asked to, as brokers before it do."""

    def __init__(self, port: int, refuse_v5: bytes | None = None) -> None:
        self._target = port
        self._refuse_v5 = refuse_v5
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._server.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Cuts every connection and takes no new one."""
        for sock in [self._server, *self._open]:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
            finally:
                sock.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            connect = client.recv(4096)
            if self._refuse_v5 is not None and connect[8] == 5:  # the level, after the name MQTT
                client.sendall(self._refuse_v5)
                client.close()
                continue
            target = socket.create_connection(("127.0.0.1", self._target))
            target.sendall(connect)
            self._open += [client, target]
            for one, other in ((client, target), (target, client)):
                threading.Thread(target=self._pass, args=(one, other), daemon=True).start()

    def _pass(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(4096):
                other.sendall(data)
        except OSError:
            pass
        for sock in (one, other):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
