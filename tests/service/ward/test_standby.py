"""Who lost a shard looks on a real broker whether another process has it, before it claims again.

What proves that nobody has it, and that all come to rest: `test_rest.py`.
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.ward.fence import Terms
from service.ward.keeper import ClaimKeeper
from service.ward.place import Place
from service.ward.settings import WardConfig, load_ward
from service.ward.standby import somebody_has, stand_by
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, until
from tests.support.ward.shards import ward_file

pytestmark = pytest.mark.e2e

NODE = "north_1"


@pytest.fixture
def ward(tmp_path: Path, broker: Mosquitto) -> WardConfig:
    """What the process that looks has read; it listens for 3 s."""
    return load_ward(ward_file(tmp_path / "alpha", broker, "alpha", lease_s=3))


@contextlib.contextmanager
def claimed(folder: Path, ward: WardConfig) -> Iterator[ClaimKeeper]:
    """Another machine's claim, which waits for longer than this one listens."""
    place = Place(folder)
    keeper = ClaimKeeper(ward.mqtt, NODE, terms=Terms(20.0), place=place, place_id=place.open(), machine=folder.name)
    with contextlib.closing(place), keeper:
        yield keeper


def test_who_waits_has_it_as_who_hears(tmp_path: Path, ward: WardConfig) -> None:
    """Two that took it from each other while they waited were never heard."""
    with claimed(tmp_path / "beta", ward) as beta:
        until(lambda: beta.fence.phase == "waiting")
        assert somebody_has(ward, NODE, threading.Event())
        assert not beta.may_hear()


def test_it_is_claimed_back_when_nobody_has_it(tmp_path: Path, ward: WardConfig) -> None:
    """A sign of life that the broker still keeps is none of somebody who is there."""
    back = threading.Thread(target=stand_by, args=(ward, NODE, threading.Event()), daemon=True)
    with claimed(tmp_path / "beta", ward) as beta:
        until(lambda: beta.fence.phase == "waiting")
        back.start()
        assert somebody_has(ward, NODE, threading.Event())
        assert back.is_alive()
    back.join(PATIENCE_S)
    assert not back.is_alive()


def test_asked_to_stop_it_takes_nothing(ward: WardConfig) -> None:
    """Nobody has it, and who leaves must not claim it on its way out."""
    stop = threading.Event()
    stop.set()
    assert somebody_has(ward, NODE, stop)
