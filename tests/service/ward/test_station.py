"""The nurse station on a real broker: its topic, its page for guests alone, its metrics, and how it is missed."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.ward.claim import Claim, Lease, claim_topic, lease_topic, payload
from service.ward.station.reporter import ROOMS, STATUS, StationReporter
from service.ward.station.status import ask
from tests.service.ward.test_settings import loaded, values
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.ward.served_station import ServedStation, served_station

pytestmark = pytest.mark.e2e


@pytest.fixture
def served(tmp_path: Path, broker: Mosquitto) -> Iterator[ServedStation]:
    """Its page is there, and no room is heard yet."""
    with served_station(tmp_path, broker) as running:
        yield running


def test_what_is_told_on_mqtt(served: ServedStation) -> None:
    """All rooms that are configured, until they are heard; and again when their shards are gone, whatever is kept."""
    until(lambda: len(served.told().get("not_heard", [])) == 3)
    assert served.subscriber.last(STATUS) == "online"
    served.heard.set()
    until(lambda: served.told()["heard"] == 3)
    served.say("monitord/north_2/bed3/state", {"crying": True, "distress": 0.7, "since": "2026-11-30T02:00:00.000Z"})
    until(lambda: [one["name"] for one in served.told()["crying"]] == ["Bed3"])
    served.heard.clear()
    until(lambda: [one["fault"] for one in served.told()["not_heard"]] == ["shard"] * 3)
    assert served.told()["crying"] == []


def test_it_is_missed(served: ServedStation) -> None:
    """Where it goes it says so, and the broker forgets what it said."""
    until(lambda: served.subscriber.last(STATUS) == "online")
    served.over.set()
    until(lambda: served.subscriber.last(STATUS) == "offline")


def test_a_second_station_goes(served: ServedStation) -> None:
    """The one that is left says that it is there."""
    until(lambda: served.subscriber.last(STATUS) == "online")
    served.subscriber.say(STATUS, "offline", retain=True)
    until(lambda: served.subscriber.payloads(STATUS)[-2:] == ["offline", "online"])


def test_it_tells_nothing_before_it_knows(tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that begins, or has lost its broker, does not tell for a moment that no room is heard."""
    monkeypatch.setattr("service.ward.station.reporter.BEAT_S", 60.0)
    ward = loaded(tmp_path, values(mqtt={"host": "127.0.0.1", "port": broker.port}, lease_s=60))
    with Subscriber(broker) as subscriber:
        station, played = StationReporter(ward), ServedStation(ward, broker, subscriber)
        shards = threading.Thread(target=played.play)
        station.start()
        until(lambda: subscriber.last(STATUS) == "online")
        assert station.detail
        played.heard.set()
        shards.start()
        until(lambda: bool(subscriber.values(ROOMS)))
        played.over.set()
        shards.join()
        station.stop()
        assert subscriber.values(ROOMS)[0]["heard"] == 3


def test_status_listens_for_as_long_as_a_shard_may_be_silent(tmp_path: Path, broker: Mosquitto) -> None:
    """And no longer than until all have shown that they are there."""
    ward = loaded(tmp_path, values(mqtt={"host": "127.0.0.1", "port": broker.port}, lease_s=60))
    with Subscriber(broker) as subscriber, ThreadPoolExecutor(1) as pool:
        for node, shard in ward.shards.items():
            subscriber.say(claim_topic(node), json.dumps(payload(Claim(1, "t", "p", "alpha"))), retain=True)
            for topic in ("status", *(f"{room}/status" for room in shard.rooms)):
                subscriber.say(f"monitord/{node}/{topic}", "online", retain=True)
        asked = pool.submit(ask, ward)
        until(lambda: "monitord_ward/+/lease" in broker.log)
        time.sleep(2.0)  # two signs of life are late
        for node in ward.shards:
            subscriber.say(lease_topic(node), json.dumps(payload(Lease("t", 1, hearing=True))))
        assert asked.result().unheard == ()


def test_only_guests_see_the_page(served: ServedStation) -> None:
    """A link pairs one device once; it sees, and there is nothing that it could do."""
    assert served.ask("/api/ward")[0] == 401
    token = served.invite().rpartition("#")[2]
    status, text, cookie = served.ask("/api/pair", body={"token": token, "role": "owner"})
    assert (status, json.loads(text)["role"]) == (201, "guest")
    assert served.ask("/api/pair", body={"token": token})[0] == 410
    status, text, _ = served.ask("/api/ward", cookie)
    assert status == 200
    assert json.loads(text)["rooms"] == 3
    assert served.ask("/api/command", cookie, body={})[0] == 404
    assert served.ask("/")[0] == 200


def test_what_prometheus_reads(served: ServedStation) -> None:
    """From this machine; and whether it is up to date."""
    served.heard.set()
    until(lambda: "monitord_ward_rooms_heard 3.0" in served.ask("/metrics")[1])
    text = served.ask("/metrics")[1]
    assert 'monitord_ward_shard_heard{machine="alpha",shard="north_1"} 1.0' in text
    assert served.ask("/healthz")[0] == 200
    served.broker.kill()
    until(lambda: served.ask("/healthz")[0] == 503)
    until(lambda: "monitord_ward_broker_connected 0.0" in served.ask("/metrics")[1])
    until(lambda: "monitord_ward_rooms_heard 0.0" in served.ask("/metrics")[1])
    served.broker.start()
