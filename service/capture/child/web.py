"""A request of our own, of the decoder's process: what a web server answers, and the bare sound that follows.

FFmpeg keeps for itself what was answered, and cannot read `audio/L16` once it knows that name.
"""

import http.client
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

if TYPE_CHECKING:
    from service.capture.child.decoder_request import Request

_MOST_WORDS: Final = 100
"""Longest part of an answer that is shown (characters)."""


@dataclass(slots=True)
class Answer:
    """What was answered, and what follows it. PyAV reads it like a file."""

    status: int
    """As in HTTP."""
    content_type: str
    """As it was sent; empty where it was not."""
    body: http.client.HTTPResponse | urllib.error.HTTPError
    """Open."""
    length: int | None
    """Bytes that follow; None where it goes on for ever."""
    ended: bool = False
    """Whether all of it has been read."""

    def read(self, most: int) -> bytes:
        """Returns what has come, at most so many bytes; waits for the first. Empty at the end.

        Raises:
            OSError: It broke off, or nothing came in time.
        """
        body = self.body
        come = body.read1(most) if isinstance(body, http.client.HTTPResponse) else body.read(most)
        self.ended = not come
        return come

    def close(self) -> None:
        """Hangs up."""
        self.body.close()


def is_page(content_type: str) -> bool:
    """Whether it is something for eyes: a page to log in, a picture, a program's answer."""
    kind = content_type.partition(";")[0].strip().lower()
    return kind.startswith(("text/", "image/")) or kind in {"application/json", "application/xml"}


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Follows to the same host alone, and not from https to http: the password goes along."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        *answer: Any,  # noqa: ANN401 - the library's
        **rest: Any,  # noqa: ANN401
    ) -> urllib.request.Request | None:
        asked = super().redirect_request(req, *answer, **rest)
        after = urlsplit(req.full_url if asked is None else asked.full_url)
        before = urlsplit(req.full_url)
        return asked if (before.scheme, before.hostname) == (after.scheme, after.hostname) else None


def believing_all() -> ssl.SSLContext:
    """Verifies nobody: most cameras sign their own certificates."""
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return trusting


def context(request: "Request") -> ssl.SSLContext:
    """Trusts what FFmpeg is told to trust."""
    if not request.verify:
        return believing_all()
    checking = ssl.create_default_context(cafile=request.options.get("ca_file"))
    if "verifyhost" in request.options:  # one certificate alone is trusted, whatever host it names
        checking.check_hostname = False
        checking.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return checking


def get(request: "Request", timeout_s: float) -> Answer:
    """Asks, with the user and password of the URL, through the proxy of the environment.

    Args:
        request: With an http or https URL.
        timeout_s: Longest silence, also of what follows (seconds).

    Raises:
        OSError: There is no answer.
        http.client.HTTPException: It is none of HTTP.
    """
    parts = urlsplit(request.url)
    bare_url = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path or "/", parts.query, ""))
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    if parts.username is not None:
        passwords.add_password(None, bare_url, unquote(parts.username), unquote(parts.password or ""))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({parts.scheme: request.proxy} if request.proxy else {}),
        urllib.request.HTTPSHandler(context=context(request)),
        urllib.request.HTTPBasicAuthHandler(passwords),
        urllib.request.HTTPDigestAuthHandler(passwords),
        _SameHost,
    )
    asked = urllib.request.Request(bare_url, headers={"User-Agent": "monitord", "Accept": "*/*"})  # noqa: S310 - http(s)
    try:
        body = opener.open(asked, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        body = error
    except urllib.error.URLError as error:
        raise error.reason if isinstance(error.reason, OSError) else error from None
    length = str(body.headers.get("Content-Length") or "")
    kind = str(body.headers.get("Content-Type") or "")[:_MOST_WORDS]
    return Answer(body.status, kind, body, int(length) if length.isdecimal() else None)
