"""`monitord status --alive` on a real daemon: what ails rooms, broker and file does not count."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.client.alive import print_alive
from tests.support.daemon.broken_daemon import BrokenDaemon
from tests.support.daemon.daemon import configure, crying_room, looped, monitord
from tests.support.servers.sockets import free_port

pytestmark = pytest.mark.e2e


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """A camera that is not there, a broker that is not there, and no page."""
    sources = {
        "cot": looped(crying_room(tmp_path / "cry.wav")),
        "attic": {"stream": f"rtsp://127.0.0.1:{free_port()}/live"},
    }
    return configure(tmp_path, None, sources, mqtt={"host": "127.0.0.1", "port": free_port()})


@pytest.fixture
def daemon(tmp_path: Path, configuration: Path) -> Iterator[BrokenDaemon]:
    """One that hears one room and misses all the rest."""
    with BrokenDaemon(tmp_path, "--config", configuration) as running:
        running.wait_for(lambda: bool(running.events("started")), "a cry")
        yield running


def test_lives_though_a_room_and_the_broker_are_dead_and_the_file_is_broken(
    daemon: BrokenDaemon, configuration: Path
) -> None:
    """`status` says no and `status --alive` yes, also where the file is broken; once it has ended, nobody answers."""
    assert monitord("status", "--config", configuration).returncode == 1
    configuration.write_text("sources: [")
    done = monitord("status", "--alive", "--config", configuration)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("alive; the worker moved ")
    daemon.stop()
    done = monitord("status", "--alive", "--config", configuration)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"none that was started with --config {configuration} runs here" in done.stderr


def test_a_stuck_worker_is_not_alive_until_the_daemon_has_begun_anew(
    daemon: BrokenDaemon, configuration: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The main thread tells it; then it ends the worker with all the rest, and what begins anew is alive."""
    daemon.breaks("stuck")
    daemon.wait_for(lambda: print_alive(configuration) == 1, "the word that it is stuck")
    assert "its worker has not moved for" in capsys.readouterr().err
    daemon.wait_for(lambda: print_alive(configuration) == 0, "the new start")
    assert "the worker is stuck" in daemon.words


def test_a_frozen_daemon_is_not_alive(daemon: BrokenDaemon, configuration: Path) -> None:
    """Nobody answers while the whole process stands still; once it goes on, it does."""
    os.kill(daemon.pid, signal.SIGSTOP)
    done = monitord("status", "--alive", "--config", configuration)
    assert done.returncode == 1
    assert "does not answer" in done.stderr
    os.kill(daemon.pid, signal.SIGCONT)
    daemon.wait_for(lambda: print_alive(configuration) == 0, "that it goes on")
