"""What is really there where FFmpeg failed: does the name exist, does anybody answer, with what, and does sound come?

FFmpeg tells a name that nobody knows, a certificate that does not hold and a camera that hangs up by one number.
"""

import hashlib
import http.client
import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from service.capture.child.web import believing_all, context, get
from service.capture.streams.protocols import PORTS, SECURED

if TYPE_CHECKING:
    from service.capture.child.decoder_request import Request

CONNECT_S: Final = 2.0
"""Longest wait for a connection, and for an answer (seconds): FFmpeg has waited for five times as long already."""

LISTEN_S: Final = 1.0
"""For how long is looked at what comes (seconds): every microphone sends something in a second."""

MOST_BYTES: Final = 65_536
"""Of what comes; more tells no more."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How far one comes."""

    name: str = ""
    """Why the host's name gives no address: `unknown`, `unanswered` (nobody could say); empty where it does."""
    connected: bool = False
    tls: str = ""
    """Why there is no TLS there, or why the certificate does not hold."""
    fingerprint: str = ""
    """SHA-256 of the certificate that does not hold, in hexadecimal digits."""
    status: int = 0
    """Of HTTP; 0 where there was no answer."""
    content_type: str = ""
    came: int = 0
    """Bytes that followed within `LISTEN_S`."""
    ended: bool = False
    """Whether they were all."""
    strange: str = ""
    """What answered instead of HTTP."""
    rtsp: bool = False
    """Whether `status` is one of RTSP."""


def look(request: "Request") -> Seen:
    """Goes there once more, a few seconds at most, and raises nothing."""
    parts = urlsplit(request.proxy or request.url)
    port = parts.port or PORTS[parts.scheme]
    try:
        addresses = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        again = isinstance(error, socket.gaierror) and error.errno in {socket.EAI_AGAIN, socket.EAI_FAIL}
        return Seen(name="unanswered" if again else "unknown")
    try:
        # The first alone: FFmpeg has tried them all.
        with socket.create_connection((str(addresses[0][4][0]), port), CONNECT_S) as plain:
            seen = Seen(connected=True)
            if parts.scheme in SECURED:
                seen = _secured(request, plain, seen)
            elif parts.scheme == "rtsp":
                seen = _asked_rtsp(request, plain, seen)
    except OSError:
        return Seen()
    if seen.tls or urlsplit(request.url).scheme not in {"http", "https"}:
        return seen
    return _asked(request, seen)


def _secured(request: "Request", plain: socket.socket, seen: Seen) -> Seen:
    host = urlsplit(request.url).hostname
    address = plain.getpeername()[:2]
    try:
        with context(request).wrap_socket(plain, server_hostname=host):
            return seen
    except ssl.SSLCertVerificationError as error:
        return replace(seen, tls=error.verify_message, fingerprint=_fingerprint(address, host))
    except ssl.SSLError as error:
        return replace(seen, tls=f"no TLS there: {error.reason}")
    except OSError:
        return replace(seen, tls="no TLS there: it hangs up")


def _fingerprint(address: tuple[str, int], host: str | None) -> str:
    """Returns whose certificate it is that does not hold, for a person to compare."""
    try:
        with (
            socket.create_connection(address, CONNECT_S) as plain,
            believing_all().wrap_socket(plain, server_hostname=host) as one,
        ):
            return hashlib.sha256(one.getpeercert(binary_form=True) or b"").hexdigest()
    except OSError:
        return ""


def _asked_rtsp(request: "Request", plain: socket.socket, seen: Seen) -> Seen:
    parts = urlsplit(request.url)
    bare_url = f"rtsp://{parts.netloc.rpartition('@')[2]}{parts.path}"
    plain.sendall(f"OPTIONS {bare_url} RTSP/1.0\r\nCSeq: 1\r\nUser-Agent: monitord\r\n\r\n".encode())
    with suppress(OSError):
        words = plain.recv(1024).split(None, 2)
        if len(words) > 1 and words[0].startswith(b"RTSP/") and words[1].isdigit():
            return replace(seen, status=int(words[1][:3]), rtsp=True)
    return seen


def _asked(request: "Request", seen: Seen) -> Seen:
    try:
        answer = get(request, CONNECT_S)
    except http.client.HTTPException as error:
        return replace(seen, strange=str(error)[:60])
    except ssl.SSLCertVerificationError as error:  # behind a proxy
        return replace(seen, tls=error.verify_message)
    except (OSError, ValueError):
        return seen
    seen = replace(seen, status=answer.status, content_type=answer.content_type)
    until_s = time.monotonic() + LISTEN_S
    came = 0
    try:
        while time.monotonic() < until_s and came < MOST_BYTES and not answer.ended:
            came += len(answer.read(MOST_BYTES))
    except (OSError, http.client.HTTPException):
        pass
    finally:
        answer.close()
    return replace(seen, came=came, ended=answer.ended)
