"""The monitor and the worker: stuck, behind, or only asleep with the whole machine."""

import time

from service.health.verdict import LATE_S, STUCK_S, WAITING_S
from tests.support.daemon.watched_rooms import Room, Told, health, watch
from tests.support.sound.sounds import noise


def test_a_stuck_worker_is_told_of_every_source(told: Told) -> None:
    """Sound still comes, but nobody listens: all are offline, until it moves again."""
    one, two = Room("one"), Room("two")
    moved = [1.0]
    monitor = watch(told, one, two, moved_at=lambda: moved[0])

    def poll() -> None:
        monitor._polled = time.monotonic() - 1.0
        one.hear()
        two.hear()
        monitor.poll()

    poll()
    told.take()
    for _ in range(round(STUCK_S)):
        poll()
    assert told.take() == {}
    poll()
    stuck = told.take()
    assert monitor.stuck
    assert (stuck["one/status"], stuck["two/status"]) == ("offline", "offline")
    assert health(stuck["one/health"])["fault"] == health(stuck["two/health"])["fault"] == "stuck"
    moved[0] = 2.0
    poll()
    assert told.take()["one/status"] == "online"
    assert not monitor.stuck


def test_a_machine_that_slept_has_no_stuck_worker(room: Room, told: Told) -> None:
    """An hour between two looks was an hour for nobody."""
    monitor = watch(told, room, moved_at=lambda: 1.0)
    monitor.poll()
    monitor._polled -= 3600.0
    room.hear()
    monitor.poll()
    assert not monitor.stuck
    assert monitor.count_heard() == 1


def test_a_worker_that_falls_behind_is_told(room: Room, told: Told) -> None:
    """More sound waits than may for longer than a burst takes: an overload, of a source that is still heard."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    told.take()
    room.inbox.write(noise(WAITING_S + 1.0), 16_000, time.time())
    monitor.poll()
    assert told.take() == {}
    late_since = monitor._rooms["room"].late_since
    assert late_since is not None
    monitor._rooms["room"].late_since = late_since - LATE_S - 1.0
    monitor.poll()
    late = told.take()
    assert (late["room/status"], health(late["room/health"])["fault"]) == ("online", "overload")
    while room.inbox.held:
        room.channel.take()
    monitor.poll()
    assert health(told.take()["room/health"])["fault"] == "ok"
