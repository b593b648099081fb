"""The microphone, through real PortAudio: exact, watched, and back after its server was killed or hung."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyaudio
import pytest
from matching import drain, find, joined, listen, wait_for, wait_for_state
from sounds import noise, write_wav
from virtual_microphone import VirtualMicrophone

from monitord.errors import SourceError
from monitord.types import RATE_HZ
from service.inbox import Inbox
from service.sources.base import SourceState
from service.sources.devices import Device, choose, formats
from service.sources.microphone import MicrophoneSource, MicrophoneTap
from service.sources.portaudio import STALE, has_capture_device, hung_s, list_devices

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


@pytest.fixture
def source(crib: VirtualMicrophone) -> Iterator[MicrophoneSource]:  # noqa: ARG001  # the microphone runs before
    """A source on the default device, live."""
    source = MicrophoneSource("nursery", "default", Inbox("nursery"))
    source.start()
    wait_for_state(source, SourceState.LIVE)
    yield source
    source.stop(5.0)


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
def test_stop_closes_the_device(source: MicrophoneSource) -> None:
    """After a stop nothing records any more, and the thread has left."""
    assert source.stop(5.0)
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
    """A hung sound server is told, hangs neither `status` nor `stop`, and sound is back once it goes on."""
    crib.hang()
    wait_for_state(source, SourceState.RECONNECTING)
    assert "sends nothing" in source.status().detail
    assert not source.stop(0.2)  # PortAudio is stuck in the server: the thread is left behind
    assert hung_s() > 0.0
    second = MicrophoneSource("second", "default", Inbox("second"))
    second.start()  # and others wait for it, without a hang of their own
    crib.resume()
    wait_for(lambda: source.stop(0.1), "the thread left behind")
    wait_for(lambda: hung_s() == 0.0, "PortAudio")
    wait_for_state(second, SourceState.LIVE)
    assert second.stop(5.0)


@pytest.mark.e2e
def test_hung_server_goes_on(crib: VirtualMicrophone, source: MicrophoneSource) -> None:
    """The same source is live again after the server hung."""
    crib.hang()
    wait_for_state(source, SourceState.RECONNECTING)
    crib.resume()
    wait_for_state(source, SourceState.LIVE)
    drain(source.inbox)
    listen(source.inbox, 0.5)


LEAVE_WHILE_HUNG = """
import os, signal, sys
from service.inbox import Inbox
from service.sources.microphone import MicrophoneSource
from matching import wait_for_state, SourceState
source = MicrophoneSource("nursery", "default", Inbox("nursery"))
source.start()
wait_for_state(source, SourceState.LIVE)
print("live", flush=True)
sys.stdin.readline()
print(source.stop(0.5), flush=True)
"""


@pytest.mark.e2e
def test_process_leaves_a_hung_server(crib: VirtualMicrophone) -> None:
    """A process ends cleanly although its capture thread hangs in the sound server, and printed nothing but its own."""
    child = subprocess.Popen(
        [sys.executable, "-c", LEAVE_WHILE_HUNG],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "live\n"
    crib.hang()
    out, err = child.communicate("\n", timeout=30)
    crib.resume()
    assert (child.returncode, out, err) == (0, "False\n", "")


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
    assert STALE not in source.status().detail
    assert source.stop(5.0)


@pytest.mark.e2e
def test_missing_beside_a_live_one(source: MicrophoneSource) -> None:
    """A microphone that is missing while another records says that it takes a restart; the other goes on."""
    missing = MicrophoneSource("second", "Blue Yeti", Inbox("second"))
    missing.start()
    wait_for_state(missing, SourceState.RECONNECTING)
    assert STALE in missing.status().detail
    drain(source.inbox)
    listen(source.inbox, 0.5)
    assert missing.stop(5.0)


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
    """A card is asked for its own rate first, a sound server for 16 kHz mono."""
    assert formats(CARD) == [(44_100, 1), (48_000, 1), (16_000, 1)]
    assert formats(SERVER)[0] == (RATE_HZ, 1)


def test_overflow_is_counted() -> None:
    """What PortAudio dropped is a jump on the time axis and counted as lost, at least a buffer."""
    inbox = Inbox("nursery")
    tap = MicrophoneTap(inbox)
    tap.expect(RATE_HZ, 2)
    times = {"current_time": 5.0, "input_buffer_adc_time": 4.9}
    for flags in (0, pyaudio.paInputOverflow, 0):
        assert tap(np.ones((320, 2), np.int16).tobytes(), 320, times, flags) == (None, pyaudio.paContinue)
    assert [chunk.start for chunk in drain(inbox)] == [0, 640, 960]
    assert inbox.lost_device == 320
    assert tap.heard == 960


def test_nothing_escapes_the_callback() -> None:
    """An exception in PortAudio's thread stops the stream and is kept for the owner."""
    tap = MicrophoneTap(Inbox("nursery"))
    tap.expect(RATE_HZ, 2)
    assert tap(b"odd", 320, {}, 0) == (None, pyaudio.paAbort)
    assert isinstance(tap.error, ValueError)
