"""The MQTT client against a real broker: order of connecting, news, commands, the end."""

import contextlib
import threading
import time
from pathlib import Path

import pytest

from service.messages import node_messages
from service.messages.commands import Command, Restart
from service.messages.message import Keep, Message
from service.mqtt import session
from service.storage.outbox import Outbox
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import EVENT, NODE, at, client, event, ids, wait_connected

pytestmark = pytest.mark.e2e

BIRTH = "homeassistant/status"


def test_order_of_connecting(broker: Mosquitto, outbox: Outbox) -> None:
    """Discovery, a pause, retained states, `online` last; then what waits; all as the contract says."""
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    state = node_messages.source_status(NODE, "room", online=True)
    mqtt = client(at(broker), outbox, discovery=[discovery])
    mqtt.tell(state)
    mqtt.tell(event(1))
    with Subscriber(broker) as subscriber, contextlib.ExitStack() as opened:
        began = time.monotonic()
        opened.enter_context(mqtt)
        assert wait_connected(mqtt).connected
        assert time.monotonic() - began > 0.9  # the pause
        until(lambda: len(subscriber.heard) == 4)
        assert [heard.topic for heard in subscriber.heard] == [
            discovery.topic,
            state.topic,
            "monitord/home/status",
            EVENT,
        ]
        assert {heard.qos for heard in subscriber.heard} == {1}
        until(lambda: outbox.waiting == 0)
    with Subscriber(broker, "later") as later:
        until(lambda: len(later.heard) >= 3)
        assert {heard.topic for heard in later.heard if heard.retain} >= {discovery.topic, "monitord/home/status"}
        assert later.payloads(EVENT) == []  # events are never retained


def test_home_assistant_is_greeted_anew(broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a birth message: discovery, a pause in which events go on, every state, `online`, and pictures last."""
    monkeypatch.setattr(session, "BIRTH_FIRST_S", 0.2)
    monkeypatch.setattr(session, "BIRTH_LAST_S", 0.3)
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    state = node_messages.source_status(NODE, "room", online=True)
    picture = Message("monitord/home/room/spectrogram", b"\x00\x01", retain=True, qos=1, keep=Keep.LATEST)
    greeting = [discovery.topic, state.topic, "monitord/home/status", picture.topic]
    mqtt = client(at(broker), outbox, discovery=[discovery], births=[BIRTH])
    mqtt.tell(state)
    mqtt.tell(picture)
    with Subscriber(broker) as subscriber, mqtt:
        assert wait_connected(mqtt).connected
        until(lambda: [heard.topic for heard in subscriber.heard] == greeting)
        monkeypatch.setattr(session, "DISCOVERY_PAUSE_S", 10.0)  # so that what is told in it comes in it
        for payload in ("offline", "online"):
            subscriber.say(BIRTH, payload)
        until(lambda: len(subscriber.payloads(discovery.topic)) == 2)
        mqtt.tell(event(1))  # in the pause
        until(lambda: len(subscriber.payloads(picture.topic)) == 2)
        anew = [heard.topic for heard in subscriber.heard[len(greeting) :] if heard.topic != BIRTH]
        assert anew == [discovery.topic, EVENT, state.topic, "monitord/home/status", picture.topic]
        assert subscriber.last(picture.topic) == "\x00\x01"


def test_a_birth_payload_of_another_house(broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what the configuration says greets it anew."""
    monkeypatch.setattr(session, "BIRTH_FIRST_S", 0.0)
    monkeypatch.setattr(session, "BIRTH_LAST_S", 0.0)
    discovery = Message("ha/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    mqtt = client(at(broker), outbox, discovery=[discovery], births=["house/born"], birth="wir sind da")
    with Subscriber(broker) as subscriber, mqtt:
        assert wait_connected(mqtt).connected
        until(lambda: subscriber.last("monitord/home/status") == "online")
        for payload in ("online", "wir sind da", "wir sind weg"):
            subscriber.say("house/born", payload)
        until(lambda: len(subscriber.payloads("monitord/home/status")) == 2)
        mqtt.tell(event(1))
        until(lambda: outbox.waiting == 0)
        assert len(subscriber.payloads(discovery.topic)) == 2


def test_only_a_birth_of_now_counts(broker: Mosquitto, outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A birth message that was stored, or whose topic nobody asked us to watch, greets nobody anew."""
    monkeypatch.setattr(session, "BIRTH_FIRST_S", 0.0)
    monkeypatch.setattr(session, "BIRTH_LAST_S", 0.0)
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    given: list[Command] = []
    with Subscriber(broker) as subscriber:
        subscriber.say(BIRTH, "online", retain=True)
        for births in ([BIRTH], []):
            told = len(subscriber.payloads(discovery.topic))
            with client(at(broker), outbox, discovery=[discovery], births=births, on_command=given.append) as m:
                wait_connected(m)
                if not births:
                    subscriber.say(BIRTH, "online")
                given.clear()
                subscriber.say("monitord/home/test_alarm/set", "PRESS")  # comes after the birth message
                until(lambda: bool(given))
                m.tell(event(1))
                until(lambda: outbox.waiting == 0)
            subscriber.say("fence", str(births))  # comes behind all that was told
            until(lambda births=births: subscriber.last("fence") == str(births))  # type: ignore[misc]
            assert len(subscriber.payloads(discovery.topic)) == told + 1


def test_events_say_when_they_were_sent(broker: Mosquitto, outbox: Outbox) -> None:
    """An event that waited for the broker tells how late it is."""
    with Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        mqtt.tell(event(1))  # of 1970
        until(lambda: ids(subscriber) == ["1"])
        late_ms = subscriber.latest(EVENT)["latency_publish_ms"]
        assert abs(late_ms / 1000 - time.time()) < PATIENCE_S


def test_only_news_are_told(broker: Mosquitto, outbox: Outbox) -> None:
    """A state is told when it changes, live messages as they come."""
    with Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        wait_connected(mqtt)
        for online, word in ((True, "online"), (True, "online"), (False, "offline"), (False, "offline")):
            mqtt.tell(node_messages.source_status(NODE, "room", online=online))
            until(lambda word=word: subscriber.last("monitord/home/room/status") == word)  # type: ignore[misc]
            time.sleep(0.2)
        mqtt.tell(node_messages.level(NODE, "room", dbfs=-30, floor_dbfs=-60, evidence=0.0, on=9.0, quiet_from=0.1))
        until(lambda: subscriber.last("monitord/home/room/level") is not None)
        assert subscriber.payloads("monitord/home/room/status") == ["online", "offline"]
        assert subscriber.heard[-1].qos == 0


def test_clean_stop_says_goodbye(broker: Mosquitto, outbox: Outbox) -> None:
    """A clean stop empties the outbox, tells every source and then the node offline, and needs no last will."""
    with Subscriber(broker) as subscriber:
        mqtt = client(at(broker), outbox)
        mqtt.start()
        wait_connected(mqtt)
        for number in range(30):
            mqtt.tell(event(number))
        assert mqtt.stop(PATIENCE_S)
        assert outbox.waiting == 0
        until(lambda: subscriber.last("monitord/home/status") == "offline")
        assert [(heard.topic, heard.payload) for heard in subscriber.heard[-3:]] == [
            ("monitord/home/room/status", "offline"),
            ("monitord/home/room2/status", "offline"),
            ("monitord/home/status", "offline"),
        ]
        assert ids(subscriber) == [str(number) for number in range(30)]
    assert not mqtt.status().connected
    assert not mqtt.alive


def test_commands_arrive_but_not_retained_ones(broker: Mosquitto, outbox: Outbox) -> None:
    """A command given now is obeyed; one that was stored, or that makes no sense, is not."""
    given: list[Command] = []
    with Subscriber(broker) as subscriber:
        subscriber.say("monitord/home/test_alarm/set", "PRESS", retain=True)
        with client(at(broker), outbox, on_command=given.append) as mqtt:
            wait_connected(mqtt)
            subscriber.say("monitord/home/room/threshold/set", "loud")
            subscriber.say("monitord/home/restart/set", "PRESS")
            until(lambda: bool(given))
            assert given == [Restart()]


def test_a_second_daemon_of_the_same_name_is_named(broker: Mosquitto, outbox: Outbox, tmp_path: Path) -> None:
    """Two daemons of one node name throw each other out; the status says so."""
    with Outbox(tmp_path / "other.db") as other, client(at(broker), outbox) as mqtt:
        wait_connected(mqtt)
        with client(at(broker), other):
            until(lambda: "second monitord" in mqtt.status().detail)


def test_a_bug_in_a_command_handler_is_not_silent(broker: Mosquitto, outbox: Outbox) -> None:
    """When the thread dies of a bug, the broker tells the last will and the status says what happened."""

    def fail(_: Command) -> None:
        raise ZeroDivisionError("a bug")

    caught: list[threading.ExceptHookArgs] = []
    before, threading.excepthook = threading.excepthook, caught.append
    try:
        with Subscriber(broker) as subscriber, client(at(broker), outbox, on_command=fail) as mqtt:
            wait_connected(mqtt)
            subscriber.say("monitord/home/test_alarm/set", "PRESS")
            until(lambda: subscriber.last("monitord/home/status") == "offline")
            until(lambda: not mqtt.alive)
            assert "a bug" in mqtt.status().detail
    finally:
        threading.excepthook = before
    assert [args.exc_type for args in caught] == [ZeroDivisionError]
