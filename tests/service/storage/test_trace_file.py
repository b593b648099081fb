"""The file of a trace: bounded, and a disk that refuses or hangs costs lines and nothing else."""

import json
import logging
import os
import time
from pathlib import Path

import pytest

from service.storage import trace_file
from service.storage.trace_file import QUEUE_LINES, TraceFile
from tests.support.patience import PATIENCE_S
from tests.support.sound.matching import wait_for


def numbers(path: Path) -> list[int]:
    """What stands in a file, of lines `{"number": n}`."""
    return [json.loads(line)["number"] for line in path.read_text().splitlines()]


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaving waits for the last lines, however slow the disk is."""
    monkeypatch.setattr(trace_file, "STOP_S", PATIENCE_S)


@pytest.mark.usefixtures("_patient")
def test_lines_are_appended(tmp_path: Path) -> None:
    """In their order, behind what an earlier run wrote."""
    path = tmp_path / "trace.jsonl"
    for first in (0, 10):
        with TraceFile(path) as file:
            for number in range(first, first + 10):
                file.write({"number": number})
    assert numbers(path) == list(range(20))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.usefixtures("_patient")
def test_it_is_bounded(tmp_path: Path) -> None:
    """At its bound it becomes the older part, in place of the one before; the newest lines are there without a hole."""
    path, older = tmp_path / "trace.jsonl", tmp_path / "trace.jsonl.1"
    with TraceFile(path, most_bytes=1_000) as file:
        for number in range(1_000):
            file.write({"number": number})
    assert sorted(tmp_path.iterdir()) == [path, older]
    assert max(path.stat().st_size, older.stat().st_size) <= 1_000
    kept = numbers(older) + numbers(path)
    assert kept == list(range(kept[0], 1_000))
    assert len(kept) > 50  # a full older part: 16 bytes and more a line


@pytest.mark.usefixtures("_patient")
def test_a_disk_that_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is said once, tried again, and what was lost meanwhile is counted in the file."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "away" / "trace.jsonl"
    with TraceFile(path, retry_s=0.05) as file:
        for number in range(5):
            file.write({"number": number})
            time.sleep(0.06)
        wait_for(lambda: "No such file or directory" in caplog.text, "the refusal")
        path.parent.mkdir()
        wait_for(lambda: file.write({"number": 5}) is None and path.exists(), "the file")
    first, *_ = (json.loads(line) for line in path.read_text().splitlines())
    assert first["kind"] == "lost"
    assert first["lines"] >= 5
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
@pytest.mark.usefixtures("_patient")
def test_a_full_disk(caplog: pytest.LogCaptureFixture) -> None:
    """Whoever writes never hears of it."""
    with TraceFile(Path("/dev/full"), retry_s=0.0) as file:
        for number in range(10):
            file.write({"number": number})
    assert "No space left on device" in caplog.text
    assert len(caplog.records) == 1


def test_a_disk_that_hangs(tmp_path: Path) -> None:
    """A pipe that nobody reads hangs the one who opens it: neither writing nor leaving waits for that."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with TraceFile(path) as file:
        for number in range(QUEUE_LINES + 100):
            file.write({"number": number})
    # Only now does somebody read: whoever waits for that never comes here.
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # lets its thread go on, and end
    time.sleep(0.2)
    os.close(reader)
