"""The client against real brokers that take less than all: small packets, few under way, no retain, no QoS 1."""

import time
from pathlib import Path

import pytest

from service.messages import cry_messages, node_messages
from service.messages.message import Keep, Message
from service.mqtt.settings import MqttSettings
from service.mqtt.wire.limits import Limits, packet_bytes
from service.storage.outbox import Outbox
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import EVENT, NODE, at, client, event, ids, wait_connected
from tests.support.servers.odd_broker import OddBroker

STATUS = "monitord/home/status"
DISCOVERY = Message("homeassistant/device/x/config", {"x": "y" * 6_000}, retain=True, qos=1, keep=Keep.LATEST)
PICTURE = cry_messages.spectrogram(NODE, "room", bytes(30_000))


def test_nothing_said_is_nothing_limited() -> None:
    """All that MQTT allows."""
    assert Limits.told(None) == Limits()
    assert Limits().lacks == ""


@pytest.mark.parametrize("payload", [b"", b"x" * 100, b"x" * 200, b"x" * 20_000, b"x" * 3_000_000])
@pytest.mark.parametrize("qos", [0, 1])
def test_the_size_of_a_packet(payload: bytes, qos: int) -> None:
    """As MQTT 5 builds it (3.3): header, length in one to four bytes, topic, identifier, properties, payload."""
    message = Message("monitord/home/room/spectrogram", payload, retain=True, qos=qos, keep=Keep.LATEST)
    remaining = 2 + 30 + (2 if qos else 0) + 1 + len(payload)
    length_bytes = 1 + (remaining >= 128) + (remaining >= 128**2) + (remaining >= 128**3)
    assert packet_bytes(message, v5=True) == 1 + length_bytes + remaining
    assert packet_bytes(message, v5=False) == packet_bytes(message, v5=True) - 1


@pytest.mark.e2e
@pytest.mark.parametrize("most", [16_000, 3_000])
def test_what_is_too_large_is_left_out_and_said(
    tmp_path: Path, outbox: Outbox, most: int, caplog: pytest.LogCaptureFixture
) -> None:
    """All else comes, nothing breaks the connection, and the words name what is not told, how large, and the limit."""
    with (
        Mosquitto(tmp_path / "broker", options=(f"max_packet_size {most}",)) as broker,
        Subscriber(broker) as subscriber,
    ):
        mqtt = client(at(broker), outbox, discovery=[DISCOVERY])
        state = node_messages.source_status(NODE, "room", online=True)
        with mqtt:
            for message in (PICTURE, state, event(1)):
                mqtt.tell(message)
            until(lambda: ids(subscriber) == ["1"] and "spectrogram" in mqtt.status().detail)
            status = mqtt.status()
            assert status.connected
            assert f"at most {most:,} bytes" in status.detail
            assert f"{PICTURE.topic} (30,039 bytes)" in status.detail
            assert (DISCOVERY.topic in status.detail) is (most < 6_000)
            assert "second monitord" not in status.detail
            assert mqtt.fault == status.detail
            said = len([record for record in caplog.records if "spectrogram" in record.getMessage()])
            for number in range(3):  # the next pictures are no news
                mqtt.tell(cry_messages.spectrogram(NODE, "room", bytes(20_000 + number)))
                mqtt.tell(event(2 + number))
            until(lambda: len(ids(subscriber)) == 4)
            assert len([record for record in caplog.records if "spectrogram" in record.getMessage()]) == said == 1
        until(lambda: subscriber.last("monitord/home/status") == "offline")  # the last word
        assert subscriber.payloads(state.topic) == ["online", "offline"]
        assert "oversize" not in broker.log
        assert broker.log.count("as monitord-home") == 1


@pytest.mark.e2e
def test_an_event_that_is_too_large_waits_for_a_broker_that_takes_it(tmp_path: Path, outbox: Outbox) -> None:
    """It holds up no other, is not dropped, and goes when the limit was raised."""
    large = Message(EVENT, {"id": "large", "text": "x" * 4_000, "ts": "2026-01-01"}, False, 1, Keep.ALARM)  # noqa: FBT003
    broker = Mosquitto(tmp_path / "broker", options=("max_packet_size 3000",))
    with broker, Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        mqtt.tell(large)
        mqtt.tell(event(1))
        until(lambda: ids(subscriber) == ["1"] and EVENT in mqtt.fault)
        until(lambda: outbox.waiting < 2)  # the broker hands on before it acknowledges
        assert (outbox.waiting, outbox.dropped) == (1, 0)
    broker.options = ()
    with broker, Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        until(lambda: "large" in ids(subscriber))
        until(lambda: outbox.waiting == 0)
        assert mqtt.fault == ""


@pytest.mark.e2e
def test_a_broker_that_takes_no_alarm_is_refused(tmp_path: Path, outbox: Outbox) -> None:
    """Waiting will not help, so it is said as a refusal, with the key to raise."""
    with Mosquitto(tmp_path / "broker", options=("max_packet_size 500",)) as broker, client(at(broker), outbox) as mqtt:
        status = wait_connected(mqtt)
        assert (status.connected, status.refused) == (False, True)
        for words in ("at most 500 bytes", "max_packet_size", "waiting will not help"):
            assert words in status.detail


@pytest.mark.e2e
@pytest.mark.parametrize("most", [1, 2, 5])
def test_no_more_are_under_way_than_the_broker_takes(tmp_path: Path, outbox: Outbox, most: int) -> None:
    """Receive maximum: mosquitto ends a connection that goes over it. A backlog and the states both get on."""
    with (
        Mosquitto(tmp_path / "broker", options=(f"max_inflight_messages {most}",)) as broker,
        Subscriber(broker, user=None) as subscriber,
    ):
        for number in range(60):
            outbox.add(event(number))
        with client(at(broker), outbox, discovery=[DISCOVERY]) as mqtt:
            for number in range(30):
                mqtt.tell(Message(f"monitord/home/room/s{number}", "x", retain=True, qos=1, keep=Keep.LATEST))
            mqtt.tell(PICTURE)
            until(lambda: outbox.waiting == 0 and subscriber.last(PICTURE.topic) is not None)
            assert [*dict.fromkeys(ids(subscriber))] == [str(number) for number in range(60)]
            assert len([heard for heard in subscriber.heard if "/s" in heard.topic]) >= 30
            first_state = next(i for i, heard in enumerate(subscriber.heard) if heard.topic.endswith("room/s29"))
            last_event = max(i for i, heard in enumerate(subscriber.heard) if heard.topic == EVENT)
            assert first_state < last_event or most > 2  # neither starves
        assert broker.log.count("as monitord-home") == 1


@pytest.mark.e2e
def test_without_retain_it_works_and_says_what_is_missing(tmp_path: Path, outbox: Outbox) -> None:
    """Nothing is sent retained, not even the last will; states are told again after Home Assistant's birth."""
    with (
        Mosquitto(tmp_path / "broker", options=("retain_available false",)) as broker,
        Subscriber(broker) as subscriber,
        client(at(broker), outbox, discovery=[DISCOVERY]) as mqtt,
    ):
        mqtt.tell(node_messages.source_status(NODE, "room", online=True))
        mqtt.tell(event(1))
        assert wait_connected(mqtt).connected
        until(lambda: ids(subscriber) == ["1"] and subscriber.last(STATUS) == "online")
        assert "retained messages" in mqtt.status().detail
        assert mqtt.status().detail == mqtt.fault
        assert not mqtt.status().refused
        mqtt.tell(event(2))
        until(lambda: ids(subscriber) == ["1", "2"] and outbox.waiting == 0)


@pytest.mark.e2e
def test_with_qos_0_alone_an_event_is_gone_when_the_broker_has_read_it(tmp_path: Path, outbox: Outbox) -> None:
    """No acknowledgement is there to wait for: the answer to something that was sent behind it is as good."""
    with (
        Mosquitto(tmp_path / "broker", options=("max_qos 0",)) as broker,
        Subscriber(broker) as subscriber,
        client(at(broker), outbox, discovery=[DISCOVERY]) as mqtt,
    ):
        for number in range(40):
            mqtt.tell(event(number))
        assert wait_connected(mqtt).connected
        until(lambda: ids(subscriber) == [str(number) for number in range(40)])
        until(lambda: outbox.waiting == 0)
        assert "QoS 1" in mqtt.status().detail
        assert broker.log.count("as monitord-home") <= 2  # the last will of QoS 1 was refused once


@pytest.mark.e2e
def test_with_qos_0_nothing_is_taken_for_told_that_was_not_read(outbox: Outbox) -> None:
    """While the broker answers nothing, all waits on disk."""
    with OddBroker(properties=bytes([0x24, 0]), mute=True) as broker:  # maximum QoS 0
        outbox.add(event(1))
        with client(MqttSettings(host="127.0.0.1", port=broker.port), outbox) as mqtt:
            until(lambda: EVENT in [taken.topic for taken in broker.taken])
            assert {taken.qos for taken in broker.taken} == {0}
            time.sleep(1)
            assert outbox.waiting == 1
            broker.mute = False
            until(lambda: outbox.waiting == 0)
            assert mqtt.status().connected


@pytest.mark.e2e
def test_what_the_last_will_may_not_be_is_learnt(outbox: Outbox) -> None:
    """A broker may say no to CONNECT for a retained will, or one of QoS 1: the next has none such, at once."""
    with OddBroker(properties=bytes([0x24, 0, 0x25, 0])) as broker:
        broker.refused = {0x20: 154, 0x08: 155}  # bits of the connect flags: will retain, will QoS 1
        with client(MqttSettings(host="127.0.0.1", port=broker.port), outbox) as mqtt:
            assert wait_connected(mqtt).connected
            assert broker.connections == 3
            until(lambda: STATUS in [taken.topic for taken in broker.taken])
            assert {(taken.qos, taken.retain) for taken in broker.taken if not taken.subscribe} == {(0, False)}


@pytest.mark.e2e
def test_without_wildcards_each_topic_is_asked_for(outbox: Outbox) -> None:
    """Some brokers take none in a subscription (MQTT 5, 3.2.2.3.11)."""
    with (
        OddBroker(properties=bytes([0x28, 0])) as broker,
        client(MqttSettings(host="127.0.0.1", port=broker.port), outbox) as mqtt,
    ):
        assert wait_connected(mqtt).connected

        def asked() -> list[str]:
            return ",".join(taken.topic for taken in broker.taken if taken.subscribe).split(",")

        until(lambda: {"monitord/home/test_alarm/set", "monitord/home/room2/threshold/set", EVENT} <= set(asked()))
        assert "+" not in "".join(asked())


@pytest.mark.e2e
@pytest.mark.parametrize("told_s", [0, 60])
def test_a_broker_that_wants_no_keepalive_is_still_looked_after(outbox: Outbox, told_s: int) -> None:
    """We ask as often as we must to see within our own time that it hangs; more often is always allowed."""
    with (
        OddBroker(properties=bytes([0x13, 0, told_s])) as broker,  # server keep alive
        client(MqttSettings(host="127.0.0.1", port=broker.port), outbox, keepalive_s=1) as mqtt,
    ):
        assert wait_connected(mqtt).connected
        broker.hangs = True
        until(lambda: "not answered for 2 s" in mqtt.status().detail)
