"""The sign of life: who is answered with what, and when nobody is."""

import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from service.client.alive import print_alive
from service.health.sign_of_life import ASKERS, SignOfLife, address_of

NOBODY = 65_534
"""A user without rights, on every Debian."""


def test_an_answer_is_how_long_the_worker_has_not_moved(tmp_path: Path) -> None:
    """All who wait are answered at one look, the same."""
    path = tmp_path / "monitord.yaml"
    with SignOfLife(path) as sign:
        askers = [socket.socket(socket.AF_UNIX) for _ in range(ASKERS)]
        for asker in askers:
            asker.connect(address_of(path))
        sign.answer(time.monotonic() - 1000.0)
        for asker in askers:
            with asker:
                assert float(asker.recv(32)) >= 1000.0


def test_whoever_has_gone_away_is_no_harm(tmp_path: Path) -> None:
    """An asker that hung up, and none at all."""
    path = tmp_path / "monitord.yaml"
    with SignOfLife(path) as sign:
        sign.answer(0.0)
        with socket.socket(socket.AF_UNIX) as asker:
            asker.connect(address_of(path))
        sign.answer(0.0)


def test_each_daemon_has_a_name_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By folder, by file, and without a file by the state directory; a relative path is the same file."""
    (tmp_path / "other").mkdir()
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "other" / "a.yaml"]
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "monitord").mkdir()
    names = {address_of(path) for path in (*paths, None)}
    assert len(names) == 4
    monkeypatch.chdir(tmp_path)
    assert address_of(Path("a.yaml")) in names


def test_a_name_that_is_taken_is_said_and_nobody_is_answered(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is no reason not to hear."""
    path = tmp_path / "monitord.yaml"
    with SignOfLife(path), SignOfLife(path) as second:
        second.answer(0.0)
    assert "cannot be answered (Address already in use)" in caplog.text


def test_where_there_is_no_folder_nobody_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that is gone is said like a daemon that is gone."""
    assert print_alive(tmp_path / "gone" / "monitord.yaml") == 1
    assert "runs here" in capsys.readouterr().err


def test_a_folder_that_is_a_file_is_said_like_a_daemon_that_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A path that was mistyped is no daemon that hangs."""
    (tmp_path / "file").touch()
    assert print_alive(tmp_path / "file" / "config" / "monitord.yaml") == 1
    assert "runs here" in capsys.readouterr().err


def test_a_folder_that_this_user_cannot_see_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is known of the daemon, and nothing is said of it."""
    hidden, us = tmp_path / "hidden", os.geteuid()
    (hidden / "config").mkdir(parents=True)
    hidden.chmod(0o000)
    try:
        os.seteuid(us or NOBODY)  # root sees everything
        assert print_alive(hidden / "config" / "monitord.yaml") == 1
    finally:
        os.seteuid(us)
        hidden.chmod(0o700)
    assert f"cannot look at {hidden / 'config'} (Permission denied)" in capsys.readouterr().err


def test_without_a_configuration_it_is_known_by_its_state_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that was started without a file is asked without one, and answers for no other."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    (tmp_path / "monitord").mkdir()
    with SignOfLife(None) as sign, ThreadPoolExecutor() as pool:
        asked = pool.submit(print_alive, None)
        while not asked.done():
            sign.answer(time.monotonic())
        assert asked.result() == 0
        assert print_alive(tmp_path / "monitord" / "monitord.yaml") == 1
    assert capsys.readouterr().out == "alive; the worker moved 0.0 s ago\n"
