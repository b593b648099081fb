"""One shard as an actor of Ray: it waits instead of failing, says how it stands, and is never told a secret.

Its arguments are the path of the ward's file, which each machine has by itself, and the shard's name.
"""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Final

from monitord.errors import ConfigError, MonitordError
from service.mqtt.errors import ConnectionOverError
from service.terminal.screen import open_screen
from service.ward.host import CRASHED, ShardHost
from service.ward.settings import WardConfig, load_ward
from service.ward.standby import somebody_has, stand_by

RETRY_S: Final = 5.0
"""Between two attempts where a person must mend something first (seconds)."""
LOOK_S: Final = 1.0
"""Between two looks at the way to the broker (seconds)."""
SURE_S: Final = 2.0
"""Where another machine reaches the broker, for this one to reach it, too, before the shard is moved there (seconds):
after an outage it tries each second, and all shards would move for nothing."""
STOP_S: Final = 8.0
"""For a shard to leave and say so (seconds): its daemon takes 3, its last word 1."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Told:
    """How a shard stands."""

    machine: str
    version: str
    phase: str
    hearing: bool
    """Whether its daemon runs and hears every room that it should."""
    detail: str
    """What a person must mend; empty where that is nothing."""
    digest: str = ""
    """`WardConfig.digest` of what it runs with; empty until it has read its file."""
    heard: frozenset[str] = frozenset()
    """Rooms that it hears."""

    def hears(self, rooms: Collection[str]) -> bool:
        """Whether it hears all that it should; or these, and any at all."""
        return self.hearing or (bool(self.heard) and self.heard >= frozenset(rooms))


class ShardActor:
    """Hosts one shard until its process ends.

    A constructor that raises is final, also for an actor that is restarted for ever: so it opens nothing, and whatever
    is wrong is told by `told` and tried again.

    Args:
        ward: Path of the ward's file on every machine.
        node: Name of the shard.
    """

    def __init__(self, ward: str, node: str) -> None:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s  %(levelname)s: %(message)s")
        self._given, self._node, self._machine = Path(ward), node, os.uname().nodename
        self._stop = threading.Event()
        self._host: ShardHost | None = None
        self._detail = self._digest = ""
        self._thread = threading.Thread(target=_or_end, args=(self._live, node), name="shard", daemon=True)
        self._thread.start()
        threading.Thread(target=_or_end, args=(self._watch_way, node), name="way", daemon=True).start()

    def told(self) -> Told:
        """How it stands now."""
        host = self._host
        keeper, daemon = (None, None) if host is None else (host.keeper, host.daemon)
        rooms = [] if daemon is None else daemon.health().rooms
        return Told(
            machine=self._machine,
            version=version("monitord"),
            phase="standby" if keeper is None else keeper.fence.phase,
            hearing=bool(rooms) and all(room.heard for room in rooms if room.wanted),
            detail=("" if daemon is not None else self._detail) or ("" if keeper is None else keeper.detail),
            digest=self._digest,
            heard=frozenset(room.source for room in rooms if room.heard),
        )

    def leave(self) -> bool:
        """Closes the sources, says so, and hears no more; whether that was done in time."""
        self._stop.set()
        self._thread.join(STOP_S)
        return not self._thread.is_alive()

    def _watch_way(self) -> None:
        """Has another machine hear the shard where this one alone does not reach the broker."""
        while not self._stop.wait(LOOK_S):
            if self._cut_off():
                self._move_away()
                self._stop.wait(RETRY_S)

    def _cut_off(self) -> bool:
        host = self._host
        keeper = None if host is None else host.keeper
        return keeper is not None and keeper.cut_off

    def _move_away(self) -> None:
        """Moves to the first machine that reaches the broker and hears there; to none where this one reaches it, too.

        Where one reaches the broker and no room, the next is tried: else the shard would come back here, and go there
        again, for ever.
        """
        from ray.exceptions import RayError  # noqa: PLC0415 - only where a ward runs on it

        from service.ward.cluster import RayWard  # noqa: PLC0415 - which imports this file

        try:
            ward = RayWard(load_ward(self._given.expanduser()), self._given)
            for machine in ward.reaching(but=self._machine) if ward.is_oldest(self._node) else ():
                if self._stop.wait(SURE_S) or not self._cut_off():
                    return
                try:
                    ward.move(self._node, machine)
                except ConfigError as error:
                    _log.warning("%s: %s", self._node, error)
                else:
                    return
        except (MonitordError, RayError, RuntimeError, ValueError, OSError) as error:  # its head may be away, too
            _log.warning("%s: no other machine hears it yet: %s", self._node, error)

    # From here on: the shard's thread.

    def _live(self) -> None:
        self._machine, looks_first = machine_name(), was_restarted()
        while not self._stop.is_set():
            try:
                ward = load_ward(self._given.expanduser())
                if looks_first:
                    looks_first = False
                    self._yield_to_whoever_has_it(ward)
                    continue  # it may have been asked to stop by now, and the file may be a newer one
                self._host_once(ward)
                self._detail = ""
            except MonitordError as error:
                self._detail = str(error)
                _log.error("%s: %s", self._node, error)
                # Whoever had it before may have claimed it back by then: two that take it from each other, one of
                # which cannot hear, would leave its rooms unheard.
                looks_first = True
                self._stop.wait(RETRY_S)

    def _host_once(self, ward: WardConfig) -> None:
        config, self._digest = ward.config(self._node), ward.digest(self._node)
        screen, _ = open_screen({one.id: one.name for one in config.rooms}, json_lines=False)
        self._host = ShardHost(ward, self._node, machine=self._machine, screen=screen, stop=self._stop)
        try:
            end = self._host.run()
        finally:
            self._host = None
        if end == "crashed":
            os._exit(CRASHED)
        if end == "stopped" and not self._stop.is_set():
            _log.warning("%s: all its recordings are over", self._node)
            self._stop.set()
        if end == "lost":
            stand_by(ward, self._node, self._stop)

    def _yield_to_whoever_has_it(self, ward: WardConfig) -> None:
        """Another may have it: one that Ray cannot reach, or that took over while this one could not hear."""
        with contextlib.suppress(ConnectionOverError):
            if somebody_has(ward, self._node, self._stop):
                _log.info("%s: another process has it, so this one stands by", self._node)
                stand_by(ward, self._node, self._stop)


def _or_end(work: Callable[[], None], node: str) -> None:
    """Does it; a bug of any kind ends the process, not a thread in silence."""
    try:
        work()
    except BaseException:  # noqa: BLE001 - as said
        _log.exception("%s: a bug; the process ends, so that it is started anew", node)
        os._exit(CRASHED)


def was_restarted() -> bool:
    """Whether Ray started this actor before."""
    import ray  # noqa: PLC0415 - only where a ward runs on it

    return bool(ray.get_runtime_context().was_current_actor_reconstructed)


def machine_name() -> str:
    """Ray's name of the node that this process runs on."""
    import ray  # noqa: PLC0415 - only where a ward runs on it

    here = ray.get_runtime_context().get_node_id()
    return next((str(one["NodeName"]) for one in ray.nodes() if one["NodeID"] == here), os.uname().nodename)
