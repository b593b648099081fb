"""Small documents that outlive a kill: whole or not at all, and a disk that refuses stops nobody."""

import json
import logging
import os
import stat
import time
from pathlib import Path

import pytest

from service.storage.documents import DocumentStore


def test_what_was_saved_is_loaded(tmp_path: Path) -> None:
    """By another process as well, from a folder that was made for it; documents do not mix."""
    store = DocumentStore(tmp_path / "new" / "folder")
    assert store.load("settings") == {}
    store.save("settings", {"nursery": {"threshold": 0.5, "name": "Käthe"}})
    store.save("proofs", {})
    assert store.fault == ""
    assert DocumentStore(tmp_path / "new" / "folder").load("settings") == {
        "nursery": {"threshold": 0.5, "name": "Käthe"}
    }
    assert store.load("proofs") == store.load("today") == {}


def test_the_last_one_counts(tmp_path: Path) -> None:
    """Also where it is shorter than the one before."""
    store = DocumentStore(tmp_path)
    store.save("settings", {"a": "x" * 1_000})
    store.save("settings", {"a": 1})
    assert DocumentStore(tmp_path).load("settings") == {"a": 1}


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"3", b"null", b"\xff\xfe{}", b'{"a": 1} {"b": 2}', b"[" * 99_999]
)
def test_what_is_no_document_is_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes) -> None:
    """Under another name, for a person to look at, and it is said where; a new one takes its place."""
    (tmp_path / "settings.json").write_bytes(content)
    store = DocumentStore(tmp_path)
    assert store.load("settings") == {}
    (aside,) = tmp_path.glob("settings.json.broken-*")
    assert aside.read_bytes() == content
    assert not (tmp_path / "settings.json").exists()
    assert f"set aside as {aside.name}" in caplog.text
    store.save("settings", {"a": 1})
    assert DocumentStore(tmp_path).load("settings") == {"a": 1}


def test_entries_that_make_no_sense_are_set_aside(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With the whole document, once, for a person to look at; the others are used, and kept."""
    spoilt = {"a": "1", "b": "x", "c": "y", "d": "2"}
    DocumentStore(tmp_path).save("numbers", spoilt)
    assert DocumentStore(tmp_path).entries("numbers", lambda _, value: int(value)) == {"a": 1, "d": 2}
    (aside,) = tmp_path.glob("numbers.json.broken-*")
    assert json.loads(aside.read_text()) == spoilt
    assert DocumentStore(tmp_path).load("numbers") == {"a": "1", "d": "2"}
    assert len(caplog.records) == 1
    assert "'b': invalid literal" in caplog.text


def test_what_cannot_even_be_set_aside_stops_nobody(tmp_path: Path) -> None:
    """A disk that refuses that too is a fault, and the house is heard all the same."""
    (tmp_path / "settings.json").write_text("{")
    for later_s in range(60):  # whenever it is tried
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() + later_s))
        (tmp_path / f"settings.json.broken-{stamp}" / "in the way").mkdir(parents=True)
    store = DocumentStore(tmp_path)
    assert store.load("settings") == {}
    assert "settings.json" in store.fault


def test_an_unchanged_document_is_not_written_again(tmp_path: Path) -> None:
    """An SD card lives as long as it is not written to."""
    store, path = DocumentStore(tmp_path), tmp_path / "settings.json"
    store.save("settings", {"a": 1})
    written = path.stat().st_mtime_ns, path.stat().st_ino
    store.save("settings", {"a": 1})
    again = DocumentStore(tmp_path)
    again.save("settings", again.load("settings"))
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == written
    store.save("settings", {"a": 2})
    assert path.stat().st_ino != written[1]


def test_a_write_that_was_cut_off_leaves_the_old_one(tmp_path: Path) -> None:
    """What a kill leaves behind is a file beside it, which the next write takes."""
    store = DocumentStore(tmp_path)
    store.save("settings", {"a": 1})
    (tmp_path / "settings.json.new").write_text('{"a": 2, "b"')
    assert DocumentStore(tmp_path).load("settings") == {"a": 1}
    store.save("settings", {"a": 3})
    assert DocumentStore(tmp_path).load("settings") == {"a": 3}
    assert [path.name for path in tmp_path.iterdir()] == ["settings.json"]


def test_a_disk_that_refuses_is_a_fault_until_it_takes_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is raised; it is said once, and again when the same document is taken."""
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    store = DocumentStore(folder)
    with caplog.at_level(logging.INFO):
        store.save("settings", {"a": 1})
        store.save("settings", {"a": 1})
        assert str(folder) in store.fault
        folder.unlink()
        store.save("settings", {"a": 1})
    assert store.fault == ""
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert DocumentStore(folder).load("settings") == {"a": 1}


def test_two_documents_that_are_refused_are_one_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said once, whichever of them changes."""
    folder = tmp_path / "state"
    folder.write_text("a file where the folder should be")
    store = DocumentStore(folder)
    for number in range(3):
        store.save("episodes", {"a": number})
        store.save("today", {"a": number})
    assert len(caplog.records) == 1


def test_going_back_to_what_lies_on_disk_is_no_fault(tmp_path: Path) -> None:
    """A refused change that is taken back: what is on disk is right again."""
    store = DocumentStore(tmp_path)
    store.save("settings", {"a": 1})
    (tmp_path / "settings.json.new").mkdir()
    store.save("settings", {"a": 2})
    assert store.fault
    store.save("settings", {"a": 1})
    assert store.fault == ""
    assert DocumentStore(tmp_path).load("settings") == {"a": 1}


def test_what_was_refused_is_written_as_soon_as_the_disk_takes_anything(tmp_path: Path) -> None:
    """A threshold that was moved while the disk was full is not lost with the next restart."""
    store = DocumentStore(tmp_path)
    store.save("settings", {"a": 1})
    (tmp_path / "settings.json.new").mkdir()
    store.save("settings", {"a": 2})
    store.save("today", {"b": 1})
    assert "settings.json" in store.fault
    assert DocumentStore(tmp_path).load("today") == {"b": 1}  # it does not wait for the other one
    (tmp_path / "settings.json.new").rmdir()
    store.save("today", {"b": 1})
    assert store.fault == ""
    assert [DocumentStore(tmp_path).load(name) for name in ("settings", "today")] == [{"a": 2}, {"b": 1}]


def test_a_document_is_on_the_platter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What outlives a power cut is synced: the new file before it takes its name, then the directory that names it."""
    synced: list[tuple[bool, bool]] = []
    fsync = os.fsync

    def note(number: int) -> None:
        fsync(number)
        synced.append((stat.S_ISDIR(os.fstat(number).st_mode), (tmp_path / "kept.json").exists()))

    monkeypatch.setattr(os, "fsync", note)
    DocumentStore(tmp_path).save("kept", {"a": 1})
    assert synced == [(False, False), (True, True)]
