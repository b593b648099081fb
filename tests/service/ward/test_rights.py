"""Who may write claims and documents: the example's rights on a real mosquitto."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.messages.message import Keep, Message
from service.mqtt.settings import MqttSettings
from service.ward.broker import connected, publish_all, reaches_broker, read_kept
from service.ward.claim import UPTIME, read_uptime_s
from service.ward.station.reporter import StationReporter
from tests.service.ward.test_settings import loaded, values
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, until

pytestmark = pytest.mark.e2e

USERS = {"ward": "lull-1", "staff": "lull-2", "neighbour": "lull-3"}
TOPICS = ("monitord_ward/north_1/claim", "monitord_ward/north_1/lease", "monitord_ward/north_1/document/settings")


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Mosquitto]:
    """With the rights of `deploy/mosquitto/ward.acl`."""
    acl = (ROOT / "deploy" / "mosquitto" / "ward.acl").read_text()
    with Mosquitto(tmp_path / "broker", users=USERS, acl=acl, options=("sys_interval 1",)) as running:
        yield running


def settings(folder: Path, broker: Mosquitto, user: str) -> MqttSettings:
    """As this user."""
    return MqttSettings.model_validate(written(folder, broker, user))


def written(folder: Path, broker: Mosquitto, user: str) -> dict[str, object]:
    """As this user has it in a file."""
    (folder / user).write_text(USERS[user])
    return {"host": "127.0.0.1", "port": broker.port, "username": user, "password_file": str(folder / user)}


def test_only_shards_write_whose_a_shard_is(tmp_path: Path, guarded: Mosquitto) -> None:
    """Staff hear rooms and answer, and can neither claim, nor change what moves with a shard, nor read it."""
    for user in ("staff", "neighbour"):
        with connected(settings(tmp_path, guarded, user)) as connection:
            messages = [Message(topic, user, retain=True, qos=1, keep=Keep.LATEST) for topic in TOPICS]
            assert set(publish_all(connection, messages)) == set(TOPICS)
    with connected(settings(tmp_path, guarded, "ward")) as connection:
        assert read_kept(connection, ["monitord_ward/#"]) == {}
        messages = [Message(topic, "ward", retain=True, qos=1, keep=Keep.LATEST) for topic in TOPICS]
        assert publish_all(connection, messages) == {}
        kept = read_kept(connection, ["monitord_ward/#"])
        assert {topic: kept[topic] for topic in TOPICS} == dict.fromkeys(TOPICS, b"ward")


def test_shards_may_read_how_long_the_broker_has_run(tmp_path: Path, guarded: Mosquitto) -> None:
    """Else each start would wait for a lease."""
    with connected(settings(tmp_path, guarded, "ward")) as connection:
        while not (kept := read_kept(connection, [UPTIME])):
            pass
        assert read_uptime_s(kept[UPTIME]) >= 0.0
        assert b"second" in kept[UPTIME]


@pytest.mark.parametrize(("user", "reaches"), [("ward", True), ("staff", False)])
def test_who_may_not_claim_does_not_reach_the_broker(
    tmp_path: Path, guarded: Mosquitto, user: str, *, reaches: bool
) -> None:
    """Else a shard without rights would move from machine to machine for ever."""
    loaded(tmp_path, values(mqtt=written(tmp_path, guarded, user)))
    assert reaches_broker(str(tmp_path / "ward.yaml")) is reaches


def test_a_station_without_rights_says_so(tmp_path: Path, guarded: Mosquitto) -> None:
    """It counts nothing, and does not pass that off as rooms that nobody hears."""
    station = StationReporter(loaded(tmp_path, values(mqtt=written(tmp_path, guarded, "staff"))))
    station.start()
    until(lambda: "rights of a ward" in station.detail)
    station.stop()
