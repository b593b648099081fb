"""The process that decodes: FFmpeg alone with a stranger's bytes, in little memory, without a file to write.

Run as `python -m service.sources.decoder` by `decoding.Decoding`: a request on standard input, records on standard
output. It imports next to nothing (no NumPy): each stream has such a process of its own.
"""

import ctypes
import json
import os
import resource
import signal
import sys
import traceback
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING, Final

from service.sources.decoder_words import (
    ENDED,
    FAILED,
    HEADER,
    LOST,
    MOST_SAMPLES,
    MOST_TEXT,
    OPENED,
    SOUND,
    Failed,
    Opened,
    Request,
)

if TYPE_CHECKING:
    from av.container import InputContainer

LIMITS: Final = (
    (resource.RLIMIT_DATA, 256 * 2**20),  # bytes: ten times what a stream takes, and a long film's index fits
    (resource.RLIMIT_FSIZE, 0),  # bytes: it writes into a pipe and no file
    (resource.RLIMIT_CORE, 0),  # bytes: a core dump would hold the family's sound
    (resource.RLIMIT_NOFILE, 64),  # one connection, a playlist's segments, FFmpeg's own few
)
"""What the process may take. Its time has no limit: a stream plays for months; the daemon ends one that stalls."""

FIRST_TO_DIE: Final = 500
"""Added to the kernel's choice when memory runs out (-1000 to 1000): the ear that one room lost comes back."""

_PR_SET_PDEATHSIG: Final = 1
"""linux/prctl.h: the signal that comes when the thread that started this process ends."""


def main() -> None:
    """Decodes one request to its end. The daemon leaves by closing the pipe, or by killing."""
    given = json.loads(sys.stdin.buffer.readline())
    daemon = given.pop("daemon")
    _confine(daemon)
    request = Request(**given)
    with suppress(BrokenPipeError):
        try:
            _decode(request)
        except Exception as error:  # noqa: BLE001 - FFmpeg's are expected, others are told with their place
            _tell(FAILED, _failed(error))
        else:
            _write(HEADER.pack(ENDED, 0, 0))
    os._exit(0)  # nothing is left to be saved, and closing a connection may hang


def _confine(daemon: int) -> None:
    # Ctrl-C and a service manager's end go to all processes: the daemon has its goodbyes to say, and ends this one.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    for limit, most in LIMITS:
        hard = resource.getrlimit(limit)[1]
        value = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(limit, (value, value))
    with suppress(OSError, AttributeError):  # Linux has it; elsewhere the closed pipe ends this process
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != daemon:
        os._exit(0)  # it ended before the line above
    with suppress(OSError), open("/proc/self/oom_score_adj", "w") as score:  # noqa: PTH123 - pathlib is a megabyte
        score.write(str(FIRST_TO_DIE))


def _decode(request: Request) -> None:
    import av  # noqa: PLC0415 - after the limits

    heard = True
    first = True
    while heard and (first or request.again):
        timeout = None if request.open_s is None else (request.open_s, request.read_s)
        with av.open(request.url, options=request.options, timeout=timeout) as container:
            if first:
                ends = bool(container.duration) and container.size > 0
                _tell(OPENED, Opened(container.format.name, ends))
            first, heard = False, False
            for raw, rate_hz in _frames(container, request):
                heard = True
                for start in range(0, len(raw), 2 * MOST_SAMPLES):
                    piece = raw[start : start + 2 * MOST_SAMPLES]
                    _write(HEADER.pack(SOUND, rate_hz, len(piece) // 2), piece)


def _frames(container: "InputContainer", request: Request) -> Iterator[tuple[bytes, int]]:
    """Yields the sound, and tells what is lost: damaged packets, each taken to be as long as the frame before."""
    from av.error import InvalidDataError  # noqa: PLC0415

    from monitord.decode import raw_frames  # noqa: PLC0415

    damaged = 0  # packets in a row
    length, rate = 0, 0  # samples and hertz of the last good frame
    while True:
        try:
            for raw, rate_hz in raw_frames(container, request.name):
                if damaged and rate == rate_hz:
                    _write(HEADER.pack(LOST, rate_hz, damaged * length))
                damaged, length, rate = 0, len(raw) // 2, rate_hz
                yield raw, rate_hz
        except InvalidDataError:
            damaged += 1
            if damaged > request.damage:
                raise
        else:
            return


def _failed(error: Exception) -> Failed:
    kinds = tuple(kind.__name__ for kind in type(error).__mro__)
    if "FFmpegError" in kinds:
        return Failed(kinds, getattr(error, "strerror", None) or kinds[0], getattr(error, "errno", None))
    if "SourceError" in kinds:
        return Failed(kinds, str(error))
    return Failed(kinds, traceback.format_exc())


def _tell(kind: bytes, news: Opened | Failed) -> None:
    text = json.dumps(asdict(news)).encode()
    if len(text) > MOST_TEXT and isinstance(news, Failed):
        text = json.dumps(asdict(Failed(news.kinds, news.text[-MOST_TEXT // 8 :], news.errno))).encode()
    _write(HEADER.pack(kind, 0, len(text)), text)


def _write(*parts: bytes) -> None:
    """Waits until the daemon has room: what is in the pipe is all that waits on this side."""
    rest = memoryview(b"".join(parts))
    while rest:
        rest = rest[os.write(1, rest) :]


if __name__ == "__main__":
    main()
