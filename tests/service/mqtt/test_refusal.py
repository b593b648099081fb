"""The client against brokers that refuse: passwords, rights, certificates, old protocols, and what is no broker."""

import contextlib
import socket
import threading
import time
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.messages import node_messages
from service.mqtt.settings import MqttSettings, TlsSettings
from service.storage.outbox import Outbox
from tests.support.servers.mosquitto import Mosquitto, Subscriber, authority, certificate, until
from tests.support.servers.mqtt_clients import EVENT, NODE, Proxy, client, event, ids, wait_connected

pytestmark = pytest.mark.e2e

RIGHTS = "user monitord\ntopic readwrite monitord/#\nuser subscriber\ntopic readwrite #\n"
USERS = {"monitord": "pw1", "subscriber": "pw2"}


def test_a_wrong_password_is_told_apart(tmp_path: Path, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """A broker that refuses the password is seen at once, as something that only a person can mend; said once."""
    password = tmp_path / "password"
    password.write_text("wrong\n")
    password.chmod(0o600)
    with Mosquitto(tmp_path / "broker", users=USERS) as broker:
        for settings in (
            MqttSettings(host="127.0.0.1", port=broker.port, username="monitord", password_file=password),
            MqttSettings(host="127.0.0.1", port=broker.port),
        ):
            with client(settings, outbox) as mqtt:
                status = wait_connected(mqtt)
                assert (status.connected, status.refused) == (False, True)
                assert "mqtt.username" in status.detail
                assert "wrong" not in status.detail
        caplog.clear()
        with client(settings, outbox) as mqtt:
            until(lambda: broker.log.count("not authorised") >= 5)
            assert len([record for record in caplog.records if "refuses" in record.getMessage()]) == 1
        password.write_text("pw1\n")
        with client(
            MqttSettings(host="127.0.0.1", port=broker.port, username="monitord", password_file=password), outbox
        ) as mqtt:
            assert wait_connected(mqtt).connected


@pytest.mark.parametrize(
    ("settings", "key"),
    [
        (MqttSettings.model_construct(username="a", password_file=Path("/nowhere")), "password"),
        (MqttSettings.model_construct(tls=TlsSettings.model_construct(ca_file=Path("/nowhere"))), "ca_file"),
        (MqttSettings(tls=TlsSettings(ca_file=Path(__file__))), "ca_file"),
        (MqttSettings.model_construct(tls=TlsSettings.model_construct(cert_file=Path("/nowhere"))), "cert_file"),
    ],
)
def test_files_that_cannot_be_used_stop_the_start(outbox: Outbox, settings: MqttSettings, key: str) -> None:
    """A wrong file, or one that has gone since the check, is the operator's to mend: named, before any connection."""
    with pytest.raises(ConfigError, match=key):
        client(settings, outbox).start()


def test_a_refused_topic_is_seen_and_kept(tmp_path: Path, outbox: Outbox) -> None:
    """An event that the broker's rights refuse is said once and kept, not sent in a loop, and goes when they change."""
    password = tmp_path / "password"
    password.write_text("pw1")
    password.chmod(0o600)
    narrow = RIGHTS.replace("monitord/#", "monitord/home/status")
    with (
        Mosquitto(tmp_path / "broker", users=USERS, acl=narrow) as broker,
        Subscriber(broker, user="subscriber") as subscriber,
    ):
        settings = MqttSettings(host="127.0.0.1", port=broker.port, username="monitord", password_file=password)
        with client(settings, outbox) as mqtt:
            mqtt.tell(node_messages.source_status(NODE, "room", online=True))
            wait_connected(mqtt)
            for number in range(25):  # more than are under way at once
                mqtt.tell(event(number))
            until(lambda: EVENT in mqtt.status().detail)
            until(lambda: broker.log.count("Denied PUBLISH from monitord-home") >= 25 + 1)
            time.sleep(2.5)  # time for a loop to show itself
            assert broker.log.count(f"Denied PUBLISH from monitord-home (d0, q1, r0, m2, '{EVENT}'") <= 1
            assert broker.log.count("Denied PUBLISH from monitord-home") == 25 + 1
            assert (outbox.waiting, outbox.dropped) == (25, 0)
            assert "monitord/home/room/status (Not authorized)" in mqtt.status().detail
            assert mqtt.status().connected
            broker.rights(RIGHTS)
            until(lambda: "Reloading config" in broker.log)
            mqtt.tell(event(25))
            until(lambda: set(ids(subscriber)) == {str(number) for number in range(26)})
            until(lambda: outbox.waiting == 0)
            mqtt.tell(node_messages.source_status(NODE, "room", online=False))
            until(lambda: EVENT not in mqtt.status().detail)


@pytest.mark.filterwarnings("ignore:unclosed <ssl.SSLSocket:ResourceWarning")  # paho leaves a failed handshake to the
@pytest.mark.filterwarnings("ignore:.*SSLSocket:pytest.PytestUnraisableExceptionWarning")  # garbage collector
def test_tls(tmp_path: Path, outbox: Outbox) -> None:
    """Chain and host name are verified, a client's certificate is shown, and each failure names its key."""
    (tmp_path / "other").mkdir()
    ours, stranger = authority(tmp_path), authority(tmp_path / "other", "another CA")
    server = certificate(tmp_path, ours, "server", "DNS:localhost")
    cert, key = certificate(tmp_path, ours, "client", "DNS:monitord")
    good = TlsSettings(ca_file=ours[0], cert_file=cert, key_file=key)
    with Mosquitto(tmp_path / "broker", tls=server, client_ca=ours[0]) as broker:

        def status_with(host: str, tls: TlsSettings | None) -> tuple[bool, bool, str]:
            with client(MqttSettings(host=host, port=broker.port, tls=tls), outbox) as mqtt:
                until(lambda: mqtt.status().connected or "not connected yet" not in mqtt.status().detail)
                status = mqtt.status()
            return status.connected, status.refused, status.detail

        assert status_with("localhost", good) == (True, False, "")
        connected, refused, detail = status_with(
            "localhost", TlsSettings(ca_file=stranger[0], cert_file=cert, key_file=key)
        )
        assert (connected, refused, "mqtt.tls.ca_file" in detail) == (False, True, True)
        connected, refused, detail = status_with("127.0.0.1", good)  # the certificate is for localhost
        assert (connected, refused, "mqtt.host" in detail) == (False, True, True)
        connected, refused, detail = status_with("localhost", TlsSettings(ca_file=ours[0]))
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
    proxy = Proxy(broker.port, refuse_v5=refusal)
    with Subscriber(broker) as subscriber, client(MqttSettings(host="127.0.0.1", port=proxy.port), outbox) as mqtt:
        assert wait_connected(mqtt).connected
        mqtt.tell(event(1))
        until(lambda: ids(subscriber) == ["1"])
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
        with client(MqttSettings(host="127.0.0.1", port=server.getsockname()[1]), outbox) as mqtt:
            until(lambda: "not connected yet" not in mqtt.status().detail)
            assert not mqtt.status().connected
            assert mqtt.alive
        thread.join()
