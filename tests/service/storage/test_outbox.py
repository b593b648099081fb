"""The outbox: durable, ordered, bounded, counted."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.messages.message import Keep, Message
from service.storage.outbox import MAX_AGE_S, Outbox
from service.storage.outbox_database import Row
from tests.support.daemon.outbox_rows import message, payloads


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


def test_discarded_is_counted(path: Path) -> None:
    """What no broker will ever take is gone, and counted."""
    with Outbox(path) as outbox:
        outbox.add(message("a"))
        outbox.delete([], [1])
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
