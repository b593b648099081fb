"""What systemd is told and when."""

import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from service.health.systemd import DaemonHealth, ServiceManager, status_line
from service.health.verdict import RoomHealth
from service.mqtt.client import MqttStatus
from service.terminal.journal_stream import as_error, is_journal

CONNECTED = MqttStatus(connected=True)


class House:
    """A manager that is told of two rooms; `told` is what it said."""

    def __init__(self, watchdog_s: float | None = None) -> None:
        self.told: list[str] = []
        self.rooms = [room("Nursery", heard=False, heard_at=None), room("Bedroom", heard=False, heard_at=None)]
        self.moved_at = time.monotonic()
        self.manager = ServiceManager(self.told.append, watchdog_s)

    def change(self, number: int, **changes: object) -> None:
        """One room stands otherwise from now on."""
        self.rooms[number] = replace(self.rooms[number], **changes)  # type: ignore[arg-type]

    def hear(self, *numbers: int) -> None:
        """Sound comes in these rooms, and the worker takes it."""
        for number in numbers or range(len(self.rooms)):
            self.change(number, heard=True, heard_at=time.monotonic())
        self.moved_at = time.monotonic()

    def poll(self, mqtt: MqttStatus = CONNECTED) -> list[str]:
        """Returns what a look tells."""
        before = len(self.told)
        self.manager.poll(DaemonHealth(self.rooms, mqtt, self.moved_at))
        return self.told[before:]


def room(name: str = "Nursery", **changes: object) -> RoomHealth:
    """A room that is heard and quiet."""
    values: dict[str, object] = {"wanted": True, "heard": True, "heard_at": 1.0, "fault": "ok", "crying_since": None}
    return RoomHealth(name.lower(), name=name, **{**values, **changes})  # type: ignore[arg-type]


def test_the_status_is_a_sentence() -> None:
    """How many rooms are heard; then what is wrong; then who cries, and since when."""
    at = time.mktime((2026, 11, 22, 19, 2, 0, 0, 0, -1))
    assert status_line([room(), room("Bedroom")], "") == "2 of 2 rooms heard"
    assert status_line([room(crying_since=at)], "") == "1 of 1 room heard; Nursery crying since 19:02"
    deaf = room("Bedroom", heard=False, fault="stalled")
    assert status_line([room(crying_since=at), deaf], "no answer") == (
        "1 of 2 rooms heard; Bedroom NOT HEARD: no sound arrives; nobody can be told over MQTT: no answer;"
        " Nursery crying since 19:02"
    )
    assert status_line([room(), room("Attic", wanted=False, heard=False, fault="stalled")], "") == "1 of 1 room heard"
    assert status_line([room()], "", "the disk is full") == "1 of 1 room heard; the disk is full"
    assert "\n" not in status_line([room("two\nlines")], "")


def test_ready_is_after_every_room_is_heard() -> None:
    """Not when one of two is heard; then once, and not again at every look."""
    house = House()
    assert "READY=1" not in house.poll()
    house.hear(0)
    assert "READY=1" not in house.poll()
    house.hear(1)
    assert house.poll() == ["READY=1", "STATUS=2 of 2 rooms heard"]
    assert house.poll() == []


def test_a_fault_that_is_told_is_ready_too() -> None:
    """A camera that is off must not keep the service from starting; a room that is switched off neither."""
    house = House()
    house.hear(0)
    house.change(1, fault="stalled")
    assert house.poll() == ["READY=1", "STATUS=1 of 2 rooms heard; Bedroom NOT HEARD: no sound arrives"]
    house = House()
    house.hear(0)
    house.change(1, wanted=False)
    assert house.poll() == ["READY=1", "STATUS=1 of 1 room heard"]


def test_ready_waits_for_the_first_word_of_the_broker() -> None:
    """Connected, or known not to be: a password that is refused ends the daemon before it was ready."""
    house = House()
    house.hear()
    assert "READY=1" not in house.poll(MqttStatus(connected=False))
    told = house.poll(MqttStatus(connected=False, detail="no answer"))
    assert told == ["READY=1", "STATUS=2 of 2 rooms heard; nobody can be told over MQTT: no answer"]


@pytest.mark.parametrize("watchdog_s", [None, 3600.0])
def test_no_sign_of_life_before_it_is_due(watchdog_s: float | None) -> None:
    """None without a watchdog, and none in its first half."""
    house = House(watchdog_s)
    house.hear()
    house.poll()
    house.hear()
    assert house.poll() == []


def test_a_sign_of_life_needs_a_worker_that_moves() -> None:
    """Nothing is said for as long as it sticks, whatever the main thread does."""
    house = House(1e-9)
    house.poll()
    assert "WATCHDOG=1" not in house.poll()
    house.hear()
    assert "WATCHDOG=1" in house.poll()
    assert house.poll() == []
    house.hear()
    assert house.poll() == ["WATCHDOG=1"]


def test_a_sign_of_life_needs_every_room_to_move() -> None:
    """One of two is not enough, unless the other one's fault is told."""
    house = House(1e-9)
    house.hear()
    house.poll()
    house.hear(0)
    assert house.poll() == []
    house.change(1, heard=False, fault="stalled")
    assert "WATCHDOG=1" in house.poll()


def test_a_room_that_opens_for_the_first_time_is_in_hand() -> None:
    """What has not been heard yet holds nothing up: within seconds it is heard, or its fault is told."""
    house = House(1e-9)
    house.hear(0)
    assert "WATCHDOG=1" in house.poll()


def test_crying_is_in_the_status() -> None:
    """Since it was first seen, and no longer when it is over."""
    house = House()
    house.hear()
    house.change(0, crying_since=time.time())
    house.poll()
    assert f"Nursery crying since {time.strftime('%H:')}" in house.told[-1]
    house.change(0, crying_since=None)
    assert house.poll() == ["STATUS=2 of 2 rooms heard"]


def test_a_room_that_is_heard_late_is_heard() -> None:
    """It counts, and what is wrong with it is said."""
    assert status_line([room(fault="overload")], "") == (
        "1 of 1 room heard; Nursery heard late: this machine has too much to do"
    )


def test_a_refused_reload_stays_in_the_status() -> None:
    """Reloading with the time, ready again, and the first mistake for everybody to see until the next reload."""
    house = House()
    house.hear()
    house.poll()
    before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    house.manager.reloading()
    reloading, at = house.told[-2].split("\n")
    assert reloading == "RELOADING=1"
    assert before_us <= int(at.removeprefix("MONOTONIC_USEC=")) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    house.manager.refused("m.yaml:1: first\nm.yaml:2: second")
    refusal = "reload REFUSED, the old configuration stays: m.yaml:1: first ..."
    assert house.poll() == ["READY=1", f"STATUS={refusal}; 2 of 2 rooms heard"]
    house.manager.reloading()
    assert refusal not in str(house.poll())


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same calls do nothing."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    manager = ServiceManager.of_environment()
    manager.poll(DaemonHealth([], CONNECTED, 0.0))
    manager.stopping()


def test_the_variable_alone_is_no_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that was started by a service inherits it; only the same device and inode count."""
    with (tmp_path / "stream").open("w") as stream:
        found = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino}")
        assert is_journal(stream)
        monkeypatch.setattr("sys.stderr", stream)
        assert as_error("one\ntwo") == "<3>one\n<3>two"
        monkeypatch.setenv("JOURNAL_STREAM", f"{found.st_dev}:{found.st_ino + 1}")
        assert not is_journal(stream)
        assert as_error("one") == "one"
