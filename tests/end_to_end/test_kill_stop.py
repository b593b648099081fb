"""A clean stop, whatever the broker does: the last segment and `ended` are told or kept, and the status is 0."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, looped, quiet_room, room, short_cry
from tests.support.daemon.invariants import Told
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until
from tests.support.sound.sounds import write_wav

pytestmark = pytest.mark.e2e


def crying(folder: Path, broker: Mosquitto) -> Daemon:
    """A daemon whose nursery cries without a pause, so that a stop always finds an open episode."""
    cries = write_wav(folder / "cry.wav", room(*[short_cry()] * 4))
    sources = {
        "nursery": looped(cries),
        "attic": looped(quiet_room(folder / "quiet.wav")),
    }
    return Daemon(folder, "--config", configure(folder, broker, sources))


def finish(folder: Path, broker: Mosquitto) -> None:
    """A next life, of a quiet house, that sends what the one before has kept."""
    sources = {"nursery": {"file": str(quiet_room(folder / "quiet.wav", 3.0))}}
    with Daemon(folder, "--config", configure(folder, broker, sources)) as daemon:
        assert daemon.ends() == 0, daemon.words


@pytest.mark.parametrize("away", ["hangs", "is gone"])
def test_a_stop_does_not_wait_for_the_broker(tmp_path: Path, broker: Mosquitto, away: str) -> None:
    """Without an answer from the broker it leaves with status 0; all it printed arrives from the next life."""
    with Subscriber(broker) as subscriber:
        with crying(tmp_path, broker) as daemon:
            daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
            daemon.wait_for(lambda: subscriber.last("monitord/home/attic/status") == "online", "the attic online")
            if away == "hangs":
                os.kill(broker.pid, signal.SIGSTOP)
            else:
                broker.terminate()
            before = len(daemon.segments())
            daemon.wait_for(lambda: len(daemon.segments()) > before, "a segment that the broker does not take")
            assert daemon.stop()[0] == 0, daemon.words  # while the broker is away
            assert len(daemon.events("ended")) == 1
            assert "Traceback" not in daemon.words
        if away == "hangs":
            os.kill(broker.pid, signal.SIGCONT)
        else:
            broker.start()
        finish(tmp_path, broker)
        told = Told(subscriber)
        until(lambda: not told.missing(daemon.lines))
        assert told.broken(daemon.lines) == []


def test_a_stop_flushes_the_open_sound(tmp_path: Path, broker: Mosquitto) -> None:
    """In the middle of a cry: its last segment, `ended`, each room offline, then the node, in this order."""
    with Subscriber(broker) as subscriber:
        flushed = False
        while not flushed:  # a stop between two sounds of the cry finds none open
            with crying(tmp_path, broker) as daemon:
                daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
                before = len(daemon.segments())
                code, _ = daemon.stop()
                assert code == 0, daemon.words
            flushed = len(daemon.segments()) > before
        until(lambda: subscriber.last("monitord/home/status") == "offline")
        assert daemon.lines[-1]["event_type"] == "ended"
        last = subscriber.latest("monitord/home/nursery/segment")
        assert last["id"] == daemon.segments()[-1]["id"]
        ended = subscriber.latest("monitord/home/nursery/event")
        assert (ended["event_type"], ended["cause"]) == ("ended", "stopped")
        topics = [heard.topic.removeprefix("monitord/home/") for heard in subscriber.heard]
        said = [topic for topic in topics if topic.endswith(("/event", "status"))][-4:]
        assert said == ["nursery/event", "nursery/status", "attic/status", "status"]
