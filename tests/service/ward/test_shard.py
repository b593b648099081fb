"""Shards on a real broker: two processes of one name never hear the same rooms, whatever happens to them and to it."""

import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.mqtt.settings import MqttSettings
from service.ward.broker import connected, read_kept
from tests.support.daemon.daemon import monitord
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.ward.proxy import Way
from tests.support.ward.shards import ShardProcess, Watch, heard, ward_file, watched

pytestmark = pytest.mark.e2e

ROOT = "monitord/north_1"
KEPT = "monitord_ward/north_1"


@dataclass(frozen=True)
class Ward:
    """One shard, two machines."""

    broker: Mosquitto
    subscriber: Subscriber
    way: Way
    alpha: ShardProcess
    """Reaches the broker by `way`."""
    beta: ShardProcess
    watch: Watch

    def kept(self) -> dict[str, bytes]:
        """What the broker keeps of the shard."""
        with connected(MqttSettings(host="127.0.0.1", port=self.broker.port)) as connection:
            return read_kept(connection, [f"{KEPT}/#"])

    def missing(self) -> list[str]:
        """Machines on whose disks events may wait."""
        return [json.loads(text)["machine"] for topic, text in self.kept().items() if "/undelivered/" in topic and text]


@pytest.fixture
def ward(tmp_path: Path, broker: Mosquitto) -> Iterator[Ward]:
    """Neither runs yet."""
    with Way(broker.port) as way:
        mqtt = {"host": "127.0.0.1", "port": way.port}
        alpha = ShardProcess(ward_file(tmp_path / "ward", broker, "alpha", lease_s=3, mqtt=mqtt), "alpha")
        beta = ShardProcess(ward_file(tmp_path / "ward", broker, "beta", lease_s=3), "beta")
        with Subscriber(broker) as subscriber, watched(alpha, beta) as watch:
            yield Ward(broker, subscriber, way, alpha, beta, watch)
        assert watch.heard_s > 0.0
        assert watch.double_s == 0.0, alpha.log + beta.log


def test_the_second_takes_over(ward: Ward) -> None:
    """The first leaves with status 0, which no service manager takes for a failure; what parents set goes with it."""
    ward.alpha.start()
    heard(ward.alpha)
    until(lambda: ward.subscriber.last(f"{ROOT}/status") == "online")
    ward.subscriber.say(f"{ROOT}/bed2/threshold/set", "0.61")
    until(lambda: ward.subscriber.latest(f"{ROOT}/bed2/settings").get("threshold") == 0.61)
    until(lambda: f"{KEPT}/document/settings" in ward.kept())
    ward.beta.start()
    heard(ward.beta)
    assert ward.alpha.process.wait() == 0
    assert "claimed by another" in ward.alpha.log
    until(lambda: ward.subscriber.last(f"{ROOT}/status") == "online")
    assert ward.subscriber.latest(f"{ROOT}/bed2/settings")["threshold"] == 0.61
    until(lambda: ward.missing() == ["beta"])
    assert ward.beta.stop() == 0
    assert ward.missing() == []


def test_a_machine_that_is_lost(ward: Ward) -> None:
    """Killed while it cannot tell: another hears, and its disk tells its events when it is back, with their ids."""
    ward.alpha.start()
    until(lambda: bool(ward.subscriber.latest(f"{ROOT}/bed1/state").get("crying")))
    ward.way.cut.set()
    until(lambda: ward.alpha.ears == 0)
    until(lambda: "ended after" in ward.alpha.log)
    ward.alpha.kill()
    ward.beta.start()
    heard(ward.beta)
    until(lambda: sorted(ward.missing()) == ["alpha", "beta"])
    ward.way.cut.clear()
    drained = monitord("ward", "drain", "--ward", str(ward.alpha.ward))
    assert drained.returncode == 0, drained.stderr
    assert " told" in drained.stdout
    assert "north_1: 0 told" not in drained.stdout
    until(lambda: ward.missing() == ["beta"])
    ids: dict[tuple[str, str], set[str]] = {}
    for event in ward.subscriber.values(f"{ROOT}/bed1/event"):
        if event["event_type"] in {"started", "ended"}:
            ids.setdefault((event["episode"], event["event_type"]), set()).add(event["id"])
    assert all(len(one) == 1 for one in ids.values()), ids


def test_cut_off_from_the_broker_alone(ward: Ward) -> None:
    """It closes its sources when its lease is over; whoever claims meanwhile hears; and it leaves when it may talk."""
    ward.alpha.start()
    heard(ward.alpha)
    ward.way.cut.set()
    ward.beta.start()
    heard(ward.beta)
    assert ward.alpha.ears == 0
    ward.way.cut.clear()
    # On a machine that has no time its sources are not closed within a second, and it ends itself.
    assert ward.alpha.process.wait() in {0, 70}


def test_frozen(ward: Ward) -> None:
    """A process that wakes up after another has taken its rooms leaves, and tells nothing."""
    ward.alpha.start()
    heard(ward.alpha)
    ward.alpha.process.send_signal(signal.SIGSTOP)
    ward.beta.start()
    heard(ward.beta)
    ward.watch.paused = True
    connections = ward.alpha.log.count("INFO: connected")
    ward.alpha.process.send_signal(signal.SIGCONT)
    assert ward.alpha.process.wait() in {0, 70}
    ward.watch.paused = False
    assert ward.alpha.log.count("INFO: connected") == connections


@pytest.mark.parametrize("persistence", [True, False])
def test_the_broker_is_restarted(ward: Ward, *, persistence: bool) -> None:
    """With what it kept or without, it knows soon again whose the rooms are, and whoever heard them hears them."""
    ward.alpha.start()
    heard(ward.alpha)
    ward.broker.terminate()
    if not persistence:
        (ward.broker.directory / "mosquitto.db").unlink()
    ward.broker.start()
    until(lambda: b'"machine":"alpha"' in ward.kept().get(f"{KEPT}/claim", b""))
    heard(ward.alpha)
    until(lambda: any(b'"hearing":true' in text for topic, text in ward.kept().items() if topic.endswith("/lease")))
    assert ward.alpha.process.poll() is None


def test_the_broker_is_away_for_longer_than_a_lease(ward: Ward) -> None:
    """Nobody could be told, and nobody can say who hears: the rooms are heard again when it is back."""
    ward.alpha.start()
    heard(ward.alpha)
    ward.broker.kill()
    until(lambda: ward.alpha.ears == 0)
    ward.broker.start()
    heard(ward.alpha)
