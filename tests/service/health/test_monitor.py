"""The monitor: every source judged twice a second, told when it changes, and never silent about a silence."""

import time

import pytest

from service.capture.source import SourceState, SourceStatus
from service.health.monitor import HEALTH_S
from service.health.outage_notice import PATIENCE_S
from service.terminal.console_text import fault_words
from tests.support.daemon.household_daemon import Clock
from tests.support.daemon.watched_rooms import Room, Told, health, watch


def test_a_source_is_offline_until_it_is_heard(room: Room, told: Told) -> None:
    """Nothing is believed before the first sample; then it is online, and nothing is said twice."""
    monitor = watch(told, room)
    monitor.poll()
    first = told.take()
    assert first["room/status"] == "offline"
    assert (health(first["room/health"])["fault"], health(first["room/health"])["last_audio"]) == ("ok", None)
    assert monitor.count_heard() == 0
    room.hear()
    monitor.poll()
    second = told.take()
    assert second["room/status"] == "online"
    assert health(second["room/health"])["captured"] == 1_600
    assert monitor.count_heard() == 1
    monitor.poll()
    assert told.take() == {}
    assert told.shown == []


def test_a_source_that_falls_silent_is_told(room: Room, told: Told) -> None:
    """No sample for seven seconds is a stall, whatever its thread believes; it is over with the next sample."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    told.take()
    room.wait(7.5)
    monitor.poll()
    fallen = told.take()
    assert fallen["room/status"] == "offline"
    assert health(fallen["room/health"])["fault"] == "stalled"
    assert monitor.count_heard() == 0
    room.hear()
    monitor.poll()
    assert told.take()["room/status"] == "online"
    assert told.shown == [("room", "stalled", ""), ("room", "ok", "")]


def test_a_dead_microphone_is_told(room: Room, told: Told) -> None:
    """Zeros come in live and in time, and still the source is offline."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    told.take()
    room.hear(6.5, dead=True)
    monitor.poll()
    dead = told.take()
    assert dead["room/status"] == "offline"
    assert health(dead["room/health"])["fault"] == "digital_silence"


def test_a_refused_password_is_told_with_what_helps(room: Room, told: Told) -> None:
    """The person at the screen gets the thread's words; MQTT gets the fault and how often it was opened."""
    monitor = watch(told, room)
    room.says = SourceStatus(SourceState.AUTH_FAILED, "wrong password; edit password_file", reconnects=2)
    monitor.poll()
    values = health(told.take()["room/health"])
    assert (values["fault"], values["reconnects"]) == ("auth_failed", 2)
    assert told.shown == [("room", "auth_failed", "wrong password; edit password_file")]


def test_a_room_that_is_switched_off_is_offline_without_a_fault(room: Room, told: Told) -> None:
    """Silence from it does not mean that the baby is quiet, and nothing is broken."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    told.take()
    room.channel.enabled = False
    monitor.poll()
    off = told.take()
    assert off["room/status"] == "offline"
    assert health(off["room/health"])["fault"] == "ok"


def test_a_file_that_is_over_is_offline_without_a_fault(room: Room, told: Told) -> None:
    """It ended as it should; nobody listens any more."""
    monitor = watch(told, room)
    room.hear()
    room.wait(60.0)
    room.says = SourceStatus(SourceState.ENDED)
    monitor.poll()
    over = told.take()
    assert over["room/status"] == "offline"
    assert health(over["room/health"])["fault"] == "ok"


def test_counts_are_told_again_now_and_then(room: Room, told: Told) -> None:
    """Every half minute although nothing changed: samples that no longer grow can be seen from outside."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    told.take()
    monitor._rooms["room"].counts_told_at -= HEALTH_S
    room.hear()
    monitor.poll()
    again = told.take()
    assert set(again) == {"room/health"}
    assert health(again["room/health"])["captured"] == 3_200


def test_a_clock_that_is_set_changes_nothing(room: Room, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set back by an hour while a room is not heard: the fault is told in its time, and how long it lasted is right."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() - 3600.0)
    monitor.poll()
    assert monitor.count_heard() == 1
    room.wait(8.0)
    monitor.poll()
    assert monitor.count_heard() == 0
    notice = monitor._rooms["room"].notice
    notice._since, notice._deaf_since = (time.monotonic() - 90.0, time.time() - 90.0), time.monotonic() - 90.0
    monkeypatch.setattr(time, "time", lambda: real() + 7200.0)
    monitor.poll()
    room.hear()
    monitor.poll()
    assert [notice.kind for notice in told.notices] == ["not_hearing", "hearing_again"]
    assert "for 1 min" in told.notices[1].message


def test_rooms_are_judged_apart(told: Told) -> None:
    """One broken source does not make the other one look broken, or well."""
    one, two = Room("one"), Room("two")
    monitor = watch(told, one, two)
    one.hear()
    two.says = SourceStatus(SourceState.DECODE_ERROR, "no media")
    monitor.poll()
    seen = told.take()
    assert (seen["one/status"], seen["two/status"]) == ("online", "offline")
    assert monitor.count_heard() == 1


def test_phones_are_told_what_the_supervisor_sees(room: Room, told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """A room that falls silent and comes back is; one that is switched off, or a recording that is over, is not."""
    clock, ended, off = Clock(monkeypatch), Room("recording"), Room("off")
    monitor = watch(told, room, ended, off)
    for one in (room, ended, off):
        one.hear()
    monitor.poll()
    ended.says, off.channel.enabled = SourceStatus(SourceState.ENDED), False
    for _ in range(2):
        clock.pass_by(PATIENCE_S)
        monitor.poll()
    assert [(notice.kind, notice.source) for notice in told.notices] == [("not_hearing", "room")]
    assert told.notices[0].payload["fault"] == "stalled"
    room.hear()
    monitor.poll()
    assert [notice.kind for notice in told.notices] == ["not_hearing", "hearing_again"]


def test_a_fault_is_said_in_words(room: Room, told: Told) -> None:
    """For a test alarm that fails; nothing is said of a room that is heard."""
    monitor = watch(told, room)
    room.hear()
    monitor.poll()
    assert monitor.fault_of("room") == ""
    room.wait(7.5)
    monitor.poll()
    assert monitor.fault_of("room") == fault_words("stalled") != ""
