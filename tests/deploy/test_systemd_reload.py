"""SIGHUP without systemd: the configuration is read anew, and a wrong one is refused aloud."""

import os
import signal
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, looped, quiet_room
from tests.support.servers.mosquitto import Mosquitto, Subscriber

pytestmark = pytest.mark.e2e


def test_sighup_reads_the_configuration_anew(tmp_path: Path) -> None:
    """A wrong one is refused and the old one stays; a good one is in force, in the same process."""
    source = looped(quiet_room(tmp_path / "quiet.wav", 1.0))
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:
        configuration = configure(tmp_path, broker, {"nursery": source})
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: subscriber.last("monitord/home/nursery/status") == "online", "the nursery")
            configure(tmp_path, broker, {"nursery": source}, nide="home")
            os.kill(daemon.pid, signal.SIGHUP)
            daemon.wait_for(lambda: "the reload is REFUSED, the old configuration stays in force" in daemon.words, "no")
            assert "did you mean 'node'" in daemon.words
            assert subscriber.last("monitord/home/nursery/status") == "online"

            configure(tmp_path, broker, {"attic": source})
            os.kill(daemon.pid, signal.SIGHUP)
            daemon.wait_for(lambda: subscriber.last("monitord/home/attic/status") == "online", "the attic")
            assert subscriber.last("monitord/home/nursery/status") != "online"
            assert daemon.stop()[0] == 0
