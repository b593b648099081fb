"""Shards as a person runs them: one process each, on state directories as of different machines, and who has ears."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.daemon.daemon import crying_room, looped, quiet_room
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.mosquitto import Mosquitto, until

LOOK_S = 0.01
"""Between two looks at who has ears (seconds)."""


def ward_file(folder: Path, broker: Mosquitto, machine: str, **more: object) -> Path:
    """Writes the file of a ward of one shard with a crying and a quiet room, as machine `machine` has it."""
    folder.mkdir(parents=True, exist_ok=True)
    rooms = {
        "bed1": looped(crying_room(folder / "cry.wav", 0.5, 0.5)),
        "bed2": looped(quiet_room(folder / "quiet.wav")),
    }
    values: Mapping[str, object] = {
        "sites": {"north": {"name": "North wing", "shards": {"1": {"rooms": rooms}}}},
        "machines": {"alpha": {"cores": 2, "memory_gb": 4}, "beta": {"cores": 2, "memory_gb": 4}},
        "mqtt": {"host": "127.0.0.1", "port": broker.port},
        "state_dir": str(folder / machine),
        **more,
    }
    path = folder / f"{machine}.yaml"
    path.write_text(json.dumps(values, indent=1))
    return path


@dataclass
class ShardProcess:
    """`monitord ward shard north_1` on one machine."""

    ward: Path
    machine: str
    node: str = "north_1"
    actor: bool = False
    """Whether it stands by where another has the shard, as Ray has it, instead of ending."""

    def start(self) -> None:
        """Starts it."""
        by_hand = ("service", "ward", "shard", self.node, "--ward", str(self.ward), "--machine", self.machine)
        by_ray = ("tests.support.ward.played_actor", str(self.ward), self.node, self.machine)
        with self.ward.with_suffix(".log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *(by_ray if self.actor else by_hand)],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As a power cut does."""
        self.process.kill()
        self.process.wait(PATIENCE_S)

    def stop(self) -> int:
        """As a service manager does; returns the exit status."""
        self.process.terminate()
        return self.process.wait(PATIENCE_S)

    @property
    def log(self) -> str:
        """What it said so far."""
        return self.ward.with_suffix(".log").read_text()

    @property
    def ears(self) -> int:
        """How many processes that decode sound for it run now."""
        return ears_of(self.process.pid)


def ears_of(pid: int) -> int:
    """How many processes that decode sound run for this process; one that is frozen hears nothing."""
    return sum(_runs_decoder(child) for child in children_of(pid)) if not _frozen(pid) else 0


def children_of(pid: int) -> list[int]:
    """The processes that it has started, and that run."""
    found: list[int] = []
    with suppress(OSError):  # it may end while it is looked at, and so may each of its threads
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with suppress(OSError):
                found += [int(word) for word in task.read_text().split()]
    return found


def _runs_decoder(pid: int) -> bool:
    with suppress(OSError):
        return b"decoder_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


def _frozen(pid: int) -> bool:
    with suppress(OSError, IndexError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "TZ"
    return True


@dataclass
class Watch:
    """Looks at who has ears all the time."""

    shards: tuple[ShardProcess, ...]
    double_s: float = 0.0
    """For how long more than one had (seconds)."""
    heard_s: float = 0.0
    """For how long one had (seconds)."""
    paused: bool = False
    """Whether it looks away: while one that was frozen wakes up, and has to see that it may not hear."""
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `over`."""
        at = time.monotonic()
        while not self.over.wait(LOOK_S):
            hearing = sum(one.ears > 0 for one in self.shards if hasattr(one, "process"))
            now = time.monotonic()
            self.double_s += (now - at) * (hearing > 1 and not self.paused)
            self.heard_s += (now - at) * (hearing == 1)
            at = now


@contextmanager
def watched(*shards: ShardProcess) -> Iterator[Watch]:
    """Looks at these until the block is left, and ends them then."""
    watch = Watch(shards)
    thread = threading.Thread(target=watch.run, name="watch")
    thread.start()
    try:
        yield watch
    finally:
        watch.over.set()
        thread.join()
        for one in shards:
            if hasattr(one, "process") and one.process.poll() is None:
                one.process.send_signal(18)  # SIGCONT: it may be frozen
                one.kill()


def heard(shard: ShardProcess) -> None:
    """Waits until both rooms are heard there."""
    until(lambda: shard.ears == 2)
