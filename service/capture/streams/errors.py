"""What FFmpeg says when a stream fails, in words that help a parent."""

import errno

from service.capture.captured_source import AttemptError
from service.capture.child.process import ABSENT, CRASHED, STALLED, ChildError
from service.capture.own_address import reachable
from service.capture.redact import redact
from service.capture.source import SourceState
from service.capture.spec import StreamSpec, host_and_port
from service.settings.hosts import lookup_mistake

_BY_KIND: tuple[tuple[str, SourceState, str], ...] = (
    (
        "HTTPUnauthorizedError",
        SourceState.AUTH_FAILED,
        "{auth}",
    ),
    ("HTTPForbiddenError", SourceState.AUTH_FAILED, "{auth}"),
    (
        "HTTPNotFoundError",
        SourceState.RECONNECTING,
        "answers, but has no such stream: check what follows the host",
    ),
    ("HTTPError", SourceState.RECONNECTING, "answers with an error: {text}"),
    ("ConnectionRefusedError", SourceState.RECONNECTING, "nobody answers at this port: is the app or camera on?"),
    ("InvalidDataError", SourceState.DECODE_ERROR, "sends no sound or video that FFmpeg reads"),
    ("LookupError", SourceState.DECODE_ERROR, "sends what this FFmpeg does not know: {text}"),
    ("PatchWelcomeError", SourceState.DECODE_ERROR, "sends what this FFmpeg does not know: {text}"),
    ("MemoryError", SourceState.DECODE_ERROR, "sends what takes more memory to decode than it gets"),
    (ABSENT, SourceState.RECONNECTING, "{text}"),
    (CRASHED, SourceState.DECODE_ERROR, "sends what FFmpeg cannot bear: {text}"),
)
"""Class of FFmpeg's error, state, words; the first that fits counts."""

_BY_ERRNO = {
    errno.EADDRINUSE: "another program has this port of this machine: give another one in the URL",
    errno.EADDRNOTAVAIL: "this machine has no such address: listen on 0.0.0.0",
    errno.EACCES: "this user may not open that port: give one from 1024 on",
    errno.EHOSTUNREACH: "no way to this host: is it on, and in this network?",
    errno.ENETUNREACH: "no way to this host: is this machine in the network?",
}

_NOBODY = "nobody has sent anything yet"


def explain(error: ChildError, spec: StreamSpec, *, connected: bool, late: bool) -> AttemptError:
    """Makes the fault; no password is in it.

    Args:
        error: What FFmpeg said; its text may hold the URL.
        spec: What was opened.
        connected: Whether it had been opened when that happened.
        late: Whether the time to open it was over: RTSP then says that the data is invalid.
    """
    where = redact(spec.url)
    if late or error.kinds & {"ExitError", "TimeoutError", STALLED}:
        return AttemptError(SourceState.RECONNECTING, f"{where}: {_silence(spec, connected=connected)}")
    if "SourceError" in error.kinds:
        return AttemptError(SourceState.DECODE_ERROR, error.text)
    for kind, state, words in _BY_KIND:
        if kind in error.kinds:
            return AttemptError(state, f"{where}: {words.format(auth=_auth(spec), text=error.text)}")
    if "FFmpegError" in error.kinds:
        return AttemptError(SourceState.RECONNECTING, f"{where}: {_words(error, spec, connected=connected)}")
    return AttemptError(SourceState.DECODE_ERROR, f"{where}: {error.text}")


def waiting(spec: StreamSpec) -> str:
    """Says that the daemon waits for a phone."""
    return f"waiting for a phone that sends to {redact(reachable(spec.url))}"


def _words(error: ChildError, spec: StreamSpec, *, connected: bool) -> str:
    if error.errno == errno.EIO:
        return _broken(spec, connected=connected)
    return _BY_ERRNO.get(error.errno or 0) or error.text


def _silence(spec: StreamSpec, *, connected: bool) -> str:
    """What a timeout means."""
    if connected:
        return "connected, but sends nothing"
    return _NOBODY if _comes_to_us(spec) else "no answer: is it on, and in this network?"


def _broken(spec: StreamSpec, *, connected: bool) -> str:
    """What an input/output error means: FFmpeg also says that for a name that nobody knows."""
    if connected:
        return "the connection broke"
    if _comes_to_us(spec):
        return _NOBODY
    return lookup_mistake(host_and_port(spec.url)[0]) or "closed before any sound came"


def _comes_to_us(spec: StreamSpec) -> bool:
    return spec.listen or spec.url.startswith("udp:")


def _auth(spec: StreamSpec) -> str:
    if "@" in spec.url.partition("://")[2].partition("/")[0]:
        return "refuses this user and password: check them in the URL"
    scheme = spec.url.partition("://")[0]
    return f"wants a user and a password: write {scheme}://USER:PASSWORD@HOST/..."
