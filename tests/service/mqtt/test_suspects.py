"""A message that breaks the connection is found and set aside, and the rest goes on; nobody else is blamed for it."""

import json
import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.messages import cry_messages, node_messages
from service.messages.message import Keep, Message
from service.mqtt import suspects
from service.mqtt.settings import MqttSettings
from service.mqtt.suspects import ASIDE_S, Suspects
from service.mqtt.wire import connection
from service.storage.outbox import Outbox
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import EVENT, NODE, Proxy, at, client, event, ids
from tests.support.servers.odd_broker import OddBroker, Taken

STATUS = "monitord/home/status"
BIRTH = "homeassistant/status"
PICTURE = cry_messages.spectrogram(NODE, "room", bytes(30_000))
POISON = Message(EVENT, {"id": "poison"}, retain=False, qos=1, keep=Keep.ALARM)


def to(broker: OddBroker) -> MqttSettings:
    return MqttSettings(host="127.0.0.1", port=broker.port)


def test_two_broken_connections_are_enough_and_the_pause_grows() -> None:
    """One that was alone under way both times; tried again after a while, and trusted again once it was answered."""
    now = [0.0]
    found = Suspects(lambda: now[0])
    found.broke({"a": "A", "b": "B"})
    assert found.reached() == []
    assert found.careful
    found.passed("a")
    found.broke({"b": "B"})
    assert found.reached() == ["B"]
    assert (found.is_aside("b"), found.careful, found.words) == (True, False, "B")
    now[0] += ASIDE_S + 1
    assert (found.is_aside("b"), found.careful) == (False, True)
    found.broke({"b": "B"})
    assert found.reached() == ["B"]
    now[0] += ASIDE_S + 1
    assert found.is_aside("b")
    now[0] += ASIDE_S
    found.passed("b")
    assert (found.is_aside("b"), found.careful, found.words) == (False, False, "")


def test_a_broker_that_was_away_blames_less() -> None:
    """It may have been restarted just then: four such ends say what two at once do."""
    found = Suspects()
    for _ in range(3):
        found.broke({"a": "A"})
        found.absent()
        assert found.reached() == []
    found.broke({"a": "A"})
    found.absent()
    assert found.reached() == ["A"]


def dislikes_large(taken: Taken) -> bool:
    return len(taken.payload) > 16_000


def dislikes_one_event(taken: Taken) -> bool:
    return b"poison" in taken.payload


def dislikes_levels(taken: Taken) -> bool:
    return taken.topic.endswith("/level")


def dislikes_retain(taken: Taken) -> bool:
    return taken.retain and "homeassistant" in taken.topic


def dislikes_a_subscription(taken: Taken) -> bool:
    return taken.subscribe and BIRTH in taken.topic


@pytest.mark.e2e
@pytest.mark.parametrize("v5", [True, False])
@pytest.mark.parametrize(
    ("hangs_up", "named"),
    [
        (dislikes_large, PICTURE.topic),
        (dislikes_one_event, EVENT),
        (dislikes_levels, "monitord/home/room/level"),
        (dislikes_retain, "homeassistant/device/x/config"),
        (dislikes_a_subscription, f"the subscription of {BIRTH}"),
    ],
)
def test_one_message_that_the_broker_hangs_up_on_holds_up_nothing(
    outbox: Outbox, hangs_up: Callable[[Taken], bool], named: str, *, v5: bool
) -> None:
    """Whatever it is, without a word from the broker: set aside and named; all events arrive, and none is dropped."""
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    with OddBroker(v5=v5, hangs_up=hangs_up) as broker:
        for number in range(15):
            outbox.add(POISON if number == 7 else event(number))
        waits = int(hangs_up is dislikes_one_event)
        with client(to(broker), outbox, discovery=[discovery], births=[BIRTH]) as mqtt:
            mqtt.tell(PICTURE)
            mqtt.tell(node_messages.source_status(NODE, "room", online=True))

            def set_aside() -> bool:
                mqtt.tell(
                    node_messages.level(NODE, "room", dbfs=-30, floor_dbfs=-60, evidence=0.0, on=9.0, quiet_from=0.1)
                )
                time.sleep(0.1)
                return named in mqtt.fault

            until(set_aside, 300)
            until(lambda: outbox.waiting == waits, 300)
            assert outbox.dropped == 0
            assert "set aside" in mqtt.fault
            assert "second monitord" not in mqtt.fault
            came = {json.loads(payload)["id"] for payload in broker.payloads(EVENT)}
            assert came - {"poison"} == {str(number) for number in range(15) if number != 7}
            connections = broker.connections
            mqtt.tell(event(99))
            until(lambda: len(broker.payloads(EVENT)) and '"99"' in broker.payloads(EVENT)[-1])
            assert broker.connections == connections


@pytest.mark.e2e
def test_an_alarm_that_was_set_aside_is_tried_again(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stays on disk, and goes when the broker has changed its mind."""
    monkeypatch.setattr(suspects, "ASIDE_S", 3.0)
    with OddBroker(hangs_up=dislikes_one_event) as broker, client(to(broker), outbox) as mqtt:
        mqtt.tell(POISON)
        until(lambda: "set aside" in mqtt.fault)
        assert outbox.waiting == 1
        broker.hangs_up = lambda _: False
        until(lambda: outbox.waiting == 0)
        until(lambda: mqtt.fault == "")


@pytest.mark.e2e
def test_a_broker_that_acknowledges_nothing(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It lets us in and answers each ping: seen, said once, nothing is lost, and no event is sent again and again."""
    monkeypatch.setattr(connection, "ACKNOWLEDGE_S", 1.0)
    with OddBroker(mute=True) as broker, client(to(broker), outbox) as mqtt:
        for number in range(30):
            mqtt.tell(event(number))
        until(lambda: "acknowledges nothing" in mqtt.status().detail)
        assert not mqtt.status().connected
        until(lambda: broker.connections >= 4)
        sent = broker.payloads(EVENT)
        assert len(sent) == len(set(sent)) <= 10  # one window, once
        assert outbox.waiting == 30
        warned = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
        assert len(warned) == len(set(warned)) <= 3
        broker.mute = False
        until(lambda: outbox.waiting == 0)
        until(lambda: mqtt.status().connected)


@pytest.mark.e2e
def test_a_broker_that_is_killed_twice_sets_nothing_aside(tmp_path: Path, outbox: Outbox) -> None:
    """With events under way at each end; all are acknowledged in the end."""
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        client(at(broker), outbox) as mqtt,
    ):
        until(lambda: mqtt.status().connected)
        for life in range(3):
            for number in range(300):
                mqtt.tell(event(1_000 * life + number))
            broker.kill()
            until(lambda: "no broker to be reached" in mqtt.status().detail)  # that it was away speaks for the message
            broker.start()
        mqtt.tell(event(9_000))
        until(lambda: outbox.waiting == 0)
        # All were acknowledged. What a broker took just before it was killed, it may not have handed on.
        until(lambda: "9000" in ids(subscriber))
        assert mqtt.fault == ""


@pytest.mark.e2e
def test_two_clients_of_one_id_make_no_storm(tmp_path: Path, outbox: Outbox) -> None:
    """They throw each other out: said in words, with growing pauses, and what is told arrives all the same."""
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Outbox(tmp_path / "other.db") as other,
        client(at(broker), outbox) as mqtt,
    ):
        until(lambda: mqtt.status().connected)
        with client(at(broker), other):
            until(lambda: "second monitord" in mqtt.status().detail, 300)
            before, began = broker.log.count("as monitord-home"), time.monotonic()
            for number in range(20):
                mqtt.tell(event(number))
            until(lambda: outbox.waiting == 0, 300)
            time.sleep(5)
            rate = (broker.log.count("as monitord-home") - before) / (time.monotonic() - began)
            assert rate < 2  # per second; without pauses there are hundreds
        assert {payload for payload in subscriber.payloads(EVENT) if '"stale"' in payload}
        assert "set aside" not in mqtt.status().detail


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("option", "refuse_v5"), [("message_size_limit", None), ("max_packet_size", bytes([0x20, 2, 0, 1]))]
)
def test_limits_of_a_real_broker_that_are_not_told(
    tmp_path: Path, outbox: Outbox, option: str, refuse_v5: bytes | None
) -> None:
    """In MQTT 5 the answer to the message says so; in 3.1.1 the broker hangs up. Events go on, the picture is named."""
    with Mosquitto(tmp_path / "broker", options=(f"{option} 16000",)) as broker:
        proxy = Proxy(broker.port, refuse_v5=refuse_v5)
        with Subscriber(broker), client(MqttSettings(host="127.0.0.1", port=proxy.port), outbox) as mqtt:
            mqtt.tell(PICTURE)
            for number in range(5):
                mqtt.tell(event(number))
            until(lambda: PICTURE.topic in mqtt.fault, 300)
            until(lambda: outbox.waiting == 0)
            assert "second monitord" not in mqtt.fault
        proxy.close()
