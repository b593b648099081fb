"""Work on Ray, for what outgrows one machine: the parts of an archive, the folds and shards of a training.

Ray places tasks and does one again whose machine is lost. It is loaded by whoever calls this, and by nobody else.
"""

import logging
import os
import re
import secrets
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from types import ModuleType
from typing import Any, Final, TypeVar

from monitord.errors import ConfigError, MonitordError

Job = TypeVar("Job")

NO_TELEMETRY: Final = ("RAY_USAGE_STATS_ENABLED", "0")
"""Ray sends usage statistics home unless it is told not to."""
ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1"}
"""Of every task: more threads spin for the front end's small products, and take three times the time."""
PASSED_ON: Final = ("KERAS_BACKEND",)
"""What tasks take of our environment: another backend, another result."""
STORE_BYTES: Final = 80 * 2**20
"""Shared memory of a Ray of our own, which takes a third of the machine's otherwise: a little over the least that it
takes, for what tasks are handed and hand back is small."""
OWN: Final = "local"
"""Ray's name for one that it starts itself."""
AHEAD: Final = 2
"""Tasks that wait for each one at work: what a core does next is there when it is free, and no list of thousands."""

ANSWER_S: Final = 10.0
"""Longest wait for a cluster's port (seconds): a machine that is up takes it at once, however far it is."""
_NOT_FOUND: Final = "failed to import on the worker"
"""What Ray says where a machine has another checkout, or none."""
_TRACEBACK: Final = re.compile(r"Traceback .*?\n(?=\S)", re.DOTALL)
log = logging.getLogger(__name__)


def ray_tasks(work: Callable[[Job], object], jobs: Sequence[Job], workers: int | None = None) -> Generator[int]:
    """Does every job on one core each; yields the numbers of those that are done, as they end.

    `RAY_ADDRESS` says which cluster; without, or where it says `local`, Ray is started on this machine and ended with
    the last job.

    Args:
        work: Of a module that every machine has, so that it may be done twice: what it writes is written whole.
        jobs: Values that can be pickled.
        workers: At the same time, at most; None: as many as there are cores.

    Raises:
        ConfigError: Ray is not installed, no cluster answers, a machine of it lacks the module, or it gave a job up.
            A job's `MonitordError` comes out.
    """
    if not jobs:
        return
    ray = _started(workers)
    try:
        environment = ONE_THREAD | {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        remote = ray.remote(num_cpus=1, runtime_env={"env_vars": environment})(work)
        waiting = iter(enumerate(jobs))
        numbers: dict[Any, int] = {}  # Any: references, of a library without types
        while True:
            most = workers or AHEAD * int(ray.cluster_resources().get("CPU", 1))  # a cluster may grow
            while len(numbers) < most and (following := next(waiting, None)) is not None:
                numbers[remote.remote(following[1])] = following[0]
            if not numbers:
                return
            [done], _ = ray.wait(list(numbers))
            ray.get(done)
            yield numbers.pop(done)
    except ray.exceptions.RayTaskError as error:
        if isinstance(error.cause, MonitordError):
            raise error.cause from None
        if _NOT_FOUND in str(error.cause):
            why = str(error.cause).strip().splitlines()[-1]
            raise ConfigError(
                f"a machine of the cluster cannot load {work.__module__}: {why}; put the same checkout, with all"
                " that it needs, on every machine; what is finished stands"
            ) from None
        raise
    except ray.exceptions.RayError as error:
        raise ConfigError(f"Ray gave up: {error}; what is finished stands, and the same command goes on") from error
    finally:
        ray.shutdown()


def _started(workers: int | None) -> ModuleType:
    """Joins the cluster, or starts one on this machine."""
    address = os.environ.get("RAY_ADDRESS") or OWN
    where = "on this machine" if address == OWN else f"at RAY_ADDRESS={address}"
    own: dict[str, Any] = {}
    os.environ.setdefault(*NO_TELEMETRY)
    if address == OWN:
        own = {"address": OWN, "num_cpus": workers, "include_dashboard": False, "object_store_memory": STORE_BYTES}
        # Its ports are open to the network, and whoever may use them runs there what they like. Read on import.
        os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    try:
        import ray  # noqa: PLC0415 - 60 MB and a second, for whoever asks
    except ModuleNotFoundError:
        raise ConfigError(
            "--engine ray: needs Ray, which a plain installation has not; install monitord[ward], in the checkout:"
            f" {sys.executable} -m pip install --editable '.[ward]'"
        ) from None
    try:
        if match := re.search(r"([^/\[\]]+)\]?:(\d+)$", address):
            socket.create_connection((match[1], int(match[2])), ANSWER_S).close()  # Ray itself tries for minutes
        ray.init(log_to_driver=False, logging_level="error", **own)
    except (OSError, ValueError, RuntimeError, ray.exceptions.RayError) as error:
        said = [_TRACEBACK.sub("", str(one)) for one in (error, error.__cause__) if one is not None]
        raise ConfigError(f"no Ray {where}: {' '.join(': '.join(said).split())}") from error
    if not ray.cluster_resources().get("CPU"):
        log.warning("the Ray cluster has no core: nothing is done until a machine with some joins it")
    module: ModuleType = ray
    return module
