"""The keeper of a claim on a real broker: takes it, loses it, takes it again, and says what is wrong."""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.mqtt.settings import MqttSettings
from service.ward import keeper as keeper_module
from service.ward.broker import connected, read_kept
from service.ward.claim import UPTIME, claim_topic, lease_topic, read_uptime_s
from service.ward.fence import Terms
from service.ward.keeper import ClaimKeeper
from service.ward.place import Place
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until

pytestmark = pytest.mark.e2e

NODE = "north_1"
TERMS, BRIEF = Terms(3.0), Terms(0.5, leave_s=0.3, renew_s=0.1)
"""The shortest that an operator may have, and one that is sooner over."""


@contextlib.contextmanager
def keeper(folder: Path, broker: Mosquitto, terms: Terms = TERMS, **more: object) -> Iterator[ClaimKeeper]:
    """One that has started, with a state directory of its own."""
    place = Place(folder)
    mqtt = MqttSettings.model_validate({"host": "127.0.0.1", "port": broker.port, **more})
    made = ClaimKeeper(mqtt, NODE, terms=terms, place=place, place_id=place.open(), machine=folder.name)
    with contextlib.closing(place), made:
        yield made


def test_the_last_claim_holds(tmp_path: Path, broker: Mosquitto) -> None:
    """The first may hear no more from then on, and the second may as soon as the first has left."""
    with keeper(tmp_path / "alpha", broker) as alpha:
        until(alpha.may_hear)
        with keeper(tmp_path / "beta", broker) as beta:
            until(lambda: alpha.lost)
            assert not alpha.may_hear()
            alpha.stop(left=True)
            until(beta.may_hear)
            assert beta.fence.gone
            assert beta.fence.epoch == 2


def test_a_claim_that_somebody_clears_is_made_again(tmp_path: Path, broker: Mosquitto) -> None:
    """It is heard on meanwhile: nobody else has claimed."""
    with keeper(tmp_path / "alpha", broker) as alpha, Subscriber(broker) as subscriber:
        until(alpha.may_hear)
        subscriber.say(claim_topic(NODE), "", retain=True)
        until(lambda: alpha.fence.epoch == 2)
        assert alpha.may_hear()
        until(lambda: subscriber.latest(claim_topic(NODE)).get("epoch") == 2)


def test_a_lease_that_is_old_is_waited_for_less(tmp_path: Path) -> None:
    """The broker says for how long it keeps the lease of a dead one still: that is as long as somebody may hear."""
    with Mosquitto(tmp_path / "broker", options=("sys_interval 1",)) as broker:
        with keeper(tmp_path / "alpha", broker) as alpha:
            until(alpha.may_hear)
            until(lambda: alpha.fence.sent == ())
        time.sleep(2.0)  # dead
        with keeper(tmp_path / "beta", broker) as beta:
            until(lambda: beta.fence.phase in {"waiting", "holding"})
            fence = beta.fence
            assert fence.gone or fence.gone_at < fence.claimed_at + fence.terms.over_s
            until(beta.may_hear)


def test_a_user_without_rights_is_told_so(tmp_path: Path) -> None:
    """And hears nothing."""
    word = tmp_path / "word"
    word.write_text("lull-1")
    with (
        Mosquitto(tmp_path / "broker", users={"staff": "lull-1"}, acl="user staff\ntopic read monitord/#\n") as guarded,
        keeper(tmp_path / "alpha", guarded, username="staff", password_file=word) as alpha,
    ):
        until(lambda: "rights of a ward" in alpha.detail)
        assert alpha.away_s > 0.0
        assert not alpha.may_hear()


def test_a_sign_of_life_that_cannot_be_read_is_one(tmp_path: Path) -> None:
    """Of another version, say: it proves nothing, and who claims waits as for anybody."""
    with Mosquitto(tmp_path / "broker", options=("sys_interval 1",)) as broker, Subscriber(broker) as subscriber:
        with connected(MqttSettings(host="127.0.0.1", port=broker.port)) as connection:
            until(lambda: read_uptime_s(read_kept(connection, [UPTIME]).get(UPTIME, b"")) >= BRIEF.over_s)
        subscriber.say(lease_topic(NODE), '{"version": 2}', retain=True)
        with keeper(tmp_path / "alpha", broker, BRIEF) as alpha:
            until(alpha.may_hear)
            assert alpha.fence.steady
            assert not alpha.fence.gone


class HungDisk(Place):
    """Its lock cannot be asked for while its disk hangs."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.answers = threading.Event()
        self.answers.set()

    def lock(self) -> bool:
        """As of a place."""
        self.answers.wait()
        return super().lock()


def test_the_last_word_is_said_however_late(tmp_path: Path, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has left says so, also where its thread was held up until after the end: the next one need not wait then."""
    monkeypatch.setattr(keeper_module, "GOODBYE_S", 0.1)
    monkeypatch.setattr(keeper_module, "KEEPALIVE_S", 60)  # nor does the broker lose its patience meanwhile
    place = HungDisk(tmp_path / "alpha")
    mqtt = MqttSettings(host="127.0.0.1", port=broker.port)
    made = ClaimKeeper(mqtt, NODE, terms=Terms(3.0), place=place, place_id=place.open(), machine="alpha")
    with contextlib.closing(place), Subscriber(broker) as subscriber:
        with made:
            until(made.may_hear)
            place.answers.clear()
            made.stop(left=True)
            assert made.alive
        place.answers.set()
        until(lambda: subscriber.latest(lease_topic(NODE)).get("left") is True)
        until(lambda: not made.alive)
