"""A ward on Ray: which shard runs where, started, moved and looked at. Ray places and restarts; the fence keeps apart.

Shards are detached actors: they outlive whoever started them, and Ray starts them anew for ever, on another machine
where theirs is gone.
"""

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from monitord.errors import ConfigError
from service.ward.actor import STOP_S, ShardActor, Told
from service.ward.broker import reaches_broker
from service.ward.check import Load
from service.ward.settings import WardConfig

NAMESPACE: Final = "monitord"
"""Of our actors."""
HEARD_S: Final = 60.0
"""Longest wait for a shard to be heard where it was moved to (seconds): a start takes 2, on a small machine 20."""
PROBE_S: Final = 20.0
"""Longest wait for a machine's word on whether it reaches the broker (seconds): 5 to connect, 10 for its rights."""
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
        """Every shard that Ray has, by name; of several generations the newest."""
        return {node: ones[-1] for node, ones in self._actors().items()}

    def _actors(self) -> dict[str, list[Running]]:
        """All generations by shard, the oldest first: whoever moved it may have died before the last one was ended."""
        import ray  # noqa: PLC0415

        found: dict[str, list[Running]] = {}
        for name in ray.util.list_named_actors():
            node, _, number = name.rpartition("#")
            if number.isdecimal():
                with contextlib.suppress(ValueError):  # it ended meanwhile
                    found.setdefault(node, []).append(Running(node, int(number), ray.get_actor(name)))
        return {node: sorted(ones, key=lambda one: one.generation) for node, ones in found.items()}

    def up(self) -> Iterator[str]:
        """Makes it run as the file says: starts what does not run, ends what is in the file no more.

        And moves, one by one, what runs in another version or by another file to a new process on its machine. Says
        what it does, and what a person must mend.

        Raises:
            ConfigError: No machine is there, or shards are not heard where they were moved to; all else is done.
        """
        actors = self._actors()
        told = {node: ones[-1].told() for node, ones in actors.items()}
        for node in actors.keys() - self.ward.shards.keys():
            for one in actors[node]:
                _end(one)
            yield f"{node}: ended, it is in the file no more"
        machines = {node: one.machine for node, one in told.items() if one is not None and node in self.ward.shards}
        for node in (one for one in self.ward.shards if one not in actors):
            machine = machines[node] = self.freest(machines)
            self._start(node, 1, machine)
            yield f"{node}: started on {machine}"
        wrong = []
        for node in (one for one in self.ward.shards if one in actors):
            try:
                yield from self._renew(node, actors[node], told[node])
            except ConfigError as error:
                wrong.append(str(error))
        if wrong:
            raise ConfigError("\n".join(wrong))

    def _renew(self, node: str, actors: Sequence[Running], told: Told | None) -> Iterator[str]:
        if told is None or told.detail:
            yield f"{node}: {_why(told)}"
        if told is None:
            return
        for one in actors[:-1] if told.hearing else ():
            _end(one)
            yield f"{node}: a process of it that was left over is ended"
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

    def is_oldest(self, node: str) -> bool:
        """Whether no process of the shard is older than this one: a newer one is there because an older one moves."""
        import ray  # noqa: PLC0415

        name = ray.get_runtime_context().get_actor_name()
        return name in {f"{node}#{one.generation}" for one in self._actors().get(node, [])[:1]}

    def reaching(self, but: str) -> Iterator[str]:
        """Asks all machines of the file at once, and yields those that reach the broker, as they say so.

        Args:
            but: The machine that is not asked.
        """
        import ray  # noqa: PLC0415

        others = self.ward.machines.keys() - {but}
        asked = {self._ask(place): one for one, place in self.machines().items() if one in others}
        until = time.monotonic() + PROBE_S
        while asked:
            answered, _ = ray.wait(list(asked), timeout=max(0.0, until - time.monotonic()))
            if not answered:
                return
            machine = asked.pop(answered[0])
            reaches = False
            with contextlib.suppress(ray.exceptions.RayError):  # it is gone
                reaches = ray.get(answered[0])
            if reaches:
                yield machine

    def _ask(self, place: str) -> Any:  # noqa: ANN401 - Ray's reference
        """Asks a machine, by Ray's id of it, whether it reaches the broker."""
        import ray  # noqa: PLC0415
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy  # noqa: PLC0415

        there = NodeAffinitySchedulingStrategy(place, soft=False)
        ask: Any = ray.remote(reaches_broker)
        return ask.options(num_cpus=0, scheduling_strategy=there, max_retries=0).remote(self.path)

    def move(self, node: str, machine: str | None = None) -> str:
        """Moves a shard to this machine, or to the one that has most to spare; returns where it is heard.

        The new one is started first, and the old one hears until the new one claims. Where the new one does not hear in
        time what the old one heard it is taken away, and the old one, which stands by, claims again.

        Raises:
            ConfigError: There is no such shard or machine, or it is not heard there.
        """
        if node not in self.ward.shards:
            raise ConfigError(f"there is no shard {node!r}; there are {', '.join(self.ward.shards)}")
        actors = self._actors()
        here = {one: ones[-1].told() for one, ones in actors.items() if one in self.ward.shards}
        others = {one: told.machine for one, told in here.items() if one != node and told is not None}
        machine = machine or self.freest(others)
        old, before = actors.get(node, []), here.get(node)
        new = self._start(node, old[-1].generation + 1 if old else 1, machine)
        try:
            told = self._heard(new, machine, getattr(before, "heard", frozenset()))  # version 0.1.0 does not say
        except BaseException:  # also Ctrl-C: else there would be two from then on
            _end(new)
            raise
        for one in reversed(old):  # last the oldest, which may be this very process
            _end(one)
        return told.machine

    def _heard(self, new: Running, machine: str, before: frozenset[str]) -> Told:
        """Waits until the new one hears what was heard before: a camera that is off must not keep it where it is."""
        rooms = self.ward.shards[new.node].rooms
        until = time.monotonic() + HEARD_S
        while (told := new.told()) is None or not told.hears(before.intersection(rooms)):
            if time.monotonic() > until:
                deaf = ", ".join(name for room, name in rooms.items() if told is None or room not in told.heard)
                raise ConfigError(f"{new.node}: not heard on {machine} in {HEARD_S:.0f} s: {_why(told) or deaf}")
            time.sleep(LOOK_S)
        return told

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
        options = actor.options(
            name=f"{node}#{generation}",
            namespace=NAMESPACE,
            lifetime="detached",
            max_restarts=-1,
            max_concurrency=4,  # `told` answers while `leave` waits
            num_cpus=round(self._cores(node), 3),
            # Soft: where this machine is gone, another one does.
            scheduling_strategy=NodeAffinitySchedulingStrategy(there[machine], soft=True),
        )
        try:
            handle = options.remote(self.path, node)
        except ValueError as error:  # the name is taken
            raise ConfigError(f"{node}: somebody else moves or starts it in this moment; try again") from error
        return Running(node, generation, handle)


def _why(told: Told | None) -> str:
    if told is None:
        return "its process does not answer; Ray has not started it, or no machine has the cores that it takes"
    return told.detail and f"{told.machine}: {told.detail}"


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
