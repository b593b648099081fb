"""What a SOURCE is, before anything is opened: a microphone, a stream or a file, as typed or as configured."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from model.decoding.tracks import ANY, Wanted
from monitord.errors import ConfigError
from service.capture.streams.how import AS_IT_IS, How
from service.settings.command import command
from service.settings.hosts import host_mistake

STREAM_SCHEMES = ("rtsp", "rtsps", "rtmp", "rtmps", "http", "https", "udp")
"""What `StreamSource` reads (FFmpeg's names of the protocols)."""

LISTEN_SCHEMES = ("rtsp", "rtmp", "http")
"""Protocols in which the daemon can be the side that waits for a phone that pushes."""

LISTEN_PREFIX = "listen+"
"""Before a URL on the command line: bind this address and wait, as `listen: true` does in the configuration."""

_UNWRITTEN = re.compile(r"[\s'\"\x00-\x1f\x7f]")
"""What no URL of ours holds unencoded; RFC 3986 allows `'` alone of them."""


@dataclass(frozen=True, slots=True)
class MicrophoneSpec:
    """A capture device of this machine."""

    device: str | int = "default"
    """`default`, a part of the device's name, or its index."""


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A phone or a camera on the network."""

    url: str
    """Starts with one of `STREAM_SCHEMES`; may hold a password."""
    listen: bool = False
    """Whether the daemon binds the address of `url` and waits for a phone that pushes."""
    wanted: Wanted = ANY
    """Which of several audio tracks."""
    how: How = AS_IT_IS
    """What else the family knows of it."""


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A recording."""

    path: Path
    loop: bool = False
    """Whether it starts over at its end."""
    wanted: Wanted = ANY
    """Which of several audio tracks."""


@dataclass(frozen=True, slots=True)
class PageSpec:
    """A phone that is the room's microphone by the family's page."""


SourceSpec = MicrophoneSpec | StreamSpec | FileSpec | PageSpec


def parse_source(text: str) -> SourceSpec:
    """Turns a SOURCE of the command line into a spec: `mic`, `mic:NAME`, `mic:INDEX`, a URL, `listen+URL` or a file.

    Raises:
        ConfigError: Empty, a protocol that is not known, or one that cannot listen. Whether a file exists is
            not asked here: `file.check_file` does.
    """
    if text == "mic":
        return MicrophoneSpec()
    if text.startswith("mic:"):
        return MicrophoneSpec(_device(text.removeprefix("mic:")))
    if "://" in text:
        listen = text.startswith(LISTEN_PREFIX)
        return stream_spec(text.removeprefix(LISTEN_PREFIX), listen=listen)
    if not text:
        raise ConfigError("a source is empty; give mic, mic:NAME, a file, or a URL such as rtsp://camera.local/audio")
    return FileSpec(Path(text))


def stream_spec(url: str, *, listen: bool) -> StreamSpec:
    """Makes the spec of a stream.

    Raises:
        ConfigError: The protocol is not known, cannot listen, or there is no host. The URL's password is not in it.
    """
    scheme, colon, rest = url.partition("://")
    if not colon:
        raise ConfigError(
            "a stream is a URL with its protocol, such as rtsp://camera.local/audio; a recording is a file"
        )
    scheme = scheme.lower()
    allowed = LISTEN_SCHEMES if listen else STREAM_SCHEMES
    if scheme not in allowed:
        role = "listen for" if listen else "read"
        raise ConfigError(f"cannot {role} {scheme}:// streams; allowed are {', '.join(f'{s}://' for s in allowed)}")
    if _UNWRITTEN.search(url):
        # Also, `redact` takes them for the end of an address: what follows them would be shown.
        raise ConfigError(
            "a URL holds a space, a quote or a control character; in a password write a space as %20, "
            "' as %27, \" as %22"
        )
    host, port = host_and_port(url)
    if not rest.partition("/")[0].rpartition("@")[2]:
        raise ConfigError(f"a {scheme}:// URL names no host, such as {scheme}://camera.local/audio")
    if host and (mistake := host_mistake(host)):
        raise ConfigError(f"the host of a {scheme}:// URL: {mistake}")
    if port == 0:
        raise ConfigError("0 is no port; allowed are 1 to 65535")
    if listen and port is None:
        raise ConfigError(f"a listening URL needs a port, such as {scheme}://0.0.0.0:8554/live")
    return StreamSpec(f"{scheme}://{rest}", listen=listen)


def host_and_port(url: str) -> tuple[str, int | None]:
    """Returns where a URL points to; the port is None where it is the protocol's own.

    Raises:
        ConfigError: Host or port cannot be read. The URL is not in it: it may hold a password.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ConfigError(
            "the host or port of a URL cannot be read; in a password write / as %2F, @ as %40, : as %3A, # as %23"
        ) from None
    return host or "", port


def device_of(spec: SourceSpec) -> tuple[str, str] | None:
    """Returns what is listened to, so that the same device is found twice; None for a recording, which may be."""
    match spec:
        case MicrophoneSpec(device):
            return "microphone", str(device).casefold()
        case StreamSpec(url):
            scheme, _, rest = url.partition("://")
            host, slash, path = rest.partition("/")
            return "stream", f"{scheme}://{host.rpartition('@')[2].lower()}{slash}{path}"
        case _:
            return None


def _device(name: str) -> str | int:
    if not name:
        raise ConfigError(f"mic: names no device; `{command('devices')}` lists them, `mic` alone is the default one")
    return int(name) if name.isdecimal() else name
