"""The process that records: PortAudio alone with one microphone, for it can hang or abort where a device vanishes.

Run as `python -m service.capture.child.recorder_main` by `microphone.Recorder`: which device it is to be on standard
input, records on standard output. Each process looks for devices anew, so that one plugged in meanwhile is found.
"""

import resource
from typing import Any, Final

import pyaudio

from monitord.errors import SourceError
from service.capture.child.child_main import Daemon, serve
from service.capture.child.protocol import HEADER, LOST, MOST_SAMPLES, SOUND

READ_S: Final = 0.1
"""Length of what is read at once (seconds); the device's buffer is half of it. Measured with PulseAudio, this process
alone: 50 ms cost 0.32 % of a core, 100 ms 0.25 (with a buffer as long 0.19, but two come at once), 200 ms 0.18; an
alert may take 1.5 s."""

LIMITS: Final = ((resource.RLIMIT_CORE, 0),)  # bytes: a core dump would hold the family's sound


def _record(daemon: Daemon, asked: dict[str, Any]) -> None:
    """Lists the devices, waits for the choice, and records until it is ended."""
    del asked  # nothing but who asks
    try:
        audio = pyaudio.PyAudio()
    except OSError as error:
        raise SourceError(
            f"PortAudio does not start ({_text(error)}); check the sound system of this machine"
        ) from None
    daemon.opened({"devices": _devices(audio)})
    chosen = daemon.asked()
    if chosen is None:
        return
    stream, rate_hz, channels = _open(audio, chosen["index"], chosen["formats"])
    daemon.opened({"rate_hz": rate_hz, "channels": channels})
    n = min(round(rate_hz * READ_S), MOST_SAMPLES // channels)
    while True:
        try:
            raw = stream.read(n)
        except OSError as error:
            if error.errno != pyaudio.paInputOverflowed:
                raise SourceError("is gone: is it plugged in?") from None
            daemon.write(HEADER.pack(LOST, rate_hz, n))  # how much is unknown; what it read is the least there can be
        else:
            daemon.write(HEADER.pack(SOUND, rate_hz, n * channels), raw)


def _devices(audio: pyaudio.PyAudio) -> list[dict[str, object]]:
    try:
        default = int(audio.get_default_input_device_info()["index"])
    except OSError:
        default = -1  # PortAudio's paNoDevice
    infos = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    return [
        {
            "index": int(info["index"]),
            "name": str(info["name"]),
            "host_api": str(audio.get_host_api_info_by_index(info["hostApi"])["name"]),
            "channels": int(info["maxInputChannels"]),
            "rate_hz": int(info["defaultSampleRate"]),
            "is_default": info["index"] == default,
        }
        for info in infos
        if info["maxInputChannels"] > 0
    ]


def _open(
    audio: pyaudio.PyAudio, index: int, formats: list[tuple[int, int]]
) -> tuple[pyaudio.PyAudio.Stream, int, int]:
    """Returns the stream, its rate (hertz) and its channels: the first format that the device takes."""
    refusals: list[str] = []
    for rate_hz, channels in formats:
        try:
            stream = audio.open(
                rate=rate_hz,
                channels=channels,
                format=pyaudio.paInt16,
                input=True,
                input_device_index=index,
                frames_per_buffer=round(rate_hz * READ_S / 2),
            )
        except OSError as error:
            refusals.append(f"{rate_hz} Hz x {channels}: {_text(error)}")
        else:
            return stream, rate_hz, channels
    raise SourceError(f"does not open ({refusals[0]}); is another program using it, may this user record?")


def _text(error: OSError) -> str:
    return str(error.args[-1]) if error.args else type(error).__name__


if __name__ == "__main__":
    serve(_record, LIMITS)
