"""The process that decodes: FFmpeg alone with a stranger's bytes, in little memory, without a file to write.

Run as `python -m service.capture.child.decoder_main` by `decoder.Decoder`: a request on standard input, records on
standard output.
"""

import resource
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from service.capture.child.child_main import Daemon, serve
from service.capture.child.decoder_request import Opened, Request
from service.capture.child.losses import Losses
from service.capture.child.protocol import HEADER, LOST, MOST_SAMPLES, SOUND

if TYPE_CHECKING:
    from av.container import InputContainer

LIMITS: Final = (
    (resource.RLIMIT_DATA, 256 * 2**20),  # bytes: ten times what a stream takes, and a long film's index fits
    (resource.RLIMIT_FSIZE, 0),  # bytes: it writes into a pipe and no file
    (resource.RLIMIT_CORE, 0),  # bytes: a core dump would hold the family's sound
    (resource.RLIMIT_NOFILE, 64),  # one connection, a playlist's segments, FFmpeg's own few
)
"""What the process may take. Its time has no limit: a stream plays for months; the daemon ends one that stalls."""


def _decode(daemon: Daemon, asked: dict[str, Any]) -> None:
    import av  # noqa: PLC0415 - after the limits

    from service.capture.child.stream_opening import Found, open_stream  # noqa: PLC0415

    request = Request(**asked)
    losses = Losses(request.url)
    heard = True
    first = True
    while heard and (first or request.again):
        if request.stream:
            found = open_stream(request, daemon.note)
        else:
            found = Found(av.open(request.url, options=request.options))
        with found.container as container:
            if first:
                daemon.opened(asdict(Opened(container.format.name, found.ends, found.bare)))
            first, heard = False, False
            for raw, rate_hz in _frames(daemon, container, request):
                heard = True
                if missed := losses.take(len(raw) // 2, rate_hz):
                    daemon.write(HEADER.pack(LOST, rate_hz, missed))
                for start in range(0, len(raw), 2 * MOST_SAMPLES):
                    piece = raw[start : start + 2 * MOST_SAMPLES]
                    daemon.write(HEADER.pack(SOUND, rate_hz, len(piece) // 2), piece)


def _frames(daemon: Daemon, container: "InputContainer", request: Request) -> Iterator[tuple[bytes, int]]:
    """Yields the sound, and tells what is lost: damaged packets, each taken to be as long as the frame before."""
    from av.error import InvalidDataError  # noqa: PLC0415

    from model.decode import raw_frames  # noqa: PLC0415

    damaged = 0  # packets in a row
    length, rate = 0, 0  # samples and hertz of the last good frame
    while True:
        try:
            for raw, rate_hz in raw_frames(container, request.name):
                if damaged and rate == rate_hz:
                    daemon.write(HEADER.pack(LOST, rate_hz, damaged * length))
                damaged, length, rate = 0, len(raw) // 2, rate_hz
                yield raw, rate_hz
        except InvalidDataError:
            damaged += 1
            if damaged > request.damage:
                raise
        else:
            return


if __name__ == "__main__":
    serve(_decode, LIMITS)
