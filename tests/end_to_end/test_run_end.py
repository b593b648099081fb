"""How the daemon leaves: asked, asked twice, killed; and what outlives it."""

import signal
import socket
import time
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, crying_house, crying_room, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber, until

pytestmark = pytest.mark.e2e


def crying(folder: Path, broker: Mosquitto) -> Daemon:
    """A daemon whose nursery cries, over and over, and whose attic is quiet."""
    return Daemon(folder, "--config", configure(folder, broker, crying_house(folder)))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, broker: Mosquitto, number: signal.Signals) -> None:
    """The open episode ended, state quiet, sources and then the node offline, exit status 0."""
    with Subscriber(broker) as subscriber, crying(tmp_path, broker) as daemon:
        daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")
        assert daemon.stop(number)[0] == 0, daemon.words
        until(lambda: subscriber.last("monitord/home/status") == "offline")
        assert [(heard.topic, heard.payload) for heard in subscriber.heard[-3:]] == [
            ("monitord/home/nursery/status", "offline"),
            ("monitord/home/attic/status", "offline"),
            ("monitord/home/status", "offline"),
        ]
        assert subscriber.latest("monitord/home/nursery/event")["event_type"] == "ended"
        assert subscriber.latest("monitord/home/nursery/state")["crying"] is False
        ids = [one["id"] for one in subscriber.values("monitord/home/nursery/event")]
        assert [line["id"] for line in daemon.lines if line["kind"] == "event"] == ids
        assert "Traceback" not in daemon.words
        assert daemon.warnings == []
        assert "not connected" not in daemon.words


def test_a_kill_is_told_by_the_broker(tmp_path: Path, broker: Mosquitto) -> None:
    """After a kill -9 the last will says offline, although the daemon could say nothing."""
    with Subscriber(broker) as subscriber, crying(tmp_path, broker) as daemon:
        daemon.wait_for(lambda: subscriber.last("monitord/home/attic/status") == "online", "the attic online")
        daemon.kill()
        until(lambda: subscriber.last("monitord/home/status") == "offline")
        assert subscriber.last("monitord/home/attic/status") == "online"  # nobody was left to say that


def test_events_outlive_an_outage_and_a_kill(tmp_path: Path, broker: Mosquitto) -> None:
    """What was told while the broker was away is delivered by the next daemon, though the first was killed."""
    with Subscriber(broker) as subscriber:
        with crying(tmp_path, broker) as daemon:
            daemon.wait_for(lambda: subscriber.last("monitord/home/status") == "online", "the node online")
            broker.kill()
            daemon.wait_for(lambda: bool(daemon.events("reason")), "a cry")
            daemon.kill()
            told = [line["id"] for line in daemon.lines if line["kind"] == "event"]
        broker.start()
        until(lambda: subscriber.connected)
        quiet = {"attic": {"file": str(quiet_room(tmp_path / "quiet.wav", 2.0))}}
        with Daemon(tmp_path, "--config", configure(tmp_path, broker, quiet)) as daemon:
            assert daemon.ends() == 0

        def delivered() -> bool:
            heard = {one["id"] for one in subscriber.values("monitord/home/nursery/event")}
            return heard >= set(told)

        until(delivered)


def test_without_a_broker_it_listens_on(tmp_path: Path) -> None:
    """A broker that is away is said and does not end the daemon: it hears, and shows what it hears."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # not listening: refused
        sources = {"nursery": {"file": str(crying_room(tmp_path / "cry.wav"))}}
        mqtt = {"host": "127.0.0.1", "port": taken.getsockname()[1]}
        began = time.monotonic()
        with Daemon(tmp_path, "--config", configure(tmp_path, None, sources, mqtt=mqtt)) as daemon:
            assert daemon.ends() == 0
        assert time.monotonic() - began > 6.0  # it played to its end
        assert len(daemon.events("started")) == 1
        assert "no broker to be reached" in daemon.words
