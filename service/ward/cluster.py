"""A ward on Ray: which shard runs where, started, moved and looked at. Ray places and restarts; the fence keeps apart.

Shards are detached actors: they outlive whoever started them, and Ray starts them anew for ever, on another machine
where theirs is gone.
"""

import contextlib
import os
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError, MonitordError
from service.mqtt.errors import ConnectionOverError
from service.ward.actor import STOP_S, ShardActor, Told
from service.ward.broker import connected
from service.ward.check import Load
from service.ward.settings import WardConfig, load_ward

NAMESPACE: Final = "monitord"
"""Of our actors."""
HEARD_S: Final = 60.0
"""Longest wait for a shard to be heard where it was moved to (seconds): a start takes 2, on a small machine 20."""
PROBE_S: Final = 20.0
"""Longest wait for a machine's word on whether it reaches the broker (seconds): of them 5 to connect."""
ANSWER_S: Final = 3.0
"""Longest wait for a shard's word (seconds)."""
LOOK_S: Final = 0.2
"""Between two looks (seconds)."""


@dataclass(frozen=True, slots=True)
class Running:
    """A shard that Ray has."""

    node: str
    generation: int
    """Counts its actors: the next is there before the last one goes."""
    handle: Any
    """Ray's. Any: Ray's types know nothing of ours."""

    def told(self) -> Told | None:
        """How it stands; None where it does not answer."""
        import ray  # noqa: PLC0415 - only where a ward runs on it

        try:
            told: Told = ray.get(self.handle.told.remote(), timeout=ANSWER_S)
        except (ray.exceptions.RayError, TimeoutError):
            return None
        return told


class RayWard:
    """A ward on the cluster that this process is connected to, by `connected_to_ray`.

    Args:
        ward: What the operator decided.
        path: Of its file, the same on every machine; from `~` it is seen from whoever runs Ray there.
    """

    def __init__(self, ward: WardConfig, path: Path) -> None:
        self.ward, self.path = ward, str(path if path.parts[:1] == ("~",) else path.absolute())

    def running(self) -> dict[str, Running]:
        """Every shard that Ray has, by name; of two generations the newer."""
        import ray  # noqa: PLC0415

        found: dict[str, Running] = {}
        for name in ray.util.list_named_actors():
            node, _, number = name.rpartition("#")
            if number.isdecimal() and (node not in found or int(number) > found[node].generation):
                with contextlib.suppress(ValueError):  # it ended meanwhile
                    found[node] = Running(node, int(number), ray.get_actor(name))
        return found

    def up(self) -> Iterator[str]:
        """Makes it run as the file says: starts what does not run, ends what is in the file no more.

        And moves, one by one, what runs in another version or by another file to a new process on its machine. Says
        what it does.

        Raises:
            ConfigError: A machine is missing, or a shard is not heard where it was moved to.
        """
        here = self.running()
        machines = {node: told.machine for node, one in here.items() if (told := one.told()) is not None}
        for node in here.keys() - self.ward.shards.keys():
            _end(here[node])
            yield f"{node}: ended, it is in the file no more"
        for node in self.ward.shards:
            if node not in here:
                machine = self.freest(machines)
                machines[node] = machine
                self._start(node, 1, machine)
                yield f"{node}: started on {machine}"
            elif (told := here[node].told()) is not None:
                yield from self._renew(node, told)

    def _renew(self, node: str, told: Told) -> Iterator[str]:
        ours, digest = version("monitord"), self.ward.digest(node)
        if told.version != ours:
            self.move(node, told.machine)
            yield f"{node}: {told.version} became {ours} on {told.machine}"
        elif told.digest not in {digest, ""}:
            self.move(node, told.machine)
            yield f"{node}: began anew on {told.machine}, by the file as it is now"
            now = self.running()[node].told()
            if now is not None and now.digest != digest:
                yield f"{node}: the file on {told.machine} is another one than here"

    def replace(self, node: str, but: str) -> None:
        """Moves a shard to the machine that first says that it reaches the broker; nowhere if none does.

        Args:
            node: Name of the shard.
            but: The machine that does not reach it.

        Raises:
            ConfigError: It is not heard there.
        """
        import ray  # noqa: PLC0415

        asked = {self._ask(place): name for name, place in self.machines().items() if name in self._others(but)}
        until = time.monotonic() + PROBE_S
        while asked:
            answered, _ = ray.wait(list(asked), timeout=max(0.0, until - time.monotonic()))
            if not answered:
                return
            machine = asked.pop(answered[0])
            with contextlib.suppress(ray.exceptions.RayError):
                if ray.get(answered[0]):
                    self.move(node, machine)
                    return

    def _others(self, but: str) -> Collection[str]:
        return self.ward.machines.keys() - {but}

    def _ask(self, place: str) -> Any:  # noqa: ANN401 - Ray's reference
        """Asks a machine, by Ray's id of it, whether it reaches the broker."""
        import ray  # noqa: PLC0415
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        there = NodeAffinitySchedulingStrategy(place, soft=False)
        ask: Any = ray.remote(reaches_broker)
        return ask.options(num_cpus=0, scheduling_strategy=there, max_retries=0).remote(self.path)

    def move(self, node: str, machine: str | None = None) -> str:
        """Moves a shard to this machine, or to the one that has most to spare; returns which.

        The new one is started first, and the old one hears until the new one claims. Where the new one is not heard
        in time it is taken away, and the old one, which stands by, claims again.

        Raises:
            ConfigError: There is no such shard or machine, or it is not heard there.
        """
        if node not in self.ward.shards:
            raise ConfigError(f"there is no shard {node!r}; there are {', '.join(self.ward.shards)}")
        here = self.running()
        old = here.get(node)
        others = {one: told.machine for one, run in here.items() if one != node and (told := run.told()) is not None}
        machine = machine or self.freest(others)
        new = self._start(node, 1 if old is None else old.generation + 1, machine)
        until = time.monotonic() + HEARD_S
        while (told := new.told()) is None or not told.hearing:
            if time.monotonic() > until:
                _end(new)
                detail = "" if told is None else told.detail
                raise ConfigError(f"{node}: not heard on {machine} in {HEARD_S:.0f} s{detail and ': '}{detail}")
            time.sleep(LOOK_S)
        if old is not None:
            _end(old)
        return machine

    def freest(self, machines: Mapping[str, str]) -> str:
        """The machine that has the most cores to spare for each that it has.

        Args:
            machines: By shard: where it runs.

        Raises:
            ConfigError: No machine of the file is there.
        """
        there = self.machines()
        spare = {
            name: 1 - sum(self._cores(node) for node, where in machines.items() if where == name) / one.cores
            for name, one in self.ward.machines.items()
            if name in there
        }
        if not spare:
            raise ConfigError(
                f"none of the machines {', '.join(self.ward.machines)} is there; Ray has"
                f" {', '.join(there) or 'none'}: start it with --node-name as in the file"
            )
        return max(spare, key=lambda name: spare[name])

    def machines(self) -> dict[str, str]:
        """Ray's id of each machine that is there, by name."""
        import ray  # noqa: PLC0415

        return {one["NodeName"]: one["NodeID"] for one in ray.nodes() if one["Alive"]}

    def _cores(self, node: str) -> float:
        return Load.of(1, len(self.ward.shards[node].config.rooms)).cores

    def _start(self, node: str, generation: int, machine: str) -> Running:
        import ray  # noqa: PLC0415
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        there = self.machines()
        if machine not in there:
            raise ConfigError(f"there is no machine {machine!r}; Ray has {', '.join(there)}")
        actor: Any = ray.remote(ShardActor)
        handle = actor.options(
            name=f"{node}#{generation}",
            namespace=NAMESPACE,
            lifetime="detached",
            max_restarts=-1,
            max_concurrency=4,  # `told` answers while `leave` waits
            num_cpus=round(self._cores(node), 3),
            # Soft: where this machine is gone, another one does.
            scheduling_strategy=NodeAffinitySchedulingStrategy(there[machine], soft=True),
        ).remote(self.path, node)
        return Running(node, generation, handle)


def reaches_broker(path: str) -> bool:
    """Whether the machine on which this runs reaches the broker of this ward's file."""
    try:
        with connected(load_ward(Path(path).expanduser()).mqtt):
            return True
    except (ConnectionOverError, MonitordError):
        return False


@contextmanager
def connected_to_ray(address: str) -> Iterator[None]:
    """Connects to the cluster while the block lasts.

    Raises:
        ConfigError: Ray is not installed, there is no cluster, or whoever reaches its port could run what he likes.
    """
    try:
        import ray  # noqa: PLC0415
    except ImportError as error:
        raise ConfigError("Ray is not installed here: install monitord with its extra `ward`") from error
    if os.environ.get("RAY_AUTH_MODE") != "token":
        raise ConfigError(
            "whoever reaches a port of Ray may run programs on every machine of it: set RAY_AUTH_MODE=token there and"
            " here, as in deploy/ward.env"
        )
    try:
        ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level="error")
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(f"no Ray at {address} ({error}); start it as docs/developers/ward.md says") from error
    try:
        yield
    finally:
        ray.shutdown()


def _end(one: Running) -> None:
    """Has it leave, and ends it for good."""
    import ray  # noqa: PLC0415

    with contextlib.suppress(ray.exceptions.RayError, TimeoutError):
        ray.get(one.handle.leave.remote(), timeout=STOP_S + ANSWER_S)
    ray.kill(one.handle, no_restart=True)
