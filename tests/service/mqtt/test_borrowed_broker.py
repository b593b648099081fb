"""A broker that was found running goes away: said, and replaced by one of our own; one that is back is used again."""

import logging
import time
from pathlib import Path

import pytest

from service.mqtt import borrowed_broker
from service.mqtt.borrowed_broker import BorrowedBroker
from service.mqtt.embedded_broker import EmbeddedBroker
from service.mqtt.settings import MqttSettings
from service.storage.outbox import Outbox
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import client, event, ids

pytestmark = pytest.mark.e2e


def test_one_of_our_own_takes_its_place(
    tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was told while nobody was there arrives; at the end ours ends, too."""
    monkeypatch.setattr(borrowed_broker, "SAY_S", 1.0)
    monkeypatch.setattr(borrowed_broker, "GONE_S", 3.0)
    theirs = Mosquitto(tmp_path / "theirs")
    theirs.__enter__()
    found = EmbeddedBroker(tmp_path, port=theirs.port)
    found.start()
    assert found.reused
    settings = MqttSettings(host="127.0.0.1", port=theirs.port)
    with client(settings, outbox) as mqtt:
        until(lambda: mqtt.status().connected)
        watch = BorrowedBroker(found, tmp_path, lambda: mqtt.status().connected)
        watch.start()
        theirs.terminate()
        until(lambda: "is away" in caplog.text)
        mqtt.tell(event(1))
        until(lambda: "one of our own serves there now" in caplog.text)
        until(lambda: outbox.waiting == 0)
        with Subscriber(theirs) as subscriber:
            mqtt.tell(event(2))
            until(lambda: ids(subscriber) == ["2"])
        watch.stop()
    with pytest.raises(ConnectionRefusedError):
        Subscriber(theirs)


def test_one_that_is_back_is_used_again(
    tmp_path: Path, outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A restart of it is none of our business, and the time that it took is forgotten."""
    monkeypatch.setattr(borrowed_broker, "GONE_S", PATIENCE_S)
    caplog.set_level(logging.INFO)
    with Mosquitto(tmp_path / "theirs") as theirs:
        found = EmbeddedBroker(tmp_path, port=theirs.port)
        found.start()
        with client(MqttSettings(host="127.0.0.1", port=theirs.port), outbox) as mqtt:
            seen: list[bool] = []

            def connected() -> bool:
                seen.append(mqtt.status().connected)
                return seen[-1]

            watch = BorrowedBroker(found, tmp_path, connected)
            watch.start()
            until(lambda: seen[-1:] == [True])
            away_since = time.monotonic()
            theirs.terminate()
            until(lambda: seen[-1:] == [False])
            theirs.start()
            until(lambda: seen[-2:] == [True, True])  # at the second look the first has been taken in
            monkeypatch.setattr(borrowed_broker, "GONE_S", time.monotonic() - away_since)
            looks = len(seen)
            until(lambda: len(seen) > looks)
            watch.stop()
    assert caplog.text.count("it is used") == 1  # as it was found; its place was not looked at again
    assert not (tmp_path / "broker").exists()
