"""Encoded sound to samples: what FFmpeg reads comes out as int16 mono at its own rate. The caller opens and closes.

Only format and channels change here; the rate changes in one place, `pcm.Resampler`.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import av
import av.container

from monitord.errors import SourceError

if TYPE_CHECKING:
    from monitord.types import Pcm

SAMPLE_BYTES = 2
"""Of int16."""


def pcm_frames(container: av.container.InputContainer, name: str) -> "Iterator[tuple[Pcm, int]]":
    """Yields (int16 [n] mono, rate in hertz) frame by frame until the end of the first audio stream.

    Args:
        container: Opened for reading.
        name: What a person calls this input, for the error.

    Raises:
        SourceError: There is no sound in it.
        av.error.FFmpegError: The data broke off or is damaged. What was yielded before is good.
    """
    import numpy as np  # noqa: PLC0415 - the decoder's process lives without: it is two thirds of its memory

    for raw, rate_hz in raw_frames(container, name):
        yield np.frombuffer(raw, np.int16), rate_hz


def raw_frames(container: av.container.InputContainer, name: str) -> Iterator[tuple[bytes, int]]:
    """Yields and raises as `pcm_frames`, the samples as bytes in the machine's own order."""
    if not container.streams.audio:
        kinds = ", ".join(sorted({stream.type for stream in container.streams})) or "nothing"
        raise SourceError(f"{name}: holds no sound (found: {kinds}); give a recording or a stream with an audio track")
    stream = container.streams.audio[0]
    converter: av.AudioResampler | None = None
    layout: tuple[str, str, int] | None = None
    for packet in container.demux(stream):
        for frame in packet.decode():
            seen = (frame.format.name, frame.layout.name, frame.sample_rate)
            if converter is None or seen != layout:
                converter, layout = av.AudioResampler(format="s16", layout="mono", rate=frame.sample_rate), seen
            frame.pts = None  # samples are counted here, not timed: a wrong time stamp may not insert or drop any
            for mono in converter.resample(frame):
                # A plane is as long as FFmpeg likes to align it; the samples end before.
                yield bytes(memoryview(mono.planes[0])[: SAMPLE_BYTES * mono.samples]), mono.sample_rate
