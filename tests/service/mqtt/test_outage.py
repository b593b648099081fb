"""The MQTT client against a broker that is away, killed, or stands still: nothing is lost, and what is late says so."""

import json
import logging
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from monitord.household import Episode
from service.messages import cry_messages, node_messages
from service.messages.message import Keep, Message, iso_utc
from service.mqtt.settings import MqttSettings
from service.storage.outbox import Outbox
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.servers.mqtt_clients import EVENT, NODE, Proxy, at, client, event, ids, wait_connected
from tests.support.servers.sockets import free_port

pytestmark = pytest.mark.e2e


def test_stop_is_quick_without_a_broker(outbox: Outbox) -> None:
    """Without a broker the end does not wait for one."""
    mqtt = client(MqttSettings(host="127.0.0.1", port=free_port()), outbox)
    mqtt.start()
    until(lambda: "no broker" in mqtt.status().detail)
    began = time.monotonic()
    assert mqtt.stop(PATIENCE_S)
    assert time.monotonic() - began < PATIENCE_S / 2  # it does not take the time it has


def test_waits_for_a_broker_that_comes_later(tmp_path: Path, outbox: Outbox, caplog: pytest.LogCaptureFixture) -> None:
    """No broker at start is no error: it is said once, nothing is lost, and live messages are dropped, and say so."""
    broker = Mosquitto(tmp_path / "broker")
    with client(at(broker), outbox) as mqtt:
        mqtt.tell(event(1))
        assert not mqtt.tell(
            node_messages.level(NODE, "room", dbfs=-30, floor_dbfs=-60, evidence=0.0, on=9.0, quiet_from=0.1)
        )
        until(lambda: str(broker.port) in mqtt.status().detail)
        status = wait_connected(mqtt, 2)
        assert (status.connected, status.refused, str(broker.port) in status.detail) == (False, False, True)
        assert len([record for record in caplog.records if record.levelno == logging.WARNING]) == 1
        with broker, Subscriber(broker) as subscriber:
            assert wait_connected(mqtt).connected
            until(lambda: ids(subscriber) == ["1"])
            assert subscriber.payloads("monitord/home/room/level") == []


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

    with Subscriber(broker) as subscriber, client(at(broker), outbox) as mqtt:
        mqtt.tell(node_messages.source_status(NODE, "room", online=True))
        wait_connected(mqtt)
        for life in range(2):
            tell_for(0.5)
            broker.kill()
            tell_for(0.5)
            until(lambda: not mqtt.status().connected)
            broker.start()
            until(lambda life=life: subscriber.payloads("monitord/home/status").count("online") >= life + 2)  # type: ignore[misc]
            tell_for(0.3)
        until(lambda: outbox.waiting == 0)
        until(lambda: len(set(ids(subscriber))) == total)
        first = list(dict.fromkeys(ids(subscriber)))  # doubles are allowed: receivers drop them by id
        assert first == [str(number) for number in range(total)]
        assert subscriber.payloads("monitord/home/room/status").count("online") >= 3


def test_nothing_is_lost_when_the_daemon_is_killed(broker: Mosquitto, tmp_path: Path) -> None:
    """Everything that was told before a kill -9 at any instant arrives, then or after the next start, in order."""
    script = (
        "import sys, time; from pathlib import Path\n"
        "from service.messages.message import Keep, Message, Node; from service.mqtt.client import MqttClient\n"
        "from service.mqtt.settings import MqttSettings; from service.storage.outbox import Outbox\n"
        "from service.mqtt.sender import Speaker\n"
        "path, port, number = sys.argv[1:]\n"
        "with Outbox(Path(path)) as outbox:\n"
        "    settings = MqttSettings(host='127.0.0.1', port=int(port))\n"
        "    with MqttClient(settings, Speaker(Node('home'), ['room'], outbox)) as mqtt:\n"
        "        while True:\n"
        "            assert mqtt.tell(Message('monitord/home/room/event', number, False, 1, Keep.EVENT))\n"
        "            print(number, flush=True)\n"
        "            number = str(int(number) + 1)\n"
        "            time.sleep(0.001)\n"
    )
    told: list[str] = []
    maybe: list[str] = []
    chance = random.Random(1)
    with Subscriber(broker) as subscriber:
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
        with Outbox(tmp_path / "outbox.db") as outbox, client(at(broker), outbox):
            until(lambda: outbox.waiting == 0)
        subscriber.say("fence", "")  # comes behind all that was told
        until(lambda: subscriber.last("fence") is not None)
        arrived = list(dict.fromkeys(subscriber.payloads(EVENT)))
    missing = set(told) - set(arrived)
    assert missing <= set(maybe)
    assert arrived == [number for number in told if number not in missing]


def test_a_hung_broker_is_noticed(broker: Mosquitto, outbox: Outbox) -> None:
    """A broker that stands still, with its connection open, is seen after twice the keepalive."""
    with client(at(broker), outbox, keepalive_s=1) as mqtt:
        assert wait_connected(mqtt).connected
        os.kill(broker.pid, signal.SIGSTOP)
        try:
            until(lambda: "not answered for 2 s" in mqtt.status().detail)
        finally:
            os.kill(broker.pid, signal.SIGCONT)
        assert wait_connected(mqtt).connected


def test_last_will(broker: Mosquitto, outbox: Outbox) -> None:
    """A daemon that vanishes without a goodbye is told offline by the broker."""
    proxy = Proxy(broker.port)
    with Subscriber(broker) as subscriber, client(MqttSettings(host="127.0.0.1", port=proxy.port), outbox) as mqtt:
        wait_connected(mqtt)
        until(lambda: subscriber.last("monitord/home/status") == "online")
        proxy.close()
        until(lambda: subscriber.last("monitord/home/status") == "offline")


def cry(number: int, age_s: float, episode: str) -> Message:
    """`started` of an episode whose sound is so old."""
    values = {"id": str(number), "episode": episode, "ts": iso_utc(time.time() - age_s), "alert": True}
    return Message(EVENT, json.dumps(values), retain=False, qos=1, keep=Keep.ALARM)


def test_after_an_outage_what_waits_comes_first(broker: Mosquitto, outbox: Outbox) -> None:
    """Behind nothing but what makes it understood; alerts of a cry that is over say that they are stale."""
    goes_on = Episode("goes-on", "room", time.time() - 600, told_at=0.0, reminded_at=0.0)
    crying = cry_messages.state(NODE, "room", goes_on.since, goes_on)
    online = node_messages.source_status(NODE, "room", online=True)
    settings = node_messages.settings(NODE, "room", enabled=True, threshold=0.5, profile="day")
    discovery = Message("homeassistant/device/x/config", "{}", retain=True, qos=1, keep=Keep.LATEST)
    picture = cry_messages.spectrogram(NODE, "room", bytes(30_000))
    mqtt = client(at(broker), outbox, discovery=[discovery], unanswered=lambda: {"goes-on", "new"})
    with Subscriber(broker) as subscriber, mqtt:
        for message in (picture, settings):
            mqtt.tell(message)
        assert wait_connected(mqtt).connected
        until(lambda: subscriber.last(picture.topic) is not None)
        for _ in range(2):  # the second goes behind the acknowledgement of the picture, which so does not come again
            subscriber.say("fence", "")
        broker.terminate()
        until(lambda: not mqtt.status().connected)
        told = [cry(1, 600, "over"), cry(2, 600, "goes-on"), cry(3, 1, "new")]
        for message in (*told, crying, online):
            mqtt.tell(message)
        seen = len(subscriber.heard)
        broker.start()
        until(lambda: subscriber.payloads(picture.topic)[1:] != [])
        topics = [heard.topic for heard in subscriber.heard[seen:] if not heard.retain and heard.topic != "fence"]
        first, *rest = [topics.index(topic) for topic in (EVENT, discovery.topic, settings.topic, picture.topic)]
        assert set(topics[:first]) == {crying.topic, online.topic, "monitord/home/status"}
        assert rest == sorted(rest)
        assert topics[-1] == picture.topic
        assert ids(subscriber) == ["1", "2", "3"]
        came = [json.loads(payload) for payload in subscriber.payloads(EVENT)]
        assert [(each["alert"], each.get("stale", False)) for each in came] == [
            (False, True),
            (True, False),
            (True, False),
        ]


def test_an_alarm_overtakes_a_backlog_of_segments(broker: Mosquitto, outbox: Outbox) -> None:
    """Hours of cry segments are telemetry: events go before them, each kind in its order, and nothing is left out."""
    segments = [Message("monitord/home/room/segment", {"n": number}, False, 1, Keep.SEGMENT) for number in range(400)]  # noqa: FBT003
    for number, segment in enumerate(segments):
        outbox.add(segment)
        if number % 200 == 199:
            outbox.add(event(number))
    with Subscriber(broker) as subscriber, client(at(broker), outbox):
        until(lambda: outbox.waiting == 0)
        until(lambda: len(subscriber.payloads("monitord/home/room/segment")) == 400)
        topics = [heard.topic for heard in subscriber.heard]
        assert topics.index(EVENT) < topics.index("monitord/home/room/segment")
        assert ids(subscriber) == ["199", "399"]
        told = [json.loads(payload)["n"] for payload in subscriber.payloads("monitord/home/room/segment")]
        assert told == list(range(400))
