"""Shards as actors of Ray's, without Ray: who has lost a shard stands by, and who cannot hear leaves it to who can."""

from pathlib import Path

import pytest

from service.storage.state_lock import only_one
from service.ward.claim import claim_topic, lease_topic
from service.ward.settings import load_ward
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.ward.shards import ShardProcess, heard, ward_file, watched

pytestmark = pytest.mark.e2e

NODE = "north_1"


def test_who_cannot_hear_leaves_it_to_who_can(tmp_path: Path, broker: Mosquitto) -> None:
    """It has claimed the shard, and its daemon cannot begin: the one before hears again, and is left alone."""
    alpha, beta = (
        ShardProcess(ward_file(tmp_path / "ward", broker, name, lease_s=3), name, actor=True)
        for name in ("alpha", "beta")
    )
    with Subscriber(broker) as subscriber, watched(alpha, beta) as watch:
        alpha.start()
        heard(alpha)
        with only_one(load_ward(beta.ward).config(NODE).state_dir):
            beta.start()
            until(lambda: "another monitord" in beta.log)
            heard(alpha)
            until(lambda: "so this one stands by" in beta.log)
        # It has said that it left: nobody need wait for one that cannot hear.
        machines = {one["token"]: one["machine"] for one in subscriber.values(claim_topic(NODE))}
        assert "beta" in {machines[one["token"]] for one in subscriber.values(lease_topic(NODE)) if one["left"]}
        heard(alpha)
        assert beta.ears == 0
    assert watch.double_s == 0.0
