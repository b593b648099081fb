"""A shard as an actor of Ray, without Ray: `python -m tests.support.ward.played_actor WARD NODE MACHINE`.

Ray's word alone is played: where this is, and that it was not started before.
"""

import signal
import sys
import threading

import pytest

from service.ward.actor import ShardActor


def main() -> None:
    """Until SIGTERM."""
    ward, node, machine = sys.argv[1:]
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    with pytest.MonkeyPatch.context() as ray:
        ray.setattr("service.ward.actor.machine_name", lambda: machine)
        ray.setattr("service.ward.actor.was_restarted", lambda: False)
        actor = ShardActor(ward, node)
        over.wait()
        actor.leave()


main()
