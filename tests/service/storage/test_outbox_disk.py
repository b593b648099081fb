"""The outbox on a disk that is full, damaged or refuses: hearing goes on, and nothing that was taken is lost."""

import sqlite3
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.messages.message import Keep
from service.storage.outbox import MAX_MEMORY_ROWS, Outbox
from service.storage.outbox_database import OutboxFile
from tests.support.daemon.outbox_rows import message, payloads
from tests.support.faults.damaged_database import garbage, of_another_version, scribbled


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


@pytest.mark.parametrize("damage", [garbage, _cut, scribbled, of_another_version])
def test_unreadable_file_is_set_aside(path: Path, damage: object, caplog: pytest.LogCaptureFixture) -> None:
    """A file that cannot be read is kept for a person under another name, said once, and a new one begins."""
    with Outbox(path) as outbox:
        for number in range(100):
            outbox.add(message(f"{number} " + "x" * 300))
    assert callable(damage)
    damage(path)
    with Outbox(path) as outbox:
        assert payloads(outbox) == []
        assert outbox.add(message("new"))
        assert payloads(outbox) == ["new"]
    assert len(list(path.parent.glob("outbox.db.broken-*Z"))) == 1
    assert [record.getMessage() for record in caplog.records if "it is kept as" in record.getMessage()] != []


def test_file_that_breaks_while_running_is_set_aside(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is destroyed under a running daemon costs what was in it, and nothing that comes after."""
    with Outbox(path) as outbox:
        for number in range(100):
            outbox.add(message(f"{number} " + "x" * 300))
        outbox._file._relax.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        scribbled(path)
        assert outbox.add(message("new"))
        assert payloads(outbox)[-1] == "new"
        assert outbox.fault == ""
    assert "it is kept as" in caplog.text


def test_full_disk_is_said_and_survived(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A disk that is full makes `add` return False, keeps the message in memory, and takes it back when there is room.

    SQLite's own limit of pages gives the very error that a full disk gives.
    """
    with Outbox(path) as outbox:
        assert outbox.add(message("first"))
        _limit_pages(outbox, 1)
        big = "x" * 10_000
        assert not outbox.add(message(big, Keep.ALARM))
        assert not outbox.add(message(big + "2"))
        assert "full" in outbox.fault
        assert payloads(outbox) == ["first", big, big + "2"]
        outbox.delete([2])
        assert payloads(outbox) == ["first", big + "2"]
        _limit_pages(outbox, 1_000_000)
        assert outbox.add(message("last"))
        assert outbox.fault == ""
        assert payloads(outbox) == ["first", big + "2", "last"]
    with Outbox(path) as outbox:
        assert payloads(outbox) == ["first", big + "2", "last"]  # the memory went to disk
    assert len([record for record in caplog.records if "the disk refuses" in record.getMessage()]) == 1


def test_memory_is_bounded_too(path: Path) -> None:
    """While the disk refuses, memory holds so many messages, and gives up segments before events."""
    with Outbox(path) as outbox:
        _limit_pages(outbox, 1)
        big = "x" * 10_000
        outbox.add(message("alarm" + big, Keep.ALARM))
        for number in range(MAX_MEMORY_ROWS + 9):
            outbox.add(message(f"{number}{big}", Keep.SEGMENT))
        assert (outbox.waiting, outbox.dropped) == (MAX_MEMORY_ROWS, 10)
        assert payloads(outbox)[:2] == ["alarm" + big, "10" + big]


def _limit_pages(outbox: Outbox, pages: int) -> None:
    for connection in (outbox._file._flushed, outbox._file._relaxed):
        assert connection is not None
        connection.execute(f"PRAGMA max_page_count = {pages}")  # never less than the file has now


def test_a_place_that_is_none_is_a_config_error(path: Path) -> None:
    """A state directory that cannot be made stops the start and names the key to change."""
    path.parent.touch()
    with pytest.raises(ConfigError, match="state_dir"):
        Outbox(path).open()


def _refused(path: Path) -> Outbox:
    """Opens one on a disk that refuses from the start: SQLite cannot open what is in its way; `_mended` takes it away.

    What an earlier run left is behind it.
    """
    path.parent.mkdir(exist_ok=True)
    if path.exists():
        path.rename(path.with_name("kept"))
    path.mkdir()
    outbox = Outbox(path)
    outbox.open()
    return outbox


def _mended(path: Path) -> None:
    path.rmdir()
    if path.with_name("kept").exists():
        path.with_name("kept").rename(path)


def test_a_disk_that_refuses_from_the_start_is_said_and_survived(path: Path) -> None:
    """As one that refuses later: memory until it takes writes, which `retry` finds out too; nothing is lost."""
    outbox = _refused(path)
    assert str(path) in outbox.fault
    assert not outbox.add(message("a"))
    outbox.retry()
    assert outbox.fault
    assert payloads(outbox) == ["a"]
    _mended(path)
    outbox.retry()
    assert outbox.fault == ""
    outbox.close()
    with Outbox(path) as again:
        assert payloads(again) == ["a"]


def test_what_an_earlier_run_left_behind_a_disk_that_refuses_comes_first(path: Path) -> None:
    """In the order of adding over both runs, where nothing of this one was on its way yet."""
    with Outbox(path) as outbox:
        for one in "abc":
            outbox.add(message(one))
    outbox = _refused(path)
    for one in "de":
        outbox.add(message(one))
    _mended(path)
    assert outbox.add(message("f"))
    assert payloads(outbox) == list("abcdef")
    assert (outbox.waiting, outbox.last_seq, outbox.fault) == (6, 6, "")
    outbox.close()


def test_a_file_that_can_only_be_read_keeps_its_numbers(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a kill and a read-only remount SQLite opens it: what is told meanwhile takes nothing of it away."""
    with Outbox(path) as outbox:
        for one in "abc":
            outbox.add(message(one))

    def refuse(*_: object, **__: object) -> int:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr(OutboxFile, "drop_older", refuse)
    outbox = Outbox(path)
    outbox.open()
    outbox.add(message("d"))
    (row,) = outbox.pending(after=0, limit=9)
    monkeypatch.undo()
    outbox.retry()
    outbox.delete([row.seq])
    assert payloads(outbox) == list("abc")
    assert [one.message.payload for one in outbox.pending(after=row.seq, limit=9)] == list("abc")
    outbox.close()


@pytest.mark.parametrize("left", [2, 9])
def test_what_is_on_its_way_keeps_its_number(path: Path, left: int) -> None:
    """What an earlier run left comes after it then; an answer of the broker deletes no stranger."""
    with Outbox(path) as outbox:
        for number in range(left):
            outbox.add(message(f"old{number}"))
    outbox = _refused(path)
    for one in "abcd":
        outbox.add(message(one))
    under_way = outbox.pending(after=0, limit=3)
    _mended(path)
    outbox.retry()
    old = [f"old{number}" for number in range(left)]
    assert [row.message.payload for row in outbox.pending(after=under_way[-1].seq, limit=99)] == ["d", *old]
    outbox.delete([row.seq for row in under_way])
    assert payloads(outbox) == ["d", *old]
    assert outbox.waiting == 1 + left
    outbox.close()
