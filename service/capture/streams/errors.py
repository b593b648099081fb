"""What FFmpeg says when a stream fails, and what was seen there, in words that help a parent."""

import errno
from collections.abc import Mapping

from service.capture.captured_source import AttemptError
from service.capture.child.process import ABSENT, CRASHED, STALLED, ChildError
from service.capture.child.seen import Seen
from service.capture.own_address import reachable
from service.capture.redact import redact
from service.capture.source import SourceState
from service.capture.spec import StreamSpec, host_and_port
from service.capture.streams.evidence import answered, evidence, is_a_page, way_blocked
from service.settings.hosts import lookup_mistake

_BY_KIND: tuple[tuple[str, SourceState, str], ...] = (
    ("HTTPUnauthorizedError", SourceState.AUTH_FAILED, "{auth}"),
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
    errno.EPROTONOSUPPORT: "refuses the transport ({transport}): try `transport: {other}`",
}

_NOBODY = "nobody has sent anything yet"


def explain(
    error: ChildError,
    spec: StreamSpec,
    seen: Mapping[str, object] | None = None,
    *,
    heard_s: float | None,
    late: bool,
    proxy: str | None = None,
) -> AttemptError:
    """Makes the fault; no password is in it.

    Args:
        error: What FFmpeg said; its text may hold the URL.
        spec: What was opened.
        seen: What the decoder's process found there after it had failed; None: it did not look.
        heard_s: Sound that came before (seconds); None: it had not been opened when that happened.
        late: Whether the time to open it was over: RTSP then says that the data is invalid.
        proxy: What was to lead there.
    """
    state, words = _state_and_words(error, spec, evidence(seen), heard_s=heard_s, late=late)
    if "SourceError" in error.kinds:
        return AttemptError(state, words)
    via = f" (through the proxy {redact(proxy)} of http_proxy; no_proxy leaves it out)" if proxy else ""
    return AttemptError(state, f"{redact(spec.url)}: {words}{via}")


def waiting(spec: StreamSpec) -> str:
    """Says that the daemon waits for a phone."""
    return f"waiting for a phone that sends to {redact(reachable(spec.url))}"


def lasted(seconds: float) -> str:
    """A time as a person says it."""
    minutes, rest_s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest_s} s"


def _state_and_words(  # noqa: PLR0911 - the first that fits counts
    error: ChildError, spec: StreamSpec, seen: Seen | None, *, heard_s: float | None, late: bool
) -> tuple[SourceState, str]:
    if "SourceError" in error.kinds:
        return SourceState.DECODE_ERROR, error.text
    if heard_s is None and (blocked := way_blocked(seen, spec)):
        return SourceState.RECONNECTING, blocked
    answer = f" ({answered(seen)})" if answered(seen) else ""
    if late or error.kinds & {"ExitError", "TimeoutError", STALLED}:
        return SourceState.RECONNECTING, _silence(spec, seen, heard_s=heard_s)
    if "InvalidDataError" in error.kinds and is_a_page(seen):
        return SourceState.DECODE_ERROR, f"sends a page, no sound{answer}: check what follows the host"
    for kind, state, words in _BY_KIND:
        if kind in error.kinds:
            return state, words.format(auth=_auth(spec), text=error.text) + answer
    if "FFmpegError" in error.kinds:
        return SourceState.RECONNECTING, _by_number(error, spec, heard_s=heard_s) + answer
    return SourceState.DECODE_ERROR, error.text


def _by_number(error: ChildError, spec: StreamSpec, *, heard_s: float | None) -> str:
    if error.errno == errno.EIO:
        return _broken(spec, heard_s=heard_s)
    transport = spec.how.transport
    words = _BY_ERRNO.get(error.errno or 0) or error.text
    return words.replace("{transport}", transport).replace("{other}", "tcp" if transport == "udp" else "udp")


def _silence(  # noqa: PLR0911 - the same
    spec: StreamSpec, seen: Seen | None, *, heard_s: float | None
) -> str:
    """What a timeout means."""
    if heard_s:
        return f"connected, but sends nothing since {lasted(heard_s)} of sound"
    if heard_s is not None:
        transport = spec.how.transport
        hint = {"auto": "", "tcp": ": try `transport: udp`", "udp": " by UDP (a firewall?): try `transport: tcp`"}
        return f"connected, but sends nothing{hint[transport]}"
    if _comes_to_us(spec):
        return _NOBODY
    if seen is None or not seen.connected:
        return "no answer: is it on, and in this network?"
    answer = answered(seen)
    if not answer:
        return "takes the connection, but gives no answer: restart the app or camera"
    if seen.came:
        return f"{answer}, in which FFmpeg finds no sound: say what it is by `format:`, as in PCMU/8000 or L16/16000/1"
    if spec.url.startswith("rtsp"):
        return f"{answer}, but sends no sound: try `transport: udp`"
    return answer


def _broken(spec: StreamSpec, *, heard_s: float | None) -> str:
    """What an input/output error means: FFmpeg also says that for a name that nobody knows."""
    if heard_s is not None:
        return "the connection broke" + (f" after {lasted(heard_s)} of sound" if heard_s else "")
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
