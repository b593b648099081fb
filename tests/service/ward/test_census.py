"""Which rooms nobody hears, and which cry, from what is on MQTT."""

import json
from pathlib import Path

import pytest

from service.ward.claim import Claim, Lease, claim_topic, lease_topic, payload
from service.ward.fence import Terms
from service.ward.station.census import Census, CensusTaker
from service.ward.station.status import status_lines
from tests.service.ward.test_settings import loaded, values

NOW = 1_800_000_000.0
OVER_S = Terms(5.0).over_s


def told(taker: CensusTaker, at: float, **more: str) -> None:
    """Both shards are heard, on alpha, at this time; topics of the rooms may say something else."""
    for node, rooms in (("north_1", ("bed1", "bed2")), ("north_2", ("bed3",))):
        say(taker, claim_topic(node), payload(Claim(1, "t", "p", "alpha")), at)
        say(taker, lease_topic(node), payload(Lease("t", 1, hearing=True)), at)
        taker.take(f"monitord/{node}/status", b"online", at)
        for room in rooms:
            taker.take(f"monitord/{node}/{room}/status", more.get(room, "online").encode(), at)


def say(taker: CensusTaker, topic: str, what: dict[str, object], at: float) -> None:
    """JSON values on a topic."""
    taker.take(topic, json.dumps(what).encode(), at)


def count(taker: CensusTaker, at: float) -> Census:
    """With both clocks in step."""
    return taker.count(at, at)


@pytest.fixture
def taker(tmp_path: Path) -> CensusTaker:
    """Of a ward of two shards with three rooms."""
    return CensusTaker(loaded(tmp_path, values()))


def test_all_are_missing_until_they_are_heard(taker: CensusTaker) -> None:
    """Nothing on MQTT is no quiet ward."""
    census = count(taker, NOW)
    assert [(one.room, one.since, one.fault) for one in census.unheard] == [
        ("bed1", NOW, "shard"),
        ("bed2", NOW, "shard"),
        ("bed3", NOW, "shard"),
    ]
    told(taker, NOW + 1)
    census = count(taker, NOW + 1)
    assert census.unheard == ()
    assert census.machines == {"north_1": "alpha", "north_2": "alpha"}


def test_a_room_that_is_not_heard(taker: CensusTaker) -> None:
    """With its fault, since its last sound where that is known."""
    told(taker, NOW, bed2="offline", bed3="offline")
    say(taker, "monitord/north_1/bed2/health", {"fault": "stalled", "last_audio": "2027-01-15T07:59:30.000Z"}, NOW)
    census = count(taker, NOW)
    assert [(one.room, NOW - one.since, one.fault) for one in census.unheard] == [
        ("bed2", 30.0, "stalled"),
        ("bed3", 0.0, "starting"),
    ]
    told(taker, NOW + 5, bed3="offline")
    assert [one.since for one in count(taker, NOW + 5).unheard] == [NOW]


def test_a_room_that_is_switched_off(taker: CensusTaker) -> None:
    """Nobody hears it, and no fault is told: somebody wanted it so."""
    told(taker, NOW, bed2="offline")
    say(taker, "monitord/north_1/bed2/health", {"fault": "ok"}, NOW)
    say(taker, "monitord/north_1/bed2/settings", {"enabled": False}, NOW)
    assert [(one.room, one.fault) for one in count(taker, NOW).unheard] == [("bed2", "off")]


def test_since_when_it_was_not_heard_before_the_station_was_there(taker: CensusTaker) -> None:
    """What is kept at the broker comes after the first count."""
    count(taker, NOW)
    told(taker, NOW + 1, bed2="offline")
    say(taker, "monitord/north_1/bed2/health", {"fault": "stalled", "last_audio": "2027-01-15T07:00:00.000Z"}, NOW + 1)
    assert [(one.room, NOW - one.since) for one in count(taker, NOW + 1).unheard] == [("bed2", 3600.0)]


def test_a_claim_that_somebody_cleared(taker: CensusTaker) -> None:
    """Its shard is heard all the same, and says so again."""
    told(taker, NOW)
    taker.take(claim_topic("north_1"), b"", NOW)
    assert count(taker, NOW).unheard == ()
    assert count(taker, NOW).machines == {"north_1": "?", "north_2": "alpha"}


def test_a_clock_that_is_set_back(taker: CensusTaker) -> None:
    """It keeps no shard alive that is dead."""
    told(taker, NOW)
    assert len(taker.count(NOW - 3600.0, NOW + OVER_S).unheard) == 3


@pytest.mark.parametrize("how", ["silent", "offline", "left", "cleared"])
def test_a_shard_that_shows_no_sign_of_life(taker: CensusTaker, how: str) -> None:
    """Whatever the broker remembers of its rooms."""
    told(taker, NOW)
    if how == "offline":
        taker.take("monitord/north_1/status", b"offline", NOW)
    elif how == "left":
        say(taker, lease_topic("north_1"), payload(Lease("t", 2, hearing=False, left=True)), NOW)
    elif how == "cleared":
        taker.take(lease_topic("north_1"), b"", NOW)
    later = NOW + (OVER_S if how == "silent" else 0.5)
    unheard = [one.room for one in count(taker, later).unheard if one.shard == "north_1"]
    assert unheard == ["bed1", "bed2"]


def test_the_hardest_cry_comes_first(taker: CensusTaker) -> None:
    """Of equals the longest; whatever comes on a topic, it is counted."""
    told(taker, NOW)
    for node, room, distress, since in (
        ("north_1", "bed1", None, "2027-01-15T07:59:00.000Z"),
        ("north_1", "bed2", 0.3, "2027-01-15T07:59:50.000Z"),
        ("north_2", "bed3", 0.9, "no time"),
    ):
        say(taker, f"monitord/{node}/{room}/state", {"crying": True, "distress": distress, "since": since}, NOW)
    assert [(one.room, one.distress, NOW - one.since) for one in count(taker, NOW).crying] == [
        ("bed3", 0.9, 0.0),
        ("bed2", 0.3, 10.0),
        ("bed1", None, 60.0),
    ]
    taker.take("monitord/north_2/bed3/state", b"[" * 9999, NOW)
    assert [one.room for one in count(taker, NOW).crying] == ["bed2", "bed1"]


def test_whose_disk_may_hold_events(taker: CensusTaker) -> None:
    """Not that of the machine that hears it, which tells them itself."""
    told(taker, NOW)
    for place, machine in (("p", "alpha"), ("q", "beta")):
        say(taker, f"monitord_ward/north_1/undelivered/{place}", {"machine": machine, "since": "2027"}, NOW)
    assert [(one.shard, one.machine) for one in count(taker, NOW).missing] == [("north_1", "beta")]
    assert list(status_lines(taker.ward, count(taker, NOW))) == [
        "north_1 on alpha: 2 of 2 rooms heard",
        "  events may be missing: beta may hold some; run `monitord ward drain` there",
        "north_2 on alpha: 1 of 1 rooms heard",
    ]
