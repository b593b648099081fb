"""The outbox: durable, ordered, bounded, counted; and hearing goes on whatever the disk does."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.messages.message import Keep, Message
from service.storage.outbox import MAX_AGE_S, MAX_MEMORY_ROWS, Outbox
from service.storage.outbox_database import OutboxFile, Row


def message(payload: str, keep: Keep = Keep.EVENT) -> Message:
    return Message("monitord/home/room/event", payload, retain=False, qos=1, keep=keep)


def payloads(outbox: Outbox) -> list[str]:
    return [row.message.payload for row in outbox.pending(after=0, limit=100_000)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "outbox.db"


def test_first_in_first_out(path: Path) -> None:
    """Messages come out whole, in the order of adding, and only once deleted are they gone."""
    with Outbox(path) as outbox:
        kept = [message("a"), message("b", Keep.SEGMENT), message("c", Keep.ALARM)]
        assert all(outbox.add(one) for one in kept)
        rows = outbox.pending(after=0, limit=10)
        assert rows == [Row(number, one) for number, one in enumerate(kept, 1)]
        assert outbox.pending(after=rows[0].seq, limit=1) == rows[1:2]
        outbox.delete([rows[0].seq, rows[2].seq])
        assert outbox.pending(after=0, limit=10) == rows[1:2]
        assert (outbox.waiting, outbox.last_seq, outbox.dropped, outbox.fault) == (1, 3, 0, "")


def test_outlives_a_restart_in_order(path: Path) -> None:
    """A new process goes on where the old one ended, also with the numbers."""
    with Outbox(path) as outbox:
        outbox.add(message("a"))
    with Outbox(path) as outbox:
        outbox.add(message("b"))
        assert [(row.seq, row.message.payload) for row in outbox.pending(after=0, limit=9)] == [(1, "a"), (2, "b")]


def test_outlives_kill_9(path: Path) -> None:
    """What `add` took is there after a kill -9 at any later instant."""
    script = (
        "import sys; from pathlib import Path\n"
        "from service.messages.message import Keep, Message; from service.storage.outbox import Outbox\n"
        "with Outbox(Path(sys.argv[1])) as outbox:\n"
        "    for number in range(10**9):\n"
        "        keep = Keep.SEGMENT if number % 3 else Keep.EVENT\n"
        "        assert outbox.add(Message('t', str(number), False, 1, keep))\n"
        "        print(number, flush=True)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", script, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    for _ in range(100):
        child.stdout.readline()
    os.kill(child.pid, signal.SIGKILL)
    added = 100 + len(child.stdout.read().split())  # what it had printed before it was killed
    child.stdout.close()
    child.wait()
    with Outbox(path) as outbox:
        found = payloads(outbox)
    assert found[:added] == [str(number) for number in range(added)]
    assert len(found) <= added + 1  # the last may have been written and not printed


def test_full_gives_up_segments_first_and_alarms_last(path: Path) -> None:
    """The oldest segments go first, then the oldest other events; `started` stays; every one is counted."""
    with Outbox(path, max_rows=32) as outbox:  # frees 32 / 16 = 2 at once
        for number in range(10):
            outbox.add(message(f"alarm{number}", Keep.ALARM))
        for number in range(11):
            outbox.add(message(f"event{number}"))
            outbox.add(message(f"segment{number}", Keep.SEGMENT))
        assert outbox.waiting == 32
        outbox.add(message("new", Keep.SEGMENT))
        left = payloads(outbox)
        assert (outbox.waiting, outbox.dropped) == (31, 2)
        assert not {"segment0", "segment1"} & set(left)
        for number in range(100):
            outbox.add(message(f"more{number}"))
        left = payloads(outbox)
        assert not [one for one in left if one.startswith("segment")]
        assert left[:10] == [f"alarm{number}" for number in range(10)]
        assert left[-1] == "more99"
        assert outbox.dropped + outbox.waiting == 10 + 22 + 1 + 100


def test_full_of_alarms_gives_up_the_oldest(path: Path) -> None:
    """Even alarms are bounded: a broker that never comes back may not fill the disk."""
    with Outbox(path, max_rows=32) as outbox:
        for number in range(33):
            outbox.add(message(str(number), Keep.ALARM))
        assert payloads(outbox) == [str(number) for number in range(2, 33)]


def test_after_a_week_only_alarms_are_left(path: Path) -> None:
    """What nobody took for a week is dropped and counted, but never an alarm."""
    now = [1_795_360_320.0]
    with Outbox(path, clock=lambda: now[0]) as outbox:
        outbox.add(message("old alarm", Keep.ALARM))
        outbox.add(message("old event"))
    now[0] += MAX_AGE_S / 2
    with Outbox(path, clock=lambda: now[0]) as outbox:
        outbox.add(message("event"))
    now[0] += MAX_AGE_S / 2 + 1
    with Outbox(path, clock=lambda: now[0]) as outbox:
        assert payloads(outbox) == ["old alarm", "event"]
        assert outbox.dropped == 1


def test_what_is_too_old_goes_without_a_restart(path: Path) -> None:
    """A daemon that runs for longer than the broker is away drops it too, with the next event."""
    now = [1_795_360_320.0]
    with Outbox(path, clock=lambda: now[0]) as outbox:
        outbox.add(message("old alarm", Keep.ALARM))
        outbox.add(message("old event"))
        now[0] += MAX_AGE_S + 1
        outbox.add(message("new"))
        assert payloads(outbox) == ["old alarm", "new"]
        assert outbox.dropped == 1


def _garbage(path: Path) -> None:
    path.write_bytes(b"This is no database. " * 500)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _scribbled(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))


def _of_another_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


@pytest.mark.parametrize("damage", [_garbage, _cut, _scribbled, _of_another_version])
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
        _scribbled(path)
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


def test_discarded_is_counted(path: Path) -> None:
    """What no broker will ever take is gone, and counted."""
    with Outbox(path) as outbox:
        outbox.add(message("a"))
        outbox.discard([1])
        assert (outbox.waiting, outbox.dropped) == (0, 1)


def test_refuses_what_is_not_its_business(path: Path) -> None:
    """A retained state in the outbox would come back after newer ones: a mistake of the programmer."""
    with Outbox(path) as outbox, pytest.raises(ValueError, match="not meant for the outbox"):
        outbox.add(Message("monitord/home/status", "online", retain=True, qos=1, keep=Keep.LATEST))


@pytest.mark.parametrize(("keep", "flushed"), [(Keep.EVENT, "FULL"), (Keep.ALARM, "FULL"), (Keep.SEGMENT, "NORMAL")])
def test_events_wait_for_the_platter(path: Path, keep: Keep, flushed: str) -> None:
    """Events are committed with fsync, segments without: the promise of the module's first lines."""
    with Outbox(path) as outbox:
        said: dict[str, list[str]] = {"FULL": [], "NORMAL": []}
        for connection in (outbox._file._flushed, outbox._file._relaxed):
            assert connection is not None
            mode = {1: "NORMAL", 2: "FULL"}[connection.execute("PRAGMA synchronous").fetchone()[0]]
            connection.set_trace_callback(said[mode].append)
        outbox.add(message("a", keep))
        assert [mode for mode, statements in said.items() if any("INSERT" in one for one in statements)] == [flushed]
