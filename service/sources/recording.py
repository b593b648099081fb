"""A recording on disk as samples: any container that FFmpeg reads, of which the first audio track counts."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from monitord.decode import pcm_frames
from monitord.errors import ConfigError, SourceError
from monitord.types import Pcm

CHUNK_S = 0.1
"""Length of the chunks (seconds). Codecs give 4 ms (IMA ADPCM) to 0.4 s a frame; each chunk costs a lock and a wake."""

TEXT = "tty"
"""What FFmpeg calls a file that is a text by its name, which it would draw as a video."""


def file_chunks(path: Path) -> Iterator[tuple[Pcm, int]]:
    """Yields (int16 [n] mono, rate in hertz) of about `CHUNK_S`, the whole recording, every sample once.

    Raises:
        ConfigError: The path is missing, a directory, or may not be read.
        SourceError: It is no media, holds no sound, or is damaged; what was yielded before is good.
    """
    _readable(path)
    waiting: list[Pcm] = []
    held = 0  # samples
    rate_hz = 0
    heard_s = 0.0
    try:
        with av.open(str(path)) as container:
            if container.format.name == TEXT:
                raise SourceError(f"{path}: a text, no recording; give a sound or video file, such as wav or mp4")
            for samples, frame_rate_hz in pcm_frames(container, str(path)):
                if waiting and (frame_rate_hz != rate_hz or held >= rate_hz * CHUNK_S):
                    yield np.concatenate(waiting), rate_hz
                    heard_s += held / rate_hz
                    waiting, held = [], 0
                waiting.append(samples)
                held += len(samples)
                rate_hz = frame_rate_hz
    except av.error.FFmpegError as error:
        if waiting:
            yield np.concatenate(waiting), rate_hz
            heard_s += held / rate_hz
        if heard_s:
            raise SourceError(f"{path}: damaged after {heard_s:.2f} s of sound ({error.strerror})") from None
        raise SourceError(
            f"{path}: no recording that FFmpeg reads ({error.strerror}); give a sound or video file, such as wav or mp4"
        ) from None
    if waiting:
        yield np.concatenate(waiting), rate_hz


def check_file(path: Path) -> None:
    """Finds out before anything starts whether the recording gives sound, by decoding its beginning.

    Raises:
        ConfigError: The path is missing, a directory, or may not be read: the operator wrote another than they meant.
        SourceError: It is no media, holds no sound, or is damaged from the start.
    """
    if next(file_chunks(path), None) is None:
        raise SourceError(f"{path}: its audio track is empty; give a recording with sound")


def _readable(path: Path) -> None:
    try:
        with path.open("rb"):
            pass
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such file; give the path of a recording, mic, or a URL") from None
    except IsADirectoryError:
        raise ConfigError(f"{path}: a directory; give one recording in it") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
