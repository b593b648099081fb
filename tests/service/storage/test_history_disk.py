"""A history and its disk: what is damaged, what is refused, and what is kept for how long."""

import logging
import sqlite3
import time
from pathlib import Path

import pytest

from service.messages.message import Keep, iso_utc, json_message
from service.storage import history_file, sqlite_file
from service.storage.history import DOWN, Gap, History
from service.storage.history_file import KEEP_S, UNRECORDED, HistoryFile
from tests.service.storage.test_history import ALL, NODE, T0, fault, gaps
from tests.support.daemon.household_daemon import Clock
from tests.support.faults.damaged_database import garbage, of_another_version, scribbled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "history.db"


@pytest.mark.parametrize("damage", [garbage, scribbled, of_another_version])
def test_damaged_file_is_set_aside(path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    """It is kept for a person, said once, and a new one begins."""
    with History(path, NODE) as history:
        fault(history, "stalled", at=T0 + 7.0, since=T0)
    assert callable(damage)
    damage(path)
    with caplog.at_level(logging.ERROR), History(path, NODE) as history:
        assert gaps(history) == []
        fault(history, "flat", at=T0 + 7.0, since=T0)
        assert [gap.why for gap in gaps(history)] == ["flat"]
        assert history.fault == ""
    assert len(list(path.parent.glob("history.db.broken-*Z"))) == 1
    assert sum("it is kept as" in record.getMessage() for record in caplog.records) == 1


def test_a_history_of_the_version_before_is_kept(path: Path) -> None:
    """It grows the columns that it lacks; nobody's nights are lost by an update."""
    with History(path, NODE) as history:
        fault(history, "stalled", at=T0 + 7.0, since=T0)
    old = sqlite3.connect(path)
    columns = "id, since, until, rooms, p_cry, reason, answered"
    old.execute(
        f"INSERT INTO episode ({columns}) VALUES ('nursery-1', ?, ?, '[\"nursery\"]', 0.9, 'none', ?)", (T0,) * 3
    )
    for column in ("answered_by", "told_up_to", "loudness_db"):
        old.execute(f"ALTER TABLE episode DROP COLUMN {column}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    with History(path, NODE) as history:
        assert history.fault == ""
        (one,) = history.between(*ALL).episodes
        assert (one.id, one.answered, one.answered_by, one.told_up_to) == ("nursery-1", T0, None, None)
        assert [gap.why for gap in gaps(history)][:1] == ["stalled"]


def test_what_a_disk_refuses_is_written_when_it_takes_it(path: Path) -> None:
    """While it refuses it says so; then nothing is missing."""
    path.parent.write_text("a file where the folder belongs")
    with History(path, NODE) as history:
        fault(history, "stalled", at=T0 + 7.0, since=T0)
        assert str(path) in history.fault or str(path.parent) in history.fault
        assert gaps(history) == []
        path.parent.unlink()
        history.retry()
        assert history.fault == ""
        assert gaps(history) == [Gap("nursery", "stalled", T0, None)]


def test_a_disk_that_refuses_the_tables_is_tried_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of an update, or of the first start: with room again the file is whole, and nothing is missing."""
    monkeypatch.setattr(sqlite_file, "BUSY_S", 0.01)
    with History(path, NODE):
        pass
    other = sqlite3.connect(path, isolation_level=None)
    for column in ("told_up_to", "loudness_db"):
        other.execute(f"ALTER TABLE episode DROP COLUMN {column}")
    other.execute("PRAGMA user_version = 2")
    other.execute("BEGIN IMMEDIATE")  # as a disk that is full: it can be read, and takes nothing
    with History(path, NODE) as history:
        fault(history, "stalled", at=T0 + 7.0, since=T0)
        assert "locked" in history.fault
        other.close()
        told = {"episode": "nursery-1", "since": iso_utc(T0), "ended": None, "rooms": ["nursery"], "p_cry": 0.9}
        told |= {"reason": "none", "told_up_to": 0.7, "loudness_db": 30.0}
        history.tell(json_message(NODE, f"{NODE.root}/nursery/episode", told, Keep.LATEST))
        (one,) = history.between(*ALL).episodes
        assert (one.id, one.told_up_to) == ("nursery-1", 0.7)
        assert Gap("nursery", "stalled", T0, None) in gaps(history)
        assert history.fault == ""


def test_nights_before_a_disk_that_refused_are_not_told_to_be_missing(path: Path) -> None:
    """Where it cannot even be read at the start, what was recorded is asked of the file later."""
    with History(path, NODE) as history:
        fault(history, "flat", at=T0 + 7.0, since=T0)
    aside = path.parent.rename(path.parent.with_name("aside"))
    path.parent.write_text("a file where the folder belongs")
    with History(path, NODE) as history:
        assert history.fault != ""
        path.parent.unlink()
        aside.rename(path.parent)
        history.retry()
        flat, unrecorded, down = sorted(history.between(*ALL).gaps, key=lambda gap: gap.why != "flat")
    assert (flat.why, flat.until is None) == ("flat", False)
    assert (unrecorded.why, unrecorded.since) == (UNRECORDED, 0.0)
    assert (down.why, down.since) == (DOWN, flat.until)


def test_what_waits_for_a_disk_is_bounded(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The oldest goes, and that is said."""
    monkeypatch.setattr(history_file, "WAITING", 2)
    path.parent.write_text("a file where the folder belongs")
    file = HistoryFile(path)
    for why in ("first", "second", "third"):
        file.add("INSERT INTO gap VALUES ('', ?, ?, NULL)", why, time.time())
        file.write()
    path.parent.unlink()
    assert file.select("SELECT why FROM gap") == [("second",), ("third",)]
    file.close()
    assert "the oldest row is lost" in caplog.text


def test_it_is_bounded_in_days_and_bytes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ninety days are kept, and of those the newest that fit."""
    now = time.time()
    file = HistoryFile(path)
    for since in (now - KEEP_S - 10, now - KEEP_S + 100, now):
        file.add("INSERT INTO gap VALUES ('', '', ?, ?)", since, since)
    assert file.select("SELECT since FROM gap ORDER BY since") == [(now - KEEP_S + 100,), (now,)]
    monkeypatch.setattr(history_file, "MAX_BYTES", 40 * 4096)
    for hour in range(1, 2000):
        since = now - hour * 3600
        file.add("INSERT INTO gap VALUES (?, '', ?, ?)", "x" * 100, since, since)
        file.write()
    kept = [since for (since,) in file.select("SELECT since FROM gap ORDER BY since DESC")]
    file.close()
    # 160 KB are some 1,000 rows of 120 bytes and their index; those that are left are the newest.
    assert 200 < len(kept) < 2000
    assert kept[:200] == [now - hour * 3600 for hour in range(200)]


def test_what_the_family_says_is_kept_for_ninety_days(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From when they said it, whatever time they meant; a clock that was ahead makes nobody wait for room."""
    clock = Clock(monkeypatch)
    with History(path, NODE) as history:
        history.corrected("nursery", episode=None, missed_at=3e9, was="cry", reason=None)
        clock.pass_by(KEEP_S + 10.0)
        history._file._until_prune = 0
        fault(history, "stalled", at=clock.now(), since=clock.now())
        assert history.between(2.9e9, 3.1e9).corrections == []
        fault(history, "flat", at=3.0e9, since=3.0e9)
        monkeypatch.setattr(history_file, "MAX_BYTES", 0)
        history._file._until_prune = 0
        fault(history, "ok", at=3.1e9, since=3.1e9)
        assert [gap.why for gap in history.between(2.9e9, 3.2e9).gaps] == ["stalled", "flat"]
