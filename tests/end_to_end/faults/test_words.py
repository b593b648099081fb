"""Deaf, not quiet: what the daemon tells of a source that sends what no living microphone sends."""

from pathlib import Path

import numpy as np
import pytest

from tests.support.daemon.daemon import Daemon, configure, crying_room, looped
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.sound.sounds import noise, silence, write_wav

pytestmark = pytest.mark.e2e


def test_digital_silence_is_no_quiet_child(tmp_path: Path) -> None:
    """Exact zeros make the source offline, with the fault by name, while the others are heard; noise ends the fault."""
    dead = np.concatenate([noise(2.0), silence(12.0), noise(60.0)])
    sources = {
        "dead": {"file": str(write_wav(tmp_path / "dead.wav", dead))},
        "nursery": looped(crying_room(tmp_path / "cry.wav")),
    }
    status = "monitord/home/dead/status"
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon,
    ):

        def faults(source: str) -> list[str]:
            every = (one["fault"] for one in subscriber.values(f"monitord/home/{source}/health"))
            # The two are of a machine that has other work.
            told = [fault for fault in every if fault not in {"overload", "stalled"}]
            return [fault for before, fault in zip(["", *told], told, strict=False) if fault != before]

        # What was told stays, also where this test looks seldom.
        daemon.wait_for(lambda: "online" in subscriber.payloads(status), "sound")
        daemon.wait_for(lambda: subscriber.payloads(status)[-2:] == ["offline", "online"], "the silence and its end")
        daemon.wait_for(lambda: len(faults("dead")) > 2, "the fault by name, and its end")
        assert faults("dead") == ["ok", "digital_silence", "ok"]
        assert not any(state["crying"] for state in subscriber.values("monitord/home/dead/state"))
        assert subscriber.last("monitord/home/nursery/status") == "online"
        assert faults("nursery") == ["ok"]
        assert daemon.events("started", "nursery")
        assert daemon.events("started", "dead") == []
        assert daemon.stop()[0] == 0
        assert "exact silence" in daemon.words
        assert "heard again" in daemon.words
