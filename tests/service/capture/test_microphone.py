"""The microphone, through real PortAudio: exact, watched, and back after its server was killed or hung."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from monitord.errors import SourceError
from monitord.types import RATE_HZ
from service.capture.devices import Device, choose, formats
from service.capture.inbox import Inbox
from service.capture.microphone import MODULE, MicrophoneSource, has_capture_device, list_devices
from service.capture.source import SourceState
from tests.support.paths import ROOT
from tests.support.patience import PATIENCE_S
from tests.support.servers.virtual_microphone import VirtualMicrophone
from tests.support.sound.matching import drain, find, joined, listen, wait_for, wait_for_state
from tests.support.sound.sounds import noise, write_wav

CARD = Device(
    index=0, name="USB Microphone: Audio (hw:1,0)", host_api="ALSA", channels=1, rate_hz=44_100, is_default=False
)
SERVER = Device(index=3, name="pulse", host_api="ALSA", channels=32, rate_hz=44_100, is_default=True)


@pytest.fixture
def crib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[VirtualMicrophone]:
    """A running virtual microphone."""
    microphone = VirtualMicrophone(tmp_path, monkeypatch)
    microphone.start()
    yield microphone
    microphone.kill()


def children() -> list[int]:
    """Processes that this one has started for microphones."""
    started = subprocess.run(["pgrep", "-P", str(os.getpid()), "-f", MODULE], capture_output=True, check=False)
    return [int(process) for process in started.stdout.split()]


@pytest.fixture
def source(crib: VirtualMicrophone) -> Iterator[MicrophoneSource]:  # noqa: ARG001  # the microphone runs before
    """A source on the default device, live."""
    source = MicrophoneSource("nursery", "default", Inbox("nursery"))
    source.start()
    wait_for_state(source, SourceState.LIVE)
    yield source
    source.stop(PATIENCE_S)


@pytest.mark.e2e
def test_what_is_played_is_what_is_heard(crib: VirtualMicrophone, source: MicrophoneSource, tmp_path: Path) -> None:
    """Sound goes through the sound server and PortAudio bit by bit, on one unbroken time axis."""
    sound = noise(2.0, rms_dbfs=-20.0)
    crib.play(write_wav(tmp_path / "noise.wav", sound))
    chunks = listen(source.inbox, 4.0)
    heard = joined(chunks)
    at, _ = find(sound, heard)
    assert np.array_equal(heard[at : at + len(sound)], sound)
    assert {chunk.rate_hz for chunk in chunks} == {RATE_HZ}
    lengths = np.cumsum([len(chunk.samples) for chunk in chunks])
    assert [chunk.start - chunks[0].start for chunk in chunks[1:]] == list(lengths[:-1])
    times = np.array([chunk.at for chunk in chunks])
    assert abs((times[-1] - times[0]) - lengths[-2] / RATE_HZ) < 1.0


@pytest.mark.e2e
def test_opposite_channels_of_a_sound_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A balanced microphone on a stereo input: the server is not left to mix it away, and one channel is heard."""
    crib = VirtualMicrophone(tmp_path, monkeypatch, channels=2)
    crib.start()
    source = MicrophoneSource("nursery", "default", Inbox("nursery"))
    source.start()
    try:
        wait_for_state(source, SourceState.LIVE)
        sound = noise(2.0, rms_dbfs=-20.0)
        crib.play(write_wav(tmp_path / "opposite.wav", np.stack([sound, -sound], axis=1)))
        heard = joined(listen(source.inbox, 4.0)).astype(int)
        at, fit = find(sound, heard.astype(np.int16))
        assert fit > 0.99
        assert source.status().part in {"channel 1 of 2", "channel 2 of 2"}
        assert np.abs(heard[at : at + len(sound)]).max() == np.abs(sound.astype(int)).max()
    finally:
        assert source.stop(PATIENCE_S)
        crib.kill()


@pytest.mark.e2e
def test_stop_closes_the_device(source: MicrophoneSource) -> None:
    """After a stop nothing records any more, and the thread has left."""
    assert source.stop(PATIENCE_S)
    recorders = subprocess.run(["pactl", "list", "short", "source-outputs"], capture_output=True, check=True)
    assert not recorders.stdout
    drain(source.inbox)
    assert source.inbox.read() is None


@pytest.mark.e2e
def test_killed_server(crib: VirtualMicrophone, source: MicrophoneSource, caplog: pytest.LogCaptureFixture) -> None:
    """A killed sound server shows at once, costs one log line each way, and sound is back once it is back."""
    with caplog.at_level(logging.INFO, logger="service"):
        crib.kill()
        wait_for_state(source, SourceState.RECONNECTING)
        wait_for(lambda: "no microphone" in source.status().detail, "an attempt while the server is down")
        crib.start()
        wait_for_state(source, SourceState.LIVE)
    assert source.status().reconnects == 1
    drain(source.inbox)
    listen(source.inbox, 0.5)
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


@pytest.mark.e2e
def test_hung_server(crib: VirtualMicrophone, source: MicrophoneSource) -> None:
    """A hung sound server is told, hangs no `stop`, and the same source is live again once it goes on."""
    second = MicrophoneSource("second", "default", Inbox("second"))
    second.start()
    wait_for_state(second, SourceState.LIVE)
    crib.hang()
    wait_for_state(source, SourceState.RECONNECTING)
    assert "sends nothing" in source.status().detail
    assert second.stop(PATIENCE_S)
    assert len(children()) <= 1
    crib.resume()
    wait_for_state(source, SourceState.LIVE)
    drain(source.inbox)
    listen(source.inbox, 0.5)


LEAVE_WHILE_HUNG = """
import sys
from service.capture.inbox import Inbox
from service.capture.microphone import MicrophoneSource
from tests.support.sound.matching import wait_for_state, SourceState
source = MicrophoneSource("nursery", "default", Inbox("nursery"))
source.start()
wait_for_state(source, SourceState.LIVE)
print("live", flush=True)
sys.stdin.readline()
"""


@pytest.mark.e2e
def test_process_leaves_a_hung_server(crib: VirtualMicrophone) -> None:
    """A process ends cleanly although the sound server hangs and nobody has stopped the source, and prints nothing."""
    child = subprocess.Popen(
        [sys.executable, "-c", LEAVE_WHILE_HUNG],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "live\n"
    crib.hang()
    out, err = child.communicate("\n", timeout=PATIENCE_S)
    crib.resume()
    assert (child.returncode, out, err) == (0, "", "")


@pytest.mark.e2e
def test_devices_are_listed(crib: VirtualMicrophone) -> None:
    """The virtual microphone is listed by its name as the default, and found by a part of its name."""
    devices = list_devices()
    assert [device.name for device in devices if device.is_default] == ["default"]
    assert choose(devices, "PUL").name == "pulse"
    assert has_capture_device()
    crib.kill()
    assert not has_capture_device()


@pytest.mark.e2e
def test_unknown_name_lists_the_devices(crib: VirtualMicrophone) -> None:  # noqa: ARG001  # the microphone runs
    """A name that fits nothing is told with what there is instead."""
    source = MicrophoneSource("nursery", "Blue Yeti", Inbox("nursery"))
    source.start()
    wait_for_state(source, SourceState.RECONNECTING)
    assert "'Blue Yeti'" in source.status().detail
    assert "pulse [ALSA]" in source.status().detail
    assert source.stop(PATIENCE_S)


@pytest.mark.e2e
def test_unplugged(crib: VirtualMicrophone, source: MicrophoneSource) -> None:
    """A microphone that is unplugged is told, and is live again once it is back, as often as that happens."""
    for again in (1, 2):
        crib.unplug()
        wait_for_state(source, SourceState.RECONNECTING)
        crib.plug()
        wait_for_state(source, SourceState.LIVE)
        assert source.status().reconnects == again


@pytest.mark.e2e
def test_portaudio_aborts(source: MicrophoneSource) -> None:
    """PortAudio that aborts is told by its signal, and the microphone is heard again from a new process."""
    (child,) = children()
    os.kill(child, signal.SIGABRT)
    wait_for_state(source, SourceState.RECONNECTING)
    assert "SIGABRT" in source.status().detail
    wait_for_state(source, SourceState.LIVE)
    assert children() != [child]


@pytest.mark.e2e
def test_portaudio_that_hangs_forever(source: MicrophoneSource) -> None:
    """PortAudio that hangs in itself, as it does where a device vanishes while it is opened, costs some seconds."""
    (child,) = children()
    os.kill(child, signal.SIGSTOP)
    wait_for_state(source, SourceState.RECONNECTING)
    wait_for_state(source, SourceState.LIVE)
    assert not Path(f"/proc/{child}").exists()


@pytest.mark.e2e
def test_plugged_in_beside_a_live_one(crib: VirtualMicrophone, source: MicrophoneSource, tmp_path: Path) -> None:
    """A microphone that is plugged in while another records is heard without a restart."""
    second = MicrophoneSource("second", "balcony", Inbox("second"))
    second.start()
    wait_for_state(second, SourceState.RECONNECTING)
    with (tmp_path / "asound.conf").open("a") as configuration:
        configuration.write('pcm.balcony { type pulse hint { show on description "another" } }\n')
    wait_for_state(second, SourceState.LIVE)
    assert source.status().reconnects == 0
    assert second.stop(PATIENCE_S)
    del crib


def test_choice() -> None:
    """`default`, a name in any letter case, a part of one, and an index each mean a device; the rest is refused."""
    devices = [CARD, SERVER]
    assert choose(devices, "default") is SERVER
    assert choose([CARD], "default") is CARD
    assert choose(devices, "usb mic") is CARD
    assert choose(devices, 3) is SERVER
    assert choose(devices, "0") is CARD
    for wanted in ("x", 7):
        with pytest.raises(SourceError, match=r"USB Microphone.*pulse"):
            choose(devices, wanted)
    with pytest.raises(SourceError, match="no microphone on this machine"):
        choose([], "default")


def test_formats() -> None:
    """A card is asked for its own rate first, a sound server for 16 kHz, and for no mix of its own."""
    assert formats(CARD) == [(44_100, 1), (48_000, 1), (16_000, 1)]
    assert formats(SERVER)[0] == (RATE_HZ, 2)
