"""The way to the broker: several addresses of which some are dead, a name that is not known for a while, WebSockets."""

import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.mqtt.settings import MqttSettings, TlsSettings
from service.mqtt.wire import connection
from service.mqtt.wire.address import open_socket
from service.storage.outbox import Outbox
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, Subscriber, authority, certificate, until
from tests.support.servers.mqtt_clients import client, event, ids, wait_connected
from tests.support.servers.sockets import free_port

V6 = socket.has_ipv6 and Path("/proc/net/if_inet6").exists()
needs_v6 = pytest.mark.skipif(not V6, reason="needs IPv6 on loopback")


class DeadPort:
    """A port on which a connection neither comes about nor is refused: its queue is full, so that SYNs are dropped."""

    def __init__(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._open = [socket.socket(family)]
        self._open[0].bind((host, port))
        self._open[0].listen(0)
        for _ in range(3):
            caller = socket.socket(family)
            caller.settimeout(0)
            caller.connect_ex((host, port))
            self._open.append(caller)
        time.sleep(0.1)

    def close(self) -> None:
        """Frees the port."""
        for sock in self._open:
            sock.close()


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> None:
    """`localhost` has both addresses, the dead one first, whatever this machine's file of hosts says."""
    asked = socket.getaddrinfo

    def both(host: str, *rest: int, **more: int) -> list[object]:
        hosts = ["::1", "127.0.0.1"] if host == "localhost" else [host]
        return [info for each in hosts for info in asked(each, *rest, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", both)


@pytest.mark.e2e
@needs_v6
@pytest.mark.usefixtures("both")
def test_a_dead_address_family_costs_a_moment(tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that answers on 127.0.0.1 alone is found although nothing answers at ::1, not even with a refusal."""
    with Mosquitto(tmp_path / "broker") as broker:
        dead = DeadPort("::1", broker.port)
        with pytest.raises(TimeoutError):  # the trap is one
            socket.create_connection(("::1", broker.port), 0.5)
        monkeypatch.setattr(connection, "CONNECT_TIMEOUT_S", 300.0)  # what one address after the other would take
        with client(MqttSettings(host="localhost", port=broker.port), outbox) as mqtt:
            assert wait_connected(mqtt).connected
        dead.close()


@needs_v6
@pytest.mark.usefixtures("both")
def test_the_first_that_answers_is_taken() -> None:
    """A refusal of one address moves on at once, and the words are of the first where all refuse."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with open_socket("localhost", port, 30) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)
            assert sock.gettimeout() == 30
    with pytest.raises(ConnectionRefusedError):
        open_socket("localhost", port, 30)


@needs_v6
def test_a_connection_that_is_not_wanted_any_more_ends() -> None:
    """So that the end of the daemon does not wait for an address that does not answer."""
    port = free_port()
    dead = DeadPort("::1", port)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        open_socket("::1", port, 300, given_up=lambda: time.monotonic() - began > 0.3)
    dead.close()


@pytest.mark.e2e
def test_a_name_that_is_not_known_for_a_while(tmp_path: Path) -> None:
    """Said with the name and what helps; when the name is known again, the broker is found and nothing was lost."""
    command = ["unshare", "--map-root-user", "--mount"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*command, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs a mount namespace of its own, for another /etc/hosts")
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 localhost\n")
    script = (
        "import sys, time; from pathlib import Path; sys.path.insert(0, sys.argv[3])\n"
        "from service.mqtt.settings import MqttSettings; from service.storage.outbox import Outbox\n"
        "from tests.support.servers.mqtt_clients import client, event\n"
        "with Outbox(Path(sys.argv[1])) as outbox:\n"
        "    with client(MqttSettings(host='broker.test', port=int(sys.argv[2])), outbox) as mqtt:\n"
        "        mqtt.tell(event(1))\n"
        "        while not mqtt.status().connected:\n"
        "            print(mqtt.status().detail, flush=True)\n"
        "            time.sleep(0.1)\n"
        "        while outbox.waiting:\n"
        "            time.sleep(0.1)\n"
        "        print('told', flush=True)\n"
    )
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:
        inner = f'mount --bind {hosts} /etc/hosts && exec "$@"'
        python = [sys.executable, "-c", script, str(tmp_path / "outbox.db"), str(broker.port), str(ROOT)]
        with subprocess.Popen([*command, "sh", "-c", inner, "sh", *python], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            words = ""
            while "cannot look up" not in words:
                words = child.stdout.readline()
                assert words, "it ended"
            assert "broker.test" in words
            assert "mqtt.host" in words
            with hosts.open("a") as file:
                file.write("127.0.0.1 broker.test\n")
            assert "told" in child.stdout.read()
        until(lambda: ids(subscriber) == ["1"])


@pytest.mark.e2e
@pytest.mark.parametrize("encrypted", [False, True])
def test_websockets(tmp_path: Path, outbox: Outbox, *, encrypted: bool) -> None:
    """The same over a WebSocket, with and without TLS; large messages, a backlog, and commands of the other side."""
    ours = authority(tmp_path)
    tls = certificate(tmp_path, ours, "server", "DNS:localhost") if encrypted else None
    web, given = free_port(), []
    files = () if tls is None else (f"certfile {tls[0]}", f"keyfile {tls[1]}")
    options = ("allow_anonymous true", f"listener {web}", "protocol websockets", *files)
    settings = MqttSettings(
        host="localhost", port=web, transport="websockets", tls=TlsSettings(ca_file=ours[0]) if encrypted else None
    )
    with Mosquitto(tmp_path / "broker", options=options) as broker, Subscriber(broker) as subscriber:
        for number in range(50):
            outbox.add(event(number))
        with client(settings, outbox, on_command=given.append) as mqtt:
            assert wait_connected(mqtt).connected, mqtt.status().detail
            until(lambda: outbox.waiting == 0)
            until(lambda: len(ids(subscriber)) == 50)
            subscriber.say("monitord/home/test_alarm/set", "PRESS")
            until(lambda: len(given) == 1)
            broker.kill()
            until(lambda: not mqtt.status().connected)
            mqtt.tell(event(50))
            broker.start()
            until(lambda: "50" in ids(subscriber))


@pytest.mark.e2e
def test_what_is_no_websocket_is_named(tmp_path: Path, outbox: Outbox) -> None:
    """A broker's other port answers, but not so: the words name the keys."""
    with Mosquitto(tmp_path / "broker") as broker:
        settings = MqttSettings(host="127.0.0.1", port=broker.port, transport="websockets", path="/ws")
        with client(settings, outbox) as mqtt:
            until(lambda: "mqtt.path" in mqtt.status().detail, 300)
            assert f"ws://127.0.0.1:{broker.port}/ws" in mqtt.status().detail


def test_settings_of_websockets() -> None:
    """Ports of the web where none is given; a path belongs to them alone."""
    assert MqttSettings(host="b", transport="websockets").port == 80
    assert MqttSettings(host="b", transport="websockets", tls=TlsSettings()).port == 443
    assert MqttSettings(host="b", transport="websockets", tls=TlsSettings()).url == "wss://b:443/mqtt"
    for wrong in ({"path": "/ws"}, {"transport": "websockets", "path": "ws"}, {"transport": "carrier pigeon"}):
        with pytest.raises(ValidationError):
            MqttSettings.model_validate({"host": "b", **wrong})
