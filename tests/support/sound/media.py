"""Small recordings of any kind, made by FFmpeg as the tests run: containers, codecs, video with and without sound."""

import io
from pathlib import Path

import av
import numpy as np
from av.stream import Disposition

from monitord.types import RATE_HZ, Pcm


def encoded(samples: Pcm, container: str, codec: str, *, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    """Returns int16 [n] mono as a file of this container and codec, on all of its channels."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as output:
        _write_sound(output, samples, codec, rate_hz, channels)
    return buffer.getvalue()


def write_media(path: Path, samples: Pcm, codec: str, *, rate_hz: int = RATE_HZ, channels: int = 1) -> Path:
    """Writes int16 [n] mono into a file whose container its suffix names, and returns its path."""
    with av.open(str(path), "w") as output:
        _write_sound(output, samples, codec, rate_hz, channels)
    return path


def write_video(path: Path, samples: Pcm | None, duration_s: float = 2.0) -> Path:
    """Writes a phone's video, with this sound or without any, and returns its path."""
    with av.open(str(path), "w") as output:
        video = output.add_stream("mpeg4", rate=10)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = None if samples is None else output.add_stream("aac", rate=RATE_HZ, layout="mono")
        for _ in range(round(duration_s * 10)):
            picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
            output.mux(video.encode(picture))
        output.mux(video.encode())
        if sound is not None and samples is not None:
            _encode(output, sound, samples)
    return path


def _write_sound(output: av.container.OutputContainer, samples: Pcm, codec: str, rate_hz: int, channels: int) -> None:
    stream = output.add_stream(codec, rate=rate_hz)
    assert isinstance(stream, av.AudioStream)
    stream.layout = "stereo" if channels == 2 else "mono"
    _encode(output, stream, np.repeat(samples, channels))


def _encode(output: av.container.OutputContainer, stream: av.AudioStream, interleaved: Pcm) -> None:
    frame = av.AudioFrame.from_ndarray(interleaved.reshape(1, -1), format="s16", layout=stream.layout)
    frame.sample_rate = stream.rate
    frame.pts = 0
    output.mux(stream.encode(frame))
    output.mux(stream.encode())


def write_tracks(path: Path, *tracks: Pcm, marked: int | None = None, words: tuple[dict[str, str], ...] = ()) -> Path:
    """Writes a Matroska file with several audio tracks, int16 [n] mono at 16 kHz each, and returns its path.

    Args:
        path: Of the file.
        tracks: Its tracks.
        marked: Which of them is marked default, from 0; None: none.
        words: Metadata of each, such as `language` and `title`.
    """
    with av.open(str(path), "w", format="matroska", container_options={"default_mode": "passthrough"}) as output:
        streams = []
        for number in range(len(tracks)):
            stream = output.add_stream("pcm_s16le", rate=RATE_HZ, layout="mono")
            assert isinstance(stream, av.AudioStream)
            stream.disposition = Disposition.default if number == marked else Disposition(0)
            stream.metadata.update(words[number] if number < len(words) else {})
            streams.append(stream)
        for start in range(0, max(map(len, tracks)), RATE_HZ // 10):  # side by side, as a recorder writes them
            for stream, samples in zip(streams, tracks, strict=True):
                part = samples[start : start + RATE_HZ // 10]
                if len(part):
                    frame = av.AudioFrame.from_ndarray(part.reshape(1, -1), format="s16", layout="mono")
                    frame.sample_rate, frame.pts = RATE_HZ, start
                    output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode())
    return path
