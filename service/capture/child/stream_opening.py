"""A stream, opened: by FFmpeg as it is; else by another transport, as bare sound, or with more patience.

Whatever is tried after FFmpeg's first no costs an answer: a camera that says nothing is not asked again.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import av
import av.error

from monitord.errors import SourceError
from service.capture.streams.bare import Bare, named

if TYPE_CHECKING:
    from av.container import InputContainer

    from service.capture.child.decoder_request import Request
    from service.capture.child.web import Answer

LATE_BYTES: Final = 50_000_000
"""How much of a picture may come meanwhile: 15 s of the 25 Mbit/s of the best cameras."""

BARE_BYTES: Final = 1_024
"""How much bare sound is taken at once: an eighth of a second of a telephone's."""

LITTLE_BYTES: Final = 1_024
"""What a web server sends before it has any sound (bytes): a header."""

SILENCE_S: Final = 8.0
"""Longest silence where the request says none (seconds)."""

OK: Final = 2
"""First digit of HTTP's good answers."""

QUICK_S: Final = 5.0
"""An error that comes within so long (seconds) was an answer; RTSP's own word for no answer is that data is invalid."""

Note = Callable[[dict[str, Any]], None]
"""Tells the daemon what has been seen so far."""

_SAID_ALREADY: Final = (
    av.error.HTTPUnauthorizedError,
    av.error.HTTPForbiddenError,
    av.error.HTTPNotFoundError,
    av.error.ConnectionRefusedError,
)
"""Answers that need no second look; and a wrong password said too often locks the account."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was opened."""

    container: "InputContainer"
    """May have no sound for all that."""
    bare: bool = False
    """Whether it is bare sound, and only the web server's answer told so."""
    length: bool | None = None
    """Whether it has an end; None: the container knows."""

    @property
    def ends(self) -> bool:
        """Whether it has a length: a recording, not a live stream."""
        known = bool(self.container.duration) and self.container.size > 0
        return known if self.length is None else self.length


def open_stream(request: "Request", note: Note) -> Found:
    """Opens it.

    Raises:
        av.error.FFmpegError: It cannot be opened; what was seen of it has been noted.
        SourceError: What the web server answers is no sound.
    """
    bare = None if request.bare is None else Bare(*request.bare)
    if (bare is not None or request.ask_first) and (found := _bare_from_web(request, bare)) is not None:
        return found
    began_s = time.monotonic()
    try:
        if bare is None:
            container = opened(request, request.options)
        else:
            container = opened(request, request.options | bare.options, bare.demuxer)
    except av.error.FFmpegError as error:
        return _otherwise(request, note, error, quick=time.monotonic() - began_s < QUICK_S)
    return Found(_with_sound(request, note, container))


def _otherwise(request: "Request", note: Note, error: av.error.FFmpegError, *, quick: bool) -> Found:
    """Opens it in another way, or raises the error after a note of what is there instead."""
    if isinstance(error, _SAID_ALREADY) or not request.look:
        raise error
    if request.instead and quick:
        try:
            return Found(_with_sound(request, note, opened(request, request.options | request.instead)))
        except av.error.FFmpegError:
            pass  # the first error says more
    from service.capture.child.seen import look  # noqa: PLC0415 - TLS and HTTP are megabytes

    seen = look(request)
    if request.bare is None and named(seen.content_type) and (found := _bare_from_web(request, None)) is not None:
        return found
    silent = isinstance(error, (av.error.ExitError, av.error.TimeoutError))
    if silent and request.late_s and seen.status // 100 == OK and seen.came < LITTLE_BYTES:
        note({"late": "nothing"})
        try:
            return Found(_with_patience(request))
        except av.error.FFmpegError:
            pass  # the first error says as much
    note({"seen": asdict(seen)})
    raise error


def _bare_from_web(request: "Request", bare: Bare | None) -> Found | None:
    """Opens what a web server sends as bare sound; None where it sends something else, or nothing."""
    if urlsplit(request.url).scheme not in {"http", "https"}:
        return None
    from http.client import HTTPException  # noqa: PLC0415 - HTTP is megabytes

    from service.capture.child.web import get, is_page  # noqa: PLC0415

    try:
        answer = get(request, request.read_s or SILENCE_S)
    except (OSError, HTTPException, ValueError):
        return None  # FFmpeg will say why
    found = bare or named(answer.content_type)
    if answer.status // 100 != OK or found is None:
        answer.close()
        return None
    if is_page(answer.content_type):
        answer.close()
        raise SourceError(
            f"{request.name}: answers {answer.status} with {answer.content_type}, which is no bare sound: "
            "check what follows the host"
        )
    # Read by ourselves: FFmpeg refuses to be told the rate where it sees the type audio/L16.
    container = av.open(answer, "r", found.demuxer, options=found.options, buffer_size=BARE_BYTES)
    return Found(container, bare=bare is None, length=answer.length is not None)


def _with_sound(request: "Request", note: Note, container: "InputContainer") -> "InputContainer":
    """Returns it as soon as it has sound, or what there is after `late_s`."""
    if container.streams.audio or not request.late_s:
        return container
    kinds = sorted({stream.type for stream in container.streams})
    note({"late": " and ".join(kinds) or "nothing"})
    joins = container.format.name == "mpegts"
    container.close()
    if joins:
        return _joined(request)
    # PyAV knows the streams that were there when it was opened, and none that comes later: it is opened anew.
    return _with_patience(request)


def _with_patience(request: "Request") -> "InputContainer":
    late_us = str(round(1e6 * request.late_s))
    patience = {"analyzeduration": late_us, "probesize": str(LATE_BYTES), "rw_timeout": late_us}
    if "timeout" in request.options:
        patience["timeout"] = late_us
    return opened(request, request.options | patience, late_s=request.late_s)


def _joined(request: "Request") -> "InputContainer":
    """Joins an MPEG transport stream again and again, until its table of programmes names a sound.

    FFmpeg believes the first table that it sees. On the web it is joined on one connection: some servers begin anew
    with each, and would never come so far.
    """
    until_s = time.monotonic() + request.late_s
    answer: Answer | None = None
    if urlsplit(request.url).scheme in {"http", "https"}:
        from service.capture.child.web import get  # noqa: PLC0415

        answer = get(request, request.read_s or SILENCE_S)
    while True:
        if answer is None:
            container = opened(request, request.options)
        else:
            analyse = {"analyzeduration": request.options["analyzeduration"]}
            container = av.open(answer, "r", "mpegts", options=analyse)
        if container.streams.audio or time.monotonic() >= until_s:
            return container
        container.close()


def opened(
    request: "Request", options: dict[str, str], form: str | None = None, late_s: float = 0.0
) -> "InputContainer":
    """Opens it once, as FFmpeg's format of this name; None: as what FFmpeg finds.

    Raises:
        av.error.FFmpegError: It cannot be opened, or not in time.
    """
    timeout = None if request.open_s is None else (request.open_s + late_s, request.read_s)
    return av.open(request.url, format=form, options=options, timeout=timeout)
