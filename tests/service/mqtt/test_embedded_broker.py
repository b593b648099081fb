"""The embedded broker: a real mosquitto as a child, its life and its end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.client.daemon_query import query
from service.config import load_config
from service.mqtt import embedded_broker as broker_module
from service.mqtt.embedded_broker import EmbeddedBroker
from tests.support.servers.mosquitto import PATH, Mosquitto, Subscriber, until
from tests.support.servers.sockets import free_port

pytestmark = pytest.mark.e2e


def test_serves_and_leaves(tmp_path: Path) -> None:
    """It answers when `start` returns, and its port is free again after `stop`."""
    with EmbeddedBroker(tmp_path, port=free_port()) as broker:
        assert not broker.reused
        assert broker.fault == ""
        with Subscriber(_at(broker)) as subscriber:
            subscriber.say("a", "b")
            until(lambda: subscriber.payloads("a") == ["b"])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((broker.host, broker.port), 1)


def test_uses_the_broker_that_is_there(tmp_path: Path) -> None:
    """A broker that answers on the port is used, and is left running."""
    with Mosquitto(tmp_path / "theirs") as theirs:
        with EmbeddedBroker(tmp_path, port=theirs.port) as broker:
            assert broker.reused
        assert not (tmp_path / "broker").exists()
        socket.create_connection(("127.0.0.1", theirs.port), 1).close()


def test_a_broker_that_wants_a_password_is_told_with_what_to_paste(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lines are run as they stand, but for the user and the password: with them the daemon's way in is there."""
    monkeypatch.setenv("MONITORD_COMMAND", "true")
    with Mosquitto(tmp_path / "theirs", users={"someone": "se cret"}) as theirs:
        with pytest.raises(ConfigError, match="wants a user and a password") as refused:
            EmbeddedBroker(tmp_path, port=theirs.port).start()
        lines = [line for line in str(refused.value).splitlines() if line.startswith("    ")]
        assert len(lines) == 3
        script = "\n".join(lines).replace("THE PASSWORD", "se cret").replace("THE_USER", "someone")
        subprocess.run(["sh", "-ec", script], cwd=tmp_path, check=True)
        config = load_config(tmp_path / "monitord.yaml")
        told: dict[str, str] = {}
        with query(config, told):
            assert config.mqtt.port == theirs.port


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
def test_a_port_that_is_taken_is_named(tmp_path: Path, answer: bytes) -> None:
    """Something that is no broker on the port stops the start, with the port and what to do about it."""
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        port = stranger.getsockname()[1]

        def serve() -> None:
            with stranger.accept()[0] as sock:
                sock.recv(100)
                sock.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ConfigError, match=rf"port {port} on 127\.0\.0\.1 is taken.*mqtt\.port"):
            EmbeddedBroker(tmp_path, port=port).start()
        thread.join()


def test_without_mosquitto_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the package gets the line that installs it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(broker_module, "SEARCH_PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install mosquitto"):
        EmbeddedBroker(tmp_path, port=free_port()).start()


def test_unwritable_state_is_a_config_error(tmp_path: Path) -> None:
    """A state directory that is none is named with the key to change."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="state_dir"):
        EmbeddedBroker(tmp_path / "file", port=free_port()).start()


def test_a_disk_that_refuses_does_not_stop_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It serves without a state on disk, says so, and is started again like any other."""
    (tmp_path / "broker" / "mosquitto.conf").mkdir(parents=True)
    with EmbeddedBroker(tmp_path, port=free_port()) as broker:
        _kill(broker)
        until(lambda: _answers(broker))
        with Subscriber(_at(broker)) as subscriber:
            subscriber.say("a", "b")
            until(lambda: subscriber.payloads("a") == ["b"])
    assert "keeps its state in memory only" in caplog.text
    assert [path.name for path in (tmp_path / "broker").iterdir()] == ["mosquitto.conf"]


def test_what_mosquitto_says_is_in_the_error(tmp_path: Path) -> None:
    """When mosquitto does not start, here because the port is bound but not served, the error has its own words."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(ConfigError, match=r"mosquitto ended with status 1; .*Address already in use"):
            EmbeddedBroker(tmp_path, port=taken.getsockname()[1]).start()


def test_broken_state_does_not_stop_it(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A state that a power cut left unreadable is set aside, said, and a new one begins; the path may have spaces."""
    state = tmp_path / "my state"
    (state / "broker").mkdir(parents=True)
    (state / "broker" / "mosquitto.db").write_bytes(b"no database" * 100)
    with EmbeddedBroker(state, port=free_port()) as broker:
        assert broker.fault == ""
    assert len(list((state / "broker").glob("mosquitto.db.broken-*Z"))) == 1
    assert "begins anew" in caplog.text
    assert "started again" not in caplog.text


def test_is_started_again_and_remembers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A broker that is killed comes back by itself, visibly, with its retained messages."""
    with EmbeddedBroker(tmp_path, port=free_port()) as broker:
        with Subscriber(_at(broker)) as subscriber:
            subscriber.say("a", "kept", retain=True)
            until(lambda: subscriber.payloads("a") == ["kept"])
        state = tmp_path / "broker" / "mosquitto.db"
        until(lambda: state.exists() and b"kept" in state.read_bytes())
        _kill(broker)
        until(lambda: _answers(broker))
        until(lambda: broker.fault == "")  # it is looked at now and then
        with Subscriber(_at(broker), "another") as subscriber:
            until(lambda: subscriber.payloads("a") == ["kept"])
    assert "mosquitto ended with status -9" in caplog.text


@pytest.mark.skipif(shutil.which("setpriv", path=PATH) is None, reason="needs setpriv")
def test_dies_with_the_daemon(tmp_path: Path) -> None:
    """After a kill -9 of the daemon no broker stays behind."""
    port = free_port()
    script = (
        "import sys, time; from pathlib import Path; from service.mqtt.embedded_broker import EmbeddedBroker\n"
        "EmbeddedBroker(Path(sys.argv[1]), port=int(sys.argv[2])).start(); print('up', flush=True); time.sleep(600)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as daemon:
        assert daemon.stdout is not None
        assert daemon.stdout.readline() == "up\n"
        socket.create_connection(("127.0.0.1", port), 1).close()
        daemon.kill()
    until(lambda: not _listens(port))


def _listens(port: int) -> bool:
    with suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    return False


def _kill(broker: EmbeddedBroker) -> None:
    child = broker._child
    assert child is not None
    os.kill(child.pid, signal.SIGKILL)
    until(lambda: broker._child is not child)


def _answers(broker: EmbeddedBroker) -> bool:
    return _listens(broker.port)


def _at(broker: EmbeddedBroker) -> Mosquitto:
    """Only its address is used."""
    return Mosquitto(Path(), port=broker.port)
