"""A microphone through the whole daemon, by real PortAudio: heard, lost, told, and heard again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.daemon.daemon import Daemon, configure, crying_room, looped, monitord, quiet_room, room, short_cry
from tests.support.servers.mosquitto import Mosquitto, Subscriber
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.sound.sounds import silence, write_wav

pytestmark = pytest.mark.e2e


@pytest.fixture
def crib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    """A running virtual microphone; the daemon inherits the variables by which it is found."""
    (tmp_path / "crib").mkdir()
    microphone = VirtualMicrophone(tmp_path / "crib", monkeypatch)
    microphone.start()
    yield microphone
    microphone.kill()


def test_a_cry_at_the_microphone(tmp_path: Path, crib: VirtualMicrophone) -> None:
    """A cry before the default microphone is told; a killed sound server is told, and it is heard again."""
    # Long enough that a slow machine has not missed it when it begins to listen.
    cry = write_wav(tmp_path / "cry.wav", room(*[short_cry(), silence(1.0)] * 8))
    status = "monitord/home/nursery/status"
    with Mosquitto(tmp_path / "broker") as broker, Subscriber(broker) as subscriber:
        configuration = configure(tmp_path, broker, {"nursery": {"microphone": "default"}})
        with Daemon(tmp_path, "--config", configuration) as daemon:
            daemon.wait_for(lambda: "nursery: live" in daemon.words, "the microphone")
            crib.play(cry)
            daemon.wait_for(lambda: subscriber.last(status) == "online", "sound")
            daemon.wait_for(lambda: bool(daemon.events("started")), "a cry")

            crib.kill()
            daemon.wait_for(lambda: subscriber.last(status) == "offline", "the loss")
            daemon.wait_for(lambda: subscriber.fault("nursery") in {"reconnecting", "stalled"}, "the fault")
            heard = len(daemon.segments())

            crib.start()
            crib.play(cry)
            daemon.wait_for(lambda: subscriber.last(status) == "online", "the microphone again")
            daemon.wait_for(lambda: subscriber.fault("nursery") == "ok", "the end of the fault")
            daemon.wait_for(lambda: len(daemon.segments()) > heard, "cry sounds again")
            daemon.wait_for(lambda: subscriber.latest("monitord/home/nursery/health")["reconnects"] >= 1, "the count")
            assert daemon.stop()[0] == 0


def test_a_muted_and_a_hung_microphone(tmp_path: Path, crib: VirtualMicrophone) -> None:
    """Exact silence of a device, and a sound server that hangs, are faults; neither holds up the end."""
    status = "monitord/home/nursery/status"
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Daemon(tmp_path, "--config", configure(tmp_path, broker, {"nursery": {"microphone": "default"}})) as daemon,
    ):
        # Nobody plays: the null sink gives zeros.
        daemon.wait_for(lambda: subscriber.fault("nursery") == "digital_silence", "the mute")
        daemon.wait_for(lambda: subscriber.last(status) == "offline", "the mute")
        crib.play(quiet_room(tmp_path / "quiet.wav", 60.0))
        daemon.wait_for(lambda: subscriber.last(status) == "online", "sound")
        crib.hang()
        daemon.wait_for(lambda: subscriber.last(status) == "offline", "the hang")
        daemon.wait_for(lambda: subscriber.fault("nursery") in {"reconnecting", "stalled"}, "the fault")
        assert daemon.stop()[0] == 0  # while it hangs


def test_devices_lists_it(crib: VirtualMicrophone) -> None:  # noqa: ARG001  # it runs
    """`monitord devices` prints the microphone by the name with which a source finds it."""
    done = monitord("devices")
    assert done.returncode == 0
    assert "pulse" in done.stdout


def test_a_microphone_that_is_not_there(tmp_path: Path, crib: VirtualMicrophone) -> None:  # noqa: ARG001
    """An unknown name is told with the devices that there are, and the other source is heard."""
    sources = {
        "nursery": {"microphone": "Nonsense 3000"},
        "attic": looped(crying_room(tmp_path / "cry.wav")),
    }
    with (
        Mosquitto(tmp_path / "broker") as broker,
        Subscriber(broker) as subscriber,
        Daemon(tmp_path, "--config", configure(tmp_path, broker, sources)) as daemon,
    ):
        daemon.wait_for(lambda: "Nonsense 3000" in daemon.words and "pulse" in daemon.words, "its name")
        daemon.wait_for(lambda: bool(daemon.events("started", "attic")), "the cry beside it")
        assert subscriber.last("monitord/home/nursery/status") == "offline"
        daemon.wait_for(lambda: subscriber.fault("nursery") == "reconnecting", "the fault")
        assert daemon.stop()[0] == 0
