"""A ward of one shard on Ray: a head and three machines, simulated on this one, and every fault that may come.

Each machine is a raylet with a home directory of its own, in which its `ward.yaml` lies, and a way of its own to the
broker. Who hears is seen from outside: by the processes that decode sound.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from service.ward.actor import Told
from service.ward.cluster import RayWard, connected_to_ray
from service.ward.settings import load_ward
from tests.support.paths import ROOT
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.ward.proxy import Way
from tests.support.ward.ray_environment import ray_environment
from tests.support.ward.shards import children_of, ears_of, ward_file

MACHINES: Final = ("alpha", "beta", "gamma")
NODE: Final = "north_1"
LOOK_S: Final = 0.02
"""Between two looks at who has ears (seconds)."""
SEARCH_S: Final = 0.3
"""Between two searches for processes that may have (seconds): a shard takes longer to start."""


@dataclass
class Ears:
    """Looks all the time at how many processes hear the shard."""

    double_s: float = 0.0
    """For how long more than one did (seconds)."""
    silent_s: float = 0.0
    """For how long none did (seconds)."""
    silent_at: float | None = None
    """When that began first (monotonic seconds); None: never, since either was set anew."""
    paused: bool = False
    """Whether it looks away: while a machine that was frozen wakes up, and has to see that it may not hear."""
    now: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Until `over`."""
        at = searched = time.monotonic()
        pids = _shards()
        while not self.over.wait(LOOK_S):
            if time.monotonic() - searched > SEARCH_S:
                pids, searched = _shards(), time.monotonic()
            self.now, now = sum(ears_of(pid) > 0 for pid in pids), time.monotonic()
            self.double_s += (now - at) * (self.now > 1 and not self.paused)
            if not self.now:
                self.silent_s += now - at
                self.silent_at = self.silent_at or now
            at = now


def _shards() -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if path.read_bytes().startswith(b"ray::ShardActor"):
                found.append(int(path.parent.name))
    return found


@dataclass
class RayLab:
    """The cluster while it runs, and the faults. `ward` is what a person commands."""

    folder: Path
    broker: Mosquitto
    subscriber: Subscriber
    cluster: Any
    """`ray.cluster_utils.Cluster`. Any: Ray ships no types of it."""
    ward: RayWard
    ears: Ears
    ways: dict[str, Way]
    nodes: dict[str, Any]

    def told(self) -> Told | None:
        """What the shard says; None where it says nothing."""
        shard = self.ward.running().get(NODE)
        return None if shard is None else shard.told()

    def heard(self, machine: str | None = None, *, but: str | None = None) -> str:
        """Waits until all rooms are heard, by one process; there, or anywhere but there. Returns where."""
        while True:
            told = self.told()
            if told is not None and told.hearing and machine in (None, told.machine) and told.machine != but:
                return told.machine
            time.sleep(LOOK_S)

    def at(self, machine: str) -> None:
        """Sees to it that it is heard there, and that all machines are."""
        for name in MACHINES:
            if name not in self.nodes:
                self.add(name)
        until(lambda: set(MACHINES) <= set(self.ward.machines()))
        if (told := self.told()) is None or told.machine != machine or not told.hearing:
            self.ward.move(NODE, machine)
        self.heard(machine)

    def add(self, name: str) -> None:
        """A machine comes."""
        home = self.folder / name
        self.nodes[name] = self.cluster.add_node(
            num_cpus=2,
            node_name=name,
            object_store_memory=80_000_000,
            env_vars={"HOME": str(home), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        )

    @staticmethod
    def hearing() -> list[int]:
        """Process ids of those that hear now."""
        return [pid for pid in _shards() if ears_of(pid)]

    # Faults.

    def shard_pid(self) -> int:
        """Of the process that hears, once one does."""
        while not (pids := self.hearing()):
            time.sleep(LOOK_S)
        return pids[0]

    def kill_shard(self) -> None:
        """As the kernel does when memory is short."""
        os.kill(self.shard_pid(), signal.SIGKILL)

    def kill_machine(self, name: str) -> None:
        """As a power cut does."""
        self.cluster.remove_node(self.nodes.pop(name), allow_graceful=False)

    def freeze(self, name: str) -> list[int]:
        """Every process of a machine stands still; returns them."""
        raylet = self.raylet(name)
        family = [raylet, *_descendants(raylet)]
        for pid in family:
            self.signal(pid, signal.SIGSTOP)
        return family

    def thaw(self, family: list[int]) -> None:
        """They go on."""
        for pid in family:
            self.signal(pid, signal.SIGCONT)

    @staticmethod
    def signal(pid: int, number: int) -> None:
        """Sends a signal to a process, if it is there."""
        with suppress(ProcessLookupError):
            os.kill(pid, number)

    def raylet(self, name: str) -> int:
        """Process id of the one that speaks for a machine."""
        [info] = self.nodes[name].all_processes["raylet"]
        return int(info.process.pid)

    @contextmanager
    def full(self, name: str) -> Iterator[None]:
        """Other work takes all cores of a machine meanwhile."""
        import ray  # noqa: PLC0415 - as below
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        there = NodeAffinitySchedulingStrategy(self.ward.machines()[name], soft=False)
        work: Any = ray.remote(threading.Event).options(num_cpus=2, scheduling_strategy=there).remote()
        ray.get(work.is_set.remote())
        try:
            yield
        finally:
            ray.kill(work)

    def forget(self, name: str) -> None:
        """Ends what is left of a machine that the cluster has given up."""
        self.cluster.remove_node(self.nodes.pop(name), allow_graceful=False)

    def restart_broker(self, *, persistence: bool) -> None:
        """As a service manager does, with what it kept or without."""
        self.broker.terminate()
        if not persistence:
            (self.broker.directory / "mosquitto.db").unlink(missing_ok=True)
        self.broker.start()

    def restart_head(self) -> None:
        """What knows of all actors and machines dies, and comes back with what is on its disk."""
        head = self.cluster.head_node
        head.kill_gcs_server()
        time.sleep(3.0)  # as long as a person or a service manager takes
        head.start_gcs_server()


def _descendants(pid: int) -> list[int]:
    return [one for child in children_of(pid) for one in (child, *_descendants(child))]


@contextmanager
def ray_lab(folder: Path) -> Iterator[RayLab]:
    """Starts all of it, with the shard heard on the first machine; ends all of it."""
    with (
        ray_environment(folder),
        Mosquitto(folder / "broker", options=("sys_interval 1",)) as broker,
        Subscriber(broker) as subscriber,
    ):
        from ray.cluster_utils import Cluster  # noqa: PLC0415 - reads the environment when it is imported

        ways = {name: Way(broker.port) for name in MACHINES}
        for name, way in ways.items():
            mqtt = {"host": "127.0.0.1", "port": way.port}
            machines = {one: {"cores": 2, "memory_gb": 4} for one in MACHINES}
            more = {"mqtt": mqtt, "machines": machines, "state_dir": "~/state"}
            ward_file(folder / name, broker, name, **more).rename(folder / name / "ward.yaml")
        ears = Ears()
        looking = threading.Thread(target=ears.run, name="ears")
        head = {"num_cpus": 0, "node_name": "head", "include_dashboard": False, "object_store_memory": 80_000_000}
        cluster = Cluster(initialize_head=True, head_node_args=head)
        try:
            ward = RayWard(load_ward(folder / "alpha" / "ward.yaml"), Path("~/ward.yaml"))
            lab = RayLab(folder, broker, subscriber, cluster, ward, ears, ways, {})
            for way in ways.values():
                way.__enter__()
            for name in MACHINES:
                lab.add(name)
            looking.start()
            with connected_to_ray(cluster.address):
                list(ward.up())
                lab.at(MACHINES[0])
                yield lab
        finally:
            ears.over.set()
            cluster.shutdown()
            for way in ways.values():
                way.__exit__()
