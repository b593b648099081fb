"""A recording on disk as samples: any container that FFmpeg reads, of which the first audio track counts."""

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from monitord.errors import ConfigError, SourceError
from monitord.types import Pcm
from service.sources.child import STALLED, ChildError
from service.sources.decoder_words import Request
from service.sources.decoding import Decoding, Lost

CHUNK_S = 0.1
"""Length of the chunks (seconds). Codecs give 4 ms (IMA ADPCM) to 0.4 s a frame; each chunk costs a lock and a wake."""

TEXT = "tty"
"""What FFmpeg calls a file that is a text by its name, which it would draw as a video."""


SILENCE_S = 30.0
"""Longest wait for a disk or a decoder (seconds): a disk that sleeps wakes in 10 s."""


def file_chunks(
    path: Path, *, again: bool = False, stopping: threading.Event | None = None
) -> Iterator[tuple[Pcm, int]]:
    """Yields (int16 [n] mono, rate in hertz) of about `CHUNK_S`, the whole recording, every sample once.

    Args:
        path: What to decode; FFmpeg may read no other protocol than files meanwhile.
        again: Whether it starts over at its end, for ever.
        stopping: Once set, the chunks end.

    Raises:
        ConfigError: The path is missing, a directory, or may not be read.
        SourceError: It is no media, holds no sound, or is damaged; what was yielded before is good.
    """
    _readable(path)
    # `file:` before an absolute path: a name such as `concat:a|b` or `http://x` is a name.
    request = Request(f"file:{path.absolute()}", str(path), {"protocol_whitelist": "file"}, again=again)
    waiting: list[Pcm] = []
    held = 0  # samples
    rate_hz = 0
    heard_s = 0.0
    try:
        with Decoding(request, stopping) as decoding:
            opened = decoding.opened()
            if opened is None:
                return
            if opened.format == TEXT:
                raise SourceError(f"{path}: a text, no recording; give a sound or video file, such as wav or mp4")
            for record in decoding.sound(SILENCE_S):
                assert not isinstance(record, Lost), "no damage was allowed for"
                if waiting and (record.rate_hz != rate_hz or held >= rate_hz * CHUNK_S):
                    yield np.concatenate(waiting), rate_hz
                    heard_s += held / rate_hz
                    waiting, held = [], 0
                waiting.append(record.samples)
                held += len(record.samples)
                rate_hz = record.rate_hz
    except ChildError as error:
        if stopping is not None and stopping.is_set():
            return
        if waiting:
            yield np.concatenate(waiting), rate_hz
            heard_s += held / rate_hz
        raise _explained(path, error, heard_s) from None
    if waiting:
        yield np.concatenate(waiting), rate_hz


def _explained(path: Path, error: ChildError, heard_s: float) -> SourceError:
    if "SourceError" in error.kinds:
        return SourceError(error.text)
    if STALLED in error.kinds:
        return SourceError(f"{path}: the disk or FFmpeg hangs after {heard_s:.2f} s of sound ({error.text})")
    if heard_s:
        return SourceError(f"{path}: damaged after {heard_s:.2f} s of sound ({error.text})")
    return SourceError(
        f"{path}: no recording that FFmpeg reads ({error.text}); give a sound or video file, such as wav or mp4"
    )


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
