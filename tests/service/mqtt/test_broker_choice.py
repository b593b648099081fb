"""Whose broker it is, and that two of the same node do not share a private one."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.mqtt import broker_choice
from service.mqtt.broker_choice import choose_broker
from service.mqtt.claims import held
from service.mqtt.embedded_broker import EmbeddedBroker
from service.mqtt.settings import MqttSettings
from tests.support.servers.mosquitto import Mosquitto
from tests.support.servers.sockets import free_port

EMBEDDED = MqttSettings(embedded=True)


@pytest.fixture(autouse=True)
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """In place of 1883, of which a machine has one."""
    port = free_port()
    monkeypatch.setattr(broker_choice, "EmbeddedBroker", lambda state: EmbeddedBroker(state, port=port))
    return port


@pytest.fixture
def stack() -> Iterator[contextlib.ExitStack]:
    """Of a daemon."""
    with contextlib.ExitStack() as opened:
        yield opened


def test_what_is_held_is_free_again_with_its_holder() -> None:
    """However long its name is."""
    what = "node" * 100
    with held(what) as first, held(what) as second:
        assert (first, second) == (True, False)
    with held(what) as again:
        assert again


@pytest.mark.e2e
def test_another_monitord_of_the_same_node_is_refused(tmp_path: Path, stack: contextlib.ExitStack) -> None:
    """It is told what to change, and the first one keeps its broker; after that has ended there is room."""
    with contextlib.ExitStack() as first:
        assert choose_broker(EMBEDDED, tmp_path / "one", first, node="home")[1] == "private"
        with pytest.raises(
            ConfigError, match=r"another monitord has the node name 'home'.*a node and a state_dir of its own"
        ):
            choose_broker(EMBEDDED, tmp_path / "two", stack, node="home")
        stack.close()
    assert choose_broker(EMBEDDED, tmp_path / "two", stack, node="home")[1] == "private"


@pytest.mark.e2e
def test_another_node_uses_it_and_is_told_whose_it_is(
    tmp_path: Path, stack: contextlib.ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    """It ends with the other monitord, which is worth a word."""
    choose_broker(EMBEDDED, tmp_path / "one", stack, node="home")
    with contextlib.ExitStack() as second:
        assert choose_broker(EMBEDDED, tmp_path / "two", second, node="cottage")[1] == "found"
    assert "the private one of another monitord, and ends with it" in caplog.text


@pytest.mark.e2e
def test_the_family_s_own_broker_is_nobody_s(
    tmp_path: Path, port: int, stack: contextlib.ExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    """One that was found and is no monitord's is used without a warning."""
    stack.enter_context(Mosquitto(tmp_path / "theirs", port=port))
    assert choose_broker(EMBEDDED, tmp_path / "one", stack, node="home")[1] == "found"
    assert "another monitord" not in caplog.text


def test_a_broker_that_is_configured_is_taken_as_it_is(tmp_path: Path, stack: contextlib.ExitStack) -> None:
    """Two monitords there are for that broker to tell apart."""
    settings = MqttSettings(host="broker.lan")
    assert choose_broker(settings, tmp_path, stack, node="home") == (settings, "configured", None)
    assert choose_broker(settings, tmp_path, stack, node="home") == (settings, "configured", None)
