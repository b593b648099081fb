"""Encoded sound to samples: what FFmpeg reads comes out as int16 mono at its own rate. The caller opens and closes.

Only format and channels change here; the rate changes in one place, `pcm.Resampler`.
"""

from collections.abc import Iterator

import av
import av.container
import numpy as np

from monitord.errors import SourceError
from monitord.types import Pcm


def pcm_frames(container: av.container.InputContainer, name: str) -> Iterator[tuple[Pcm, int]]:
    """Yields (int16 [n] mono, rate in hertz) frame by frame until the end of the first audio stream.

    Args:
        container: Opened for reading.
        name: What a person calls this input, for the error.

    Raises:
        SourceError: There is no sound in it.
        av.error.FFmpegError: The data broke off or is damaged. What was yielded before is good.
    """
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
                yield mono.to_ndarray().reshape(-1).astype(np.int16, copy=False), mono.sample_rate
