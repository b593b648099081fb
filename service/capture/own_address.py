"""The address of this machine, for a person who has to type it into a phone."""

import socket
from typing import Final
from urllib.parse import urlsplit

_ANYWHERE: Final = {"0.0.0.0": ("192.0.2.1", socket.AF_INET), "::": ("2001:db8::1", socket.AF_INET6)}  # noqa: S104
"""All addresses of this machine -> an address in the world, of those kept for documentation (RFC 5737, RFC 3849)."""


def reachable(url: str) -> str:
    """Returns the URL with this machine's address where it says "any"; as it is where there is no network."""
    host = urlsplit(url).hostname or ""
    if host not in _ANYWHERE:
        return url
    target, family = _ANYWHERE[host]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as sock:
            sock.connect((target, 9))  # sends nothing: it asks which of our addresses leads into the world
            address = str(sock.getsockname()[0])
    except OSError:
        return url
    return url.replace(host, address, 1)
