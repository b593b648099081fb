"""A proxy that the environment names, and what it is for: the world, and not the camera in the next room."""

import os
import socket
import urllib.request
from typing import Final

from service.capture.spec import host_and_port
from service.settings.addresses import in_house

_PROXIED: Final = ("http", "https", "rtsps", "rtmps")
"""Protocols that FFmpeg takes through a proxy: its TLS goes through one, too."""


def proxy_of(url: str) -> str | None:
    """Returns the proxy that FFmpeg is to take; None: straight there.

    A name that this machine knows, with addresses of the house alone, is in the house. That is asked only where the
    environment names a proxy at all.
    """
    proxy = os.environ.get("http_proxy", "")
    host, _ = host_and_port(url)
    if not proxy.startswith("http://") or url.partition("://")[0] not in _PROXIED:  # FFmpeg knows no other
        return None
    if urllib.request.proxy_bypass(host) or _is_near(host):
        return None
    return proxy


def _is_near(host: str) -> bool:
    if in_house(host):
        return True
    try:
        addresses = {str(found[4][0]) for found in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except (OSError, UnicodeError):
        return False  # the proxy may know it
    return all(map(in_house, addresses))
