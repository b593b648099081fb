"""A proxy that the environment names, and what it is for: the world, and not the camera in the next room."""

import ipaddress
import os
import socket
import urllib.request
from typing import Final

from service.capture.spec import host_and_port

_PROXIED: Final = ("http", "https", "rtsps", "rtmps")
"""Protocols that FFmpeg takes through a proxy: its TLS goes through one, too."""

_HOUSE: Final = (".local", ".lan", ".home", ".internal", ".home.arpa", ".fritz.box", ".localhost")
"""Ends of names that no proxy in the world knows (RFC 6762, RFC 8375, and what routers make up)."""


def proxy_of(url: str) -> str | None:
    """Returns the proxy that FFmpeg is to take; None: straight there.

    A name that this machine knows, with addresses of the house alone, is in the house. That is asked only where the
    environment names a proxy at all.
    """
    proxy = os.environ.get("http_proxy", "")
    host, _ = host_and_port(url)
    if not proxy.startswith("http://") or url.partition("://")[0] not in _PROXIED:  # FFmpeg knows no other
        return None
    if urllib.request.proxy_bypass(host) or _in_the_house(host):
        return None
    return proxy


def _in_the_house(host: str) -> bool:
    try:
        return _is_near(host)
    except ValueError:
        pass
    if "." not in host or host.lower().endswith(_HOUSE):
        return True
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False  # the proxy may know it
    return all(map(_is_near, addresses))


def _is_near(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    return not found.is_global  # also 100.64.0.0/10, which private networks over the Internet use
