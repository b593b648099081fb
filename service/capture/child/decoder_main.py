"""The process that decodes: FFmpeg alone with a stranger's bytes, in little memory, without a file to write.

Run as `python -m service.capture.child.decoder_main` by `decoder.Decoder`: a request on standard input, records on
standard output.
"""

import json
import resource
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from service.capture.child.chained_stream import links
from service.capture.child.child_main import Daemon, serve
from service.capture.child.decoder_request import Opened, Request
from service.capture.child.losses import Losses
from service.capture.child.protocol import CHANNELS, HEADER, LOST, MOST_SAMPLES, SOUND, TRACK
from service.capture.child.recording_parts import Part, parts_of, rest_of

if TYPE_CHECKING:
    from av.container import InputContainer

    from model.decoding.frames import Frame, Reader
    from service.capture.child.stream_opening import Found

SAMPLE_BYTES: Final = 2
"""Of int16."""

LIMITS: Final = (
    (resource.RLIMIT_DATA, 256 * 2**20),  # bytes: ten times what a stream takes, and a long film's index fits
    (resource.RLIMIT_FSIZE, 0),  # bytes: it writes into a pipe and no file
    (resource.RLIMIT_CORE, 0),  # bytes: a core dump would hold the family's sound
    (resource.RLIMIT_NOFILE, 64),  # one connection, a playlist's segments, FFmpeg's own few
)
"""What the process may take. Its time has no limit: a stream plays for months; the daemon ends one that stalls."""


def _decode(daemon: Daemon, asked: dict[str, Any]) -> None:
    import av  # noqa: PLC0415 - after the limits

    from service.capture.child.stream_opening import Found, open_stream, opened  # noqa: PLC0415

    request = Request(**asked)
    told = _Told(daemon, Losses(request.url))
    heard = True
    while heard and (not told.opened or request.again):
        heard = False
        parts = parts_of(request.url) if request.recording else [Part(request.url)]
        while parts:
            part = parts.pop(0)
            if request.stream:
                found = open_stream(request, daemon.note)
            else:
                found = Found(av.open(part.url, format=part.format, options=request.options | dict(part.options)))
            with found.container as container:
                told.open(found)
                reader = _reader(request, container)
                try:
                    heard = _hear(reader, told) or heard
                except (av.error.InvalidDataError, av.error.PatchWelcomeError):
                    if not (reader.heard_s and told.is_live and container.format.name == "ogg"):
                        raise
                    break
                rest = rest_of(request.url, part, container, reader) if request.recording else None
            parts[:0] = [] if rest is None else [rest]
        else:
            continue
        # A station that goes on in another format: it is asked again, for each of its links by itself.
        with opened(request, request.options, "data") as stream:
            for link in links(stream):
                with av.open(link, "r", format="ogg") as container:
                    _hear(_reader(request, container), told)


def _reader(request: Request, container: "InputContainer") -> "Reader":
    from model.decoding.frames import Reader  # noqa: PLC0415
    from model.decoding.tracks import Wanted  # noqa: PLC0415

    wanted = Wanted(request.track, request.language)
    return Reader(container, request.name, wanted, damage=request.damage, timed=request.recording)


def _hear(reader: "Reader", told: "_Told") -> bool:
    """Tells all sound; returns whether there was any."""
    heard = False
    for frame in reader.frames():
        heard = True
        told.sound(frame, reader.track)
    return heard


class _Told:
    """What the daemon knows so far."""

    def __init__(self, daemon: Daemon, losses: Losses) -> None:
        self.opened = False
        self.is_live = False
        """Whether it has no length."""
        self._daemon = daemon
        self._losses = losses
        self._channels = 1
        self._track = ""

    def open(self, found: "Found") -> None:
        """Tells what was opened; once."""
        if not self.opened:
            self._daemon.opened(asdict(Opened(found.container.format.name, found.ends, found.bare)))
            self.opened, self.is_live = True, not found.ends

    def sound(self, frame: "Frame", track: str) -> None:
        """Tells a frame, what was lost before it, and what of it is new."""
        if track != self._track:
            text = json.dumps({"track": track}).encode()
            self._daemon.write(HEADER.pack(TRACK, 0, len(text)), text)
            self._track = track
        if frame.channels != self._channels:
            self._daemon.write(HEADER.pack(CHANNELS, 0, frame.channels))
            self._channels = frame.channels
        length = len(frame.raw) // SAMPLE_BYTES // frame.channels
        if lost := self._losses.take(length, frame.rate_hz, frame.lost):
            self._daemon.write(HEADER.pack(LOST, frame.rate_hz, lost))
        most = MOST_SAMPLES // frame.channels * frame.channels * SAMPLE_BYTES
        for start in range(0, len(frame.raw), most):
            piece = frame.raw[start : start + most]
            self._daemon.write(HEADER.pack(SOUND, frame.rate_hz, len(piece) // SAMPLE_BYTES), piece)


def _load() -> None:
    import av  # noqa: F401, PLC0415 - after the limits

    import model.decoding.frames  # noqa: F401, PLC0415
    import service.capture.child.stream_opening  # noqa: F401, PLC0415


if __name__ == "__main__":
    serve(_decode, LIMITS, _load)
