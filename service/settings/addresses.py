"""Which hosts belong to the house: nobody on the way to them, so no proxy either."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

HOUSE_DOMAINS: Final = ("local", "localhost", "home.arpa", "internal", "lan", "home", "fritz.box")
"""Endings of names that no public server can have: multicast DNS (RFC 6762), this machine (RFC 6761), home networks
(RFC 8375), private use (ICANN, July 2024); routers give the last three."""


HOUSE_NETWORKS: Final = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10", "127.0.0.0/8",
        "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "fc00::/7", "fe80::/10", "2001:db8::/32", "::1/128",
    )
)  # fmt: skip
"""Networks that a home may have and no public host (IANA's registries of special addresses), without those of tunnels:
what has an address of theirs besides has one of these, too."""


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


def of_home(host: str) -> bool:
    """Whether a CA for home networks alone may vouch for a host: `in_house`, and an address is of `HOUSE_NETWORKS`."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return in_house(host)
    return any(address in network for network in HOUSE_NETWORKS)


def without_secrets(url: str) -> str:
    """Returns scheme, host and port of an address: no user, no password, no path, all of which may be secret."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
