"""One daemon a directory, also where nothing can be written."""

import logging
import os
import subprocess
from pathlib import Path

import pytest

from monitord.errors import ConfigError
from service.storage.state_lock import LOCK, only_one


def test_it_is_made_and_held_and_free_again(tmp_path: Path) -> None:
    """A second one is told whose it is; after the first it may have it."""
    with only_one(tmp_path / "a" / "b"):
        with (
            pytest.raises(ConfigError, match=rf"another monitord \(process {os.getpid()}\)"),
            only_one(tmp_path / "a/b"),
        ):
            raise AssertionError
        with only_one(tmp_path / "another"):
            pass
    with only_one(tmp_path / "a" / "b"):
        pass


def test_a_file_that_cannot_be_written_is_no_way_round(tmp_path: Path) -> None:
    """The process id is words for a person; without it nobody else is let in either."""
    (tmp_path / LOCK).mkdir()
    with only_one(tmp_path), pytest.raises(ConfigError, match="process unknown"), only_one(tmp_path):
        raise AssertionError


def test_an_owner_that_is_gone_is_not_named(tmp_path: Path) -> None:
    """The disk did not take the number of the one that runs now."""
    with subprocess.Popen(["true"]) as child:
        pass
    with only_one(tmp_path):
        (tmp_path / LOCK).write_text(f"{child.pid}\n")
        with pytest.raises(ConfigError, match="process unknown"), only_one(tmp_path):
            raise AssertionError


def test_a_place_that_is_none_is_named(tmp_path: Path) -> None:
    """With the key to change."""
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(ConfigError, match=f"{path}.*state_dir"), only_one(path):
            raise AssertionError


def test_what_cannot_be_locked_is_said_and_heard_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A file system without locks, or no file descriptor left: a baby may cry."""

    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("fcntl.flock", refuse)
    with caplog.at_level(logging.WARNING), only_one(tmp_path):
        pass
    assert "Too many open files" in caplog.text
