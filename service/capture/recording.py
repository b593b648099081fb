"""A recording on disk as samples: any container that FFmpeg reads, and of it one audio track, from end to end."""

import errno
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np

from model.decoding.tracks import ANY, Wanted
from monitord.errors import ConfigError, SourceError
from monitord.types import Pcm
from service.capture.child.decoder import Decoder
from service.capture.child.decoder_request import Request
from service.capture.child.process import STALLED, ChildError, ChildProcess
from service.capture.child.sound import Lost, Sound

CHUNK_S = 0.1
"""Length of the chunks (seconds). Codecs give 4 ms (IMA ADPCM) to 0.4 s a frame; each chunk costs a lock and a wake."""

TEXT = "tty"
"""What FFmpeg calls a file that is a text by its name, which it would draw as a video."""

SILENCE_S = 30.0
"""Longest wait for a disk or a decoder (seconds): a disk that sleeps wakes in 10 s."""

MAX_DAMAGED: Final = 3_000
"""Damaged packets in a row that are skipped: a minute of AAC. What is damaged for longer is no recording any more."""

CHECK_S: Final = 12.0
"""Longest look at a recording before anything starts (seconds): all other rooms wait for it."""

_REFUSED: Final = {
    errno.ENOENT: (_MISSING := "no such file; give the path of a recording, mic, or a URL"),
    errno.ENOTDIR: _MISSING,
    errno.EISDIR: "a directory; give one recording in it",
    errno.EACCES: "may not be read; check its permissions",
}
"""What the operator can mend."""

_AWAY: Final = frozenset({errno.EIO, errno.ENODEV, errno.ENXIO, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT})
"""What the system says of a disk that was pulled out, or that lies behind a network which is gone."""


class AwayError(SourceError):
    """The disk does not give the recording now, and may give it later."""


def file_sound(
    path: Path,
    *,
    wanted: Wanted = ANY,
    again: bool = False,
    stopping: threading.Event | None = None,
    lent: ChildProcess | None = None,
) -> Iterator[Sound | Lost]:
    """Yields sound of about `CHUNK_S` and what is damaged in between, the whole recording, every sample once.

    Args:
        path: What to decode; FFmpeg may read no other protocol than files meanwhile.
        wanted: Which of several audio tracks.
        again: Whether it starts over at its end, for ever.
        stopping: Once set, the sound ends.
        lent: What decodes it, of `Decoders`; None: a process of its own.

    Raises:
        ConfigError: The path is missing, a directory, or may not be read.
        AwayError: The disk hangs, or is gone.
        SourceError: It is no media, holds no sound, or is damaged; what was yielded before is good.
    """
    waiting: list[Sound] = []
    heard_s = 0.0
    try:
        with Decoder(_request(path, wanted, again=again), stopping, lent=lent) as decoder:
            opened = decoder.opened()
            if opened is None:
                return
            if opened.format == TEXT:
                raise SourceError(f"{path}: a text, no recording; give a sound or video file, such as wav or mp4")
            for record in decoder.sound(SILENCE_S):
                heard_s += record.n / record.rate_hz
                if waiting and _ends(waiting, record):
                    yield _joined(waiting)
                    waiting = []
                if isinstance(record, Lost):
                    yield record
                else:
                    waiting.append(record)
    except ChildError as error:
        if stopping is not None and stopping.is_set():
            return
        if waiting:
            yield _joined(waiting)
        raise _explained(path, error, heard_s) from None
    if waiting:
        yield _joined(waiting)


def file_chunks(
    path: Path, *, wanted: Wanted = ANY, stopping: threading.Event | None = None
) -> Iterator[tuple[Pcm, int]]:
    """Yields (int16 [n] mono, rate in hertz), what can be heard of a recording; otherwise as `file_sound`."""
    for record in file_sound(path, wanted=wanted, stopping=stopping):
        if isinstance(record, Sound):
            yield record.samples, record.rate_hz


def check_file(path: Path, wanted: Wanted = ANY) -> None:
    """Finds out before anything starts whether the recording gives sound, by decoding its beginning.

    A pipe is not looked at: what is read of it once is gone. Of a disk that hangs the source itself will tell.

    Raises:
        ConfigError: The path is missing, a directory, or may not be read: the operator wrote another than they meant.
        SourceError: It is no media, holds no sound, or is damaged from the start.
    """
    if _is_pipe(path):
        return
    late = threading.Event()
    timer = threading.Timer(CHECK_S, late.set)
    timer.start()
    try:
        if next(file_chunks(path, wanted=wanted, stopping=late), None) is None and not late.is_set():
            raise SourceError(f"{path}: its audio track is empty; give a recording with sound")
    finally:
        timer.cancel()


def _request(path: Path, wanted: Wanted, *, again: bool) -> Request:
    # `file:` before an absolute path: a name such as `concat:a|b` or `http://x` is a name. `subfile` is a part of one.
    is_pipe = _is_pipe(path)
    # What writes into a pipe cannot go back to state a length.
    length = {"ignore_length": "1"} if is_pipe else {}
    return Request(
        f"file:{path.absolute()}",
        str(path),
        {"protocol_whitelist": "file,subfile"} | length,
        again=again,
        damage=MAX_DAMAGED,
        recording=not is_pipe,
        track=wanted.track,
        language=wanted.language,
    )


def _is_pipe(path: Path) -> bool:
    try:
        return path.is_fifo()
    except OSError:  # a name too long, a folder that may not be searched: FFmpeg says it better
        return False


def _ends(waiting: list[Sound], record: Sound | Lost) -> bool:
    """Whether what waits is a chunk of its own."""
    held, rate_hz = sum(sound.n for sound in waiting), waiting[-1].rate_hz
    return isinstance(record, Lost) or record.rate_hz != rate_hz or held >= rate_hz * CHUNK_S


def _joined(waiting: list[Sound]) -> Sound:
    """One chunk, in the state of its newest part."""
    return replace(waiting[-1], samples=np.concatenate([sound.samples for sound in waiting]))


def _explained(path: Path, error: ChildError, heard_s: float) -> ConfigError | SourceError:
    """Says in words what is wrong. The child opens the file, for an open may hang as much as a read."""
    if "SourceError" in error.kinds:
        return SourceError(error.text)
    after = f"after {heard_s:.2f} s of sound ({error.text})"
    if STALLED in error.kinds:
        return AwayError(f"{path}: the disk or FFmpeg hangs {after}")
    if words := _REFUSED.get(error.errno or 0):
        return ConfigError(f"{path}: {words}")
    if error.errno in _AWAY:
        return AwayError(f"{path}: the disk is gone {after}")
    if heard_s:
        return SourceError(f"{path}: damaged {after}")
    return SourceError(
        f"{path}: no recording that FFmpeg reads ({error.text}); give a sound or video file, such as wav or mp4"
    )
