"""The daemon itself is broken: stuck, frozen, no network, no disk, no file descriptors, or a clock that jumps."""

import os
import resource
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.daemon.broken_daemon import BrokenDaemon
from tests.support.daemon.daemon import configure, crying_room, looped
from tests.support.faults.fault_feed import Feeds
from tests.support.faults.fault_matrix import ROOT, WELL, FaultSubscriber
from tests.support.servers.mosquitto import Mosquitto

pytestmark = pytest.mark.e2e


@contextmanager
def house(folder: Path, **more: object) -> Iterator[tuple[BrokenDaemon, FaultSubscriber, Feeds]]:
    """A daemon that hears a phone and a cot in which a child cries now and then; both are online."""
    feeds = Feeds("phone")
    sources = {
        "phone": {"stream": feeds.url("phone")},
        "cot": looped(crying_room(folder / "cry.wav", before_s=0.5, after_s=0.5)),
    }
    with (
        Mosquitto(folder / "broker") as broker,
        FaultSubscriber(broker) as subscriber,
        feeds.running(),
        BrokenDaemon(folder, "--config", configure(folder, broker, sources, **more)) as daemon,
    ):
        for source in sources:
            daemon.wait_for(lambda: status(subscriber, source) == "online", source)  # noqa: B023
        yield daemon, subscriber, feeds


def status(subscriber: FaultSubscriber, source: str) -> str | None:
    return subscriber.last(f"{ROOT}/{source}/status")


def test_a_network_that_fails_and_a_clock_that_jumps(tmp_path: Path) -> None:
    """Cries are told after the network failed as before, and whatever the clock says; no source is called broken."""
    with house(tmp_path) as (daemon, subscriber, _):
        daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
        daemon.breaks("network")
        daemon.wait_for(lambda: "running on a fresh one" in daemon.words, "the other network")
        for jump_s in (3600.0, -7200.0):
            daemon.breaks("clock", str(jump_s))
            told = len(daemon.segments())
            daemon.wait_for(lambda: len(daemon.segments()) > told, "more of it")  # noqa: B023
        for source in ("phone", "cot"):
            assert set(subscriber.faults_since_heard(source)) <= WELL
            assert set(subscriber.statuses_since_heard(source)) == {"online"}
        assert daemon.stop()[0] == 0


def test_a_stuck_worker_and_a_frozen_daemon(tmp_path: Path) -> None:
    """Both take every source offline in time: the first by the main thread, the second by the broker."""
    with house(tmp_path) as (daemon, subscriber, _):
        daemon.breaks("stuck")
        for source in ("phone", "cot"):
            daemon.wait_for(lambda: status(subscriber, source) == "offline", source)  # noqa: B023
            daemon.wait_for(lambda: subscriber.fault(source) == "stuck", f"the fault of {source}")  # noqa: B023
        os.kill(daemon.pid, signal.SIGSTOP)
        daemon.wait_for(lambda: subscriber.last(f"{ROOT}/status") == "offline", "the last will")
        daemon.mends("stuck")
        os.kill(daemon.pid, signal.SIGCONT)
        daemon.wait_for(lambda: subscriber.last(f"{ROOT}/status") == "online", "it woke up")
        for source in ("phone", "cot"):
            daemon.wait_for(lambda: status(subscriber, source) == "online" and subscriber.fault(source) in WELL, source)  # noqa: B023
            for told in subscriber.values(f"{ROOT}/{source}/health"):
                assert told["captured"] == told["lost"] + told["quiet"] + told["segmented"] + told["held"]
        assert daemon.events("started", "phone") == []  # what it gets at once then is a burst, no cry


def test_out_of_file_descriptors(tmp_path: Path) -> None:
    """A stream that hangs up cannot be opened again, and says why; the other goes on; with descriptors, both do."""
    with house(tmp_path) as (daemon, subscriber, feeds):
        daemon.wait_for(lambda: subscriber.last(f"{ROOT}/cot/spectrogram") is not None, "a first cry")
        before = resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, (1, before[1]))
        feeds.feeds["phone"].does = "gone"
        daemon.wait_for(lambda: status(subscriber, "phone") == "offline", "the loss")
        feeds.feeds["phone"].does = "room"
        daemon.wait_for(lambda: "open files" in daemon.words, "the reason")
        told = len(daemon.segments())
        daemon.wait_for(lambda: len(daemon.segments()) > told, "more cries beside it")
        assert (status(subscriber, "cot"), status(subscriber, "phone")) == ("online", "offline")
        resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE, before)
        daemon.wait_for(lambda: status(subscriber, "phone") == "online", "file descriptors")
        assert "a bug" not in daemon.words
        assert daemon.stop()[0] == 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() or mount("-t", "tmpfs", "-o", "size=512k", "none", str(folder)):
        pytest.skip("may not mount here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


def mount(*arguments: str) -> int:
    return subprocess.run(["mount", *arguments], check=False).returncode


def told_fault(subscriber: FaultSubscriber) -> str:
    """What the node itself says is wrong."""
    return str(subscriber.latest(f"{ROOT}/info").get("fault"))


def test_a_full_disk(tmp_path: Path, disk: Path) -> None:
    """Cries are still told on MQTT, the refusal is said aloud and so is its end, and nothing waits for room."""
    with house(tmp_path, state_dir=str(disk)) as (daemon, subscriber, _):
        with pytest.raises(OSError, match="No space"):
            (disk / "filler").write_bytes(bytes(1_000_000))
        told = len(subscriber.payloads(f"{ROOT}/cot/segment"))
        daemon.wait_for(lambda: len(subscriber.payloads(f"{ROOT}/cot/segment")) > told, "cries all the same")
        daemon.wait_for(lambda: told_fault(subscriber).startswith(f"the disk under {disk} is full"), "the refusal")
        assert f"the disk under {disk} is full" in daemon.words
        assert set(subscriber.faults_since_heard("cot")) <= WELL
        (disk / "filler").unlink()
        daemon.wait_for(lambda: told_fault(subscriber) == "", "the end of it")
        assert daemon.stop()[0] == 0


def test_a_disk_that_is_read_only_at_the_start(tmp_path: Path, disk: Path) -> None:
    """As after a power cut: rooms are heard and told, lines say that they are not durable until the disk takes them."""
    assert mount("-o", "remount,ro", str(disk)) == 0
    with house(tmp_path, state_dir=str(disk)) as (daemon, subscriber, _):
        daemon.wait_for(lambda: bool(daemon.segments() and daemon.events("started")), "a cry")
        assert all(line["durable"] is False for line in daemon.lines)
        daemon.wait_for(lambda: subscriber.payloads(f"{ROOT}/cot/event") != [], "the alarm")
        daemon.wait_for(lambda: told_fault(subscriber).startswith(f"the disk under {disk} is read-only"), "the refusal")
        assert f"the disk under {disk} is read-only" in daemon.words
        assert list(disk.iterdir()) == []
        assert mount("-o", "remount,rw", str(disk)) == 0
        daemon.wait_for(lambda: "durable" not in daemon.segments()[-1], "what is durable")
        daemon.wait_for(lambda: told_fault(subscriber) == "", "the end of it")
        assert daemon.stop()[0] == 0
