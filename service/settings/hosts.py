"""Names and addresses of hosts, as people write them: what is none, and what to write in its place."""

import ipaddress
import re
import socket
from typing import Final
from urllib.parse import urlsplit

_LABEL: Final = r"[^\W_]([\w-]{0,61}\w)?"
"""RFC 1123, 2.1, with letters of all languages (RFC 5890), and `_`, which home networks use."""
_NAME: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_LONGEST: Final = 253
"""Letters of a name: RFC 1035, 2.3.4, less what the wire takes for itself."""
_NUMBERS: Final = re.compile(r"[0-9.]+")
"""What could only be an IPv4 address."""


def host_mistake(host: str) -> str:
    """Says why this is neither a name nor an address, and what to write; empty: it is one. No password is in it."""
    name, colon, port = host.rpartition(":")
    said = ""
    if "://" in host:
        said = _url(host)
    elif "@" in host:
        said = "is a host alone, without a user: write that as a key of its own"
    elif is_address(host):
        pass
    elif host.startswith("[") and host.endswith("]"):
        said = f"write an IPv6 address without brackets: {host[1:-1]}"
    elif colon and port.isdecimal() and (":" not in name or name.endswith("]")):
        said = f"is a host alone: write host: {name.strip('[]')} and port: {port}"
    elif "/" in host:
        said = f"is a host alone: write {host.strip('/').partition('/')[0] or 'a name or an address'}"
    elif _NUMBERS.fullmatch(host):
        said = f"{host} is no IPv4 address; that has four numbers from 0 to 255, such as 192.168.1.20"
    elif len(host) > _LONGEST or not _NAME.fullmatch(host):
        said = f"{host!r} is no name of a host; write one such as homeassistant.local, or an address"
    return said


def unknown_name(host: str) -> str:
    """Says what to do about a name that this machine could not look up."""
    if host.rstrip(".").lower().endswith(".local"):  # RFC 6762: by multicast, which takes a library of its own
        return (
            f"this machine cannot look up {host}: names that end in .local need"
            " `sudo apt install avahi-daemon libnss-mdns` here; or write the address, such as 192.168.1.20"
        )
    return f"this machine cannot look up {host}: check its spelling, or write the address"


def lookup_mistake(host: str) -> str:
    """Looks the name up, which may take seconds; says what to do where nobody knows it. Empty: somebody does."""
    try:
        socket.getaddrinfo(host, None)
    except (OSError, UnicodeError):
        return unknown_name(host)
    return ""


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host:
        return "is a host alone, without ://"
    encrypted = " and tls: {}" if parts.scheme in {"mqtts", "ssl", "tls"} else ""
    return f"is a host alone, no address with ://: write host: {host}" + (f", port: {port}" if port else "") + encrypted


def is_address(host: str) -> bool:
    """Says whether it is an IPv4 or IPv6 address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
