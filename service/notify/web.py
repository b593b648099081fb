"""Every request of a channel over HTTP goes this way: only the answer to what carried the alarm is believed.

A redirection that changes the method or the host loses the content on the way, or shows it to somebody else: it is
refused. The house is reached without a proxy; a proxy that stands in the way is named.
"""

import contextlib
import os
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import select_proxy

from service.notify.sending import status_words
from service.notify.trust import Trust, causes, certificate_words
from service.settings.addresses import in_house, without_secrets

_PERMANENT: Final = frozenset({301, 308})
_KEEP_METHOD: Final = frozenset({307, 308})
"""The others make a GET of a POST, in every client: RFC 9110, 15.4."""
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_FAILED: Final = 400
"""Statuses of HTTP from here on are refusals."""


class MovedError(requests.RequestException):
    """The answer is a redirection that is not followed."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request and its answer."""

    request: requests.PreparedRequest
    response: requests.Response


@dataclass(slots=True)
class Way:
    """What one attempt to tell a notice did."""

    trust: Trust = field(default_factory=Trust)
    exchanges: list[Exchange] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    """What went wrong, in words without any part of the service's address, in order."""
    mails: int = 0
    """Mails that a server has taken."""


_WAY: ContextVar[Way | None] = ContextVar("way", default=None)


@contextlib.contextmanager
def watching(trust: Trust) -> Iterator[Way]:
    """All that this thread sends within the block goes by these rules, and is found in the result."""
    way = Way(trust)
    token = _WAY.set(way)
    try:
        yield way
    finally:
        _WAY.reset(token)


def current_way() -> Way:
    """Returns the one of the block that this thread is in; outside of any, one that nobody looks at."""
    return _WAY.get() or Way()


class HouseSession(requests.Session):
    """A session of requests whose every request goes through a `HouseAdapter`."""

    def __init__(self) -> None:
        super().__init__()
        adapter = HouseAdapter(current_way())
        self.mount("https://", adapter)
        self.mount("http://", adapter)


def watch_everybody() -> None:
    """From now on whoever calls `requests.post` and the like, as all of Apprise's services do, uses a `HouseSession`.

    `requests.api` looks this name up at each call. A release that does not, or a service that has another way, is found
    out by every notice: `Push` believes none that did not come through here.
    """
    for place in (requests.sessions, requests):
        setattr(place, "Session", HouseSession)  # noqa: B010 - an assignment would say that a type changes


class HouseAdapter(HTTPAdapter):
    """Sends single requests, whoever makes them."""

    def __init__(self, way: Way) -> None:
        self._way = way
        super().__init__()

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,  # noqa: FBT001 - the signature is theirs
        cert: Any = None,  # noqa: ANN401 - theirs, and handed through
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Adds what requests itself knows no words for: a fingerprint, and the authorities that this machine trusts."""
        host, tls = super().build_connection_pool_key_attributes(request, verify, cert)  # type: ignore[arg-type]
        if self._way.trust.fingerprint is not None:
            tls |= {"cert_reqs": "CERT_NONE", "assert_fingerprint": self._way.trust.fingerprint}
        elif verify is True and host["scheme"] == "https":
            tls["ssl_context"] = ssl.create_default_context()  # requests adds its own list to it
        return host, tls

    def send(  # noqa: PLR0917 - the signature is theirs
        self,
        request: requests.PreparedRequest,
        stream: bool = False,  # noqa: FBT001, FBT002
        timeout: Any = None,  # noqa: ANN401
        verify: bool | str = True,  # noqa: FBT001, FBT002
        cert: Any = None,  # noqa: ANN401
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Sends one request.

        Raises:
            requests.RequestException: There is no answer, nobody to trust, or a redirection that may not be followed
                (`MovedError`).
        """
        trust, url = self._way.trust, str(request.url)
        if in_house(urlsplit(url).hostname or ""):
            proxies = {}
        if trust.fingerprint is not None:
            verify = False
        elif trust.ca_file is not None:
            verify = str(trust.ca_file)
        proxy = select_proxy(url, dict(proxies or {}))
        through = f" (through the proxy {_proxy_words(proxy, url)})" if proxy else ""
        try:
            response = super().send(request, stream, timeout, verify, cert, dict(proxies or {}))
            response.content  # noqa: B018 - now, while the place is known where it breaks off
        except requests.RequestException as error:
            self._way.faults.append(_fault(error, proxy, url) + ("" if _is_proxy_fault(error) else through))
            raise
        except OSError as error:  # what requests says of a file of certificates that is gone
            file = trust.ca_file or "the file of REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE"
            self._way.faults.append(f"the certificates to trust cannot be read ({file})")
            raise requests.RequestException(str(error), request=request) from error
        self._way.exchanges.append(Exchange(request, response))
        if response.status_code in _REDIRECTS and "Location" in response.headers:
            target = urljoin(url, response.headers["Location"])
            if not _may_follow(request, response.status_code, target):
                self._way.faults.append(_moved(response.status_code, url, target) + through)
                raise MovedError("moved", request=request, response=response)
        elif response.status_code >= _FAILED:
            self._way.faults.append(status_words(response.status_code) + through)
        return response


def _may_follow(request: requests.PreparedRequest, status: int, target: str) -> bool:
    before, after = urlsplit(str(request.url)), urlsplit(target)
    if before.hostname != after.hostname or (before.scheme, after.scheme) == ("https", "http"):
        return False
    if before.scheme == after.scheme and before.port != after.port:
        return False  # another server on the same machine
    return status in _KEEP_METHOD or request.method in {"GET", "HEAD"}


def _moved(status: int, before: str, target: str) -> str:
    place = without_secrets(target)
    where = "another path there" if place == without_secrets(before) else place
    if status in _PERMANENT:
        return f"{status_words(status)}: it has moved to {where}; write that address"
    return f"{status_words(status)}, to {where}: it wants a login first, or it has moved; write an address that answers"


def _fault(error: requests.RequestException, proxy: str | None, url: str) -> str:
    if proxy and _is_proxy_fault(error):
        return _proxy_fault(error, _proxy_words(proxy, url))
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    if words := certificate_words(error):
        return words
    if any(isinstance(it, socket.gaierror) for it in causes(error)):
        return "it cannot be reached: nobody knows its name"
    return "it cannot be reached"


def _proxy_fault(error: requests.RequestException, proxy: str) -> str:
    if not isinstance(error, requests.exceptions.ProxyError):
        return f"the proxy {proxy} is of a kind that is not known here; http:// is"
    if tunnel := re.search(r"Tunnel connection failed: (\d{3}[\w ]*)", str(error)):  # http.client's words
        return f"the proxy {proxy} does not let it through ({tunnel[1]})"
    return f"the proxy {proxy} cannot be reached"


def _is_proxy_fault(error: requests.RequestException) -> bool:
    return isinstance(error, requests.exceptions.ProxyError | requests.exceptions.InvalidSchema)


def _proxy_words(proxy: str, url: str) -> str:
    """Says where a proxy is, and which variable of the environment says so."""
    for wanted in (f"{urlsplit(url).scheme}_proxy", "all_proxy"):
        for name, value in os.environ.items():
            if name.lower() == wanted and value == proxy:
                return f"{without_secrets(proxy)} of {name}"
    return without_secrets(proxy)
