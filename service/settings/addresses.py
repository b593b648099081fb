"""Which hosts belong to the house: nobody on the way to them, so no proxy either."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

HOUSE_DOMAINS: Final = ("local", "localhost", "home.arpa", "internal", "lan", "home", "fritz.box")
"""Endings of names that no public server can have: multicast DNS (RFC 6762), this machine (RFC 6761), home networks
(RFC 8375), private use (ICANN, July 2024); routers give the last three."""


def in_house(host: str) -> bool:
    """Whether a host is reached without leaving the house: by a private address, a name without a dot, or its ending.

    A name is not looked up: behind a proxy there is often nobody who could answer.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.split("%")[0])
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(tuple(f".{domain}" for domain in HOUSE_DOMAINS)))
    mapped = getattr(address, "ipv4_mapped", None)
    return not (mapped or address).is_global


def without_secrets(url: str) -> str:
    """Returns scheme, host and port of an address: no user, no password, no path, all of which may be secret."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
