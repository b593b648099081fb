"""PortAudio behind one lock: it is not thread-safe, and it looks for devices only when nobody has it open."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

import pyaudio

from monitord.errors import SourceError
from service.sources.chatter import hush
from service.sources.devices import Device, formats

BUFFER_S = 0.05
"""Length of a buffer (seconds). Measured with PulseAudio: 20 ms cost 1.9 % of a core, 40 ms 1.0, 60 ms 0.6, 100 ms
0.5; an alert may take 1.5 s."""

BUSY_S = 5.0
"""Longest wait for another microphone to leave PortAudio (seconds): one that hangs in it must not hang the others."""

SERVER_S = 10.0
"""Longest wait for the sound server to list its devices (seconds)."""

STALE = "one plugged in meanwhile is seen only after a restart, as another microphone keeps PortAudio open"
"""What to know where a device is missing while others record."""

_LOCK = threading.Lock()

_locked_at: float | None = None
"""When somebody went into PortAudio who has not come back (monotonic seconds); None where nobody is in it."""

_open_recorders: set["Recorder"] = set()
"""Guarded by the lock; while it holds any, PortAudio does not look for devices again."""


class Tap(Protocol):
    """What PortAudio calls with sound, in a thread of its own. Nothing may escape from it."""

    def expect(self, rate_hz: int, channels: int) -> None:
        """Tells the format of what will come."""

    def __call__(self, data: bytes, n: int, times: Mapping[str, float], flags: int) -> tuple[None, int]:
        """Takes n frames, with `input_buffer_adc_time` and `current_time` in seconds; returns what to do next."""


class Recorder:
    """An open stream. Only the thread that opened it closes it, with the lock held."""

    def __init__(self, device: Device, stream: pyaudio.PyAudio.Stream) -> None:
        self.device = device
        self._stream = stream

    @property
    def active(self) -> bool:
        """Whether PortAudio still calls back; False once the device or its server is gone."""
        return bool(self._stream.is_active())

    def close(self) -> None:
        """Closes it; for ever where the server hangs."""
        self._stream.close()


@contextmanager
def record(choose: Callable[[list[Device]], Device], tap: Tap) -> Iterator[Recorder]:
    """Opens the device that `choose` picks, records until the block is left, and closes it.

    Leaving the block may take for ever where the sound server hangs.

    Args:
        choose: Picks from the devices of this moment.
        tap: Takes the sound.

    Raises:
        SourceError: It does not open; the message is PortAudio's, with what helps.
    """
    with _locked():
        audio = _initialise()
        try:
            recorder = _open(audio, _chosen(choose, _devices(audio)), tap)
        except BaseException:
            audio.terminate()
            raise
        _open_recorders.add(recorder)
    try:
        yield recorder
    finally:
        with _LOCK, _timed():
            _open_recorders.discard(recorder)
            recorder.close()
            audio.terminate()


def hung_s() -> float:
    """For how long somebody has been in PortAudio (seconds); 0 where nobody is.

    More than some seconds is a hang: of the sound server, or of PortAudio itself, whose `Pa_StartStream` waits for ever
    where a device vanishes between open and start (19.6 and 19.7, ALSA: the callback's thread ends with the lock in its
    hands). It ends with the process only, and until then no other microphone can be opened again.
    """
    since = _locked_at
    return 0.0 if since is None else time.monotonic() - since


def list_devices(timeout_s: float = SERVER_S) -> list[Device]:
    """Returns the devices that record; none is an empty list.

    Raises:
        SourceError: The sound server does not answer within `timeout_s`.
    """
    found: list[list[Device]] = []

    def look() -> None:
        with _locked():
            audio = _initialise()
            try:
                found.append(_devices(audio))
            finally:
                audio.terminate()

    thread = threading.Thread(target=look, name="devices", daemon=True)
    thread.start()
    thread.join(timeout_s)
    if not found:
        raise SourceError(f"the sound server does not list its devices within {timeout_s:g} s; restart it")
    return found[0]


def has_capture_device() -> bool:
    """Whether anything here records; a sound server that hangs has something."""
    try:
        return bool(list_devices())
    except SourceError:
        return True


@contextmanager
def _locked() -> Iterator[None]:
    if not _LOCK.acquire(timeout=BUSY_S):
        raise SourceError("another microphone hangs in PortAudio; restart the sound server")
    try:
        with _timed():
            yield
    finally:
        _LOCK.release()


@contextmanager
def _timed() -> Iterator[None]:
    """With the lock held."""
    global _locked_at  # noqa: PLW0603 - as the lock, there is one for the whole of PortAudio
    _locked_at = time.monotonic()
    try:
        yield
    finally:
        _locked_at = None


def _initialise() -> pyaudio.PyAudio:
    hush()
    try:
        return pyaudio.PyAudio()
    except OSError as error:
        raise SourceError(
            f"PortAudio does not start ({_text(error)}); check the sound system of this machine"
        ) from None


def _devices(audio: pyaudio.PyAudio) -> list[Device]:
    try:
        default = int(audio.get_default_input_device_info()["index"])
    except OSError:
        default = -1  # PortAudio's paNoDevice
    infos = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    return [
        Device(
            index=int(info["index"]),
            name=str(info["name"]),
            host_api=str(audio.get_host_api_info_by_index(info["hostApi"])["name"]),
            channels=int(info["maxInputChannels"]),
            rate_hz=int(info["defaultSampleRate"]),
            is_default=info["index"] == default,
        )
        for info in infos
        if info["maxInputChannels"] > 0
    ]


def _chosen(choose: Callable[[list[Device]], Device], devices: list[Device]) -> Device:
    try:
        return choose(devices)
    except SourceError as error:
        if _open_recorders:
            raise SourceError(f"{error}; {STALE}") from None
        raise


def _open(audio: pyaudio.PyAudio, device: Device, tap: Tap) -> Recorder:
    refusals: list[str] = []
    for rate_hz, channels in formats(device):
        tap.expect(rate_hz, channels)
        try:
            stream = audio.open(
                rate=rate_hz,
                channels=channels,
                format=pyaudio.paInt16,
                input=True,
                input_device_index=device.index,
                frames_per_buffer=round(rate_hz * BUFFER_S),
                stream_callback=tap,
            )
        except OSError as error:
            refusals.append(f"{rate_hz} Hz x {channels}: {_text(error)}")
        else:
            return Recorder(device, stream)
    raise SourceError(
        f"microphone {device} does not open ({refusals[0]}); is another program using it, may this user record?"
    )


def _text(error: OSError) -> str:
    return str(error.args[-1]) if error.args else type(error).__name__
