"""What this machine is called, and its addresses: what its certificate names, and what a browser may ask it for."""

import contextlib
import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from service.capture.own_address import reachable
from service.settings.addresses import in_house, of_home

_DEV: Final = Path("/proc/net/dev")
"""Lists the interfaces after two lines of heading, the name before a colon, proc(5); every container has it."""
_SIOCGIFADDR: Final = 0x8915
"""Asks Linux for the IPv4 address of an interface, netdevice(7)."""
_IF_INET6: Final = Path("/proc/net/if_inet6")
"""Lists the IPv6 addresses of this machine, proc(5): address, number of the interface, prefix, scope and flags, all in
hexadecimal, and the name of the interface."""
_TEMPORARY: Final = 0x01
"""Flag of an address that is another one tomorrow (RFC 8981), `IFA_F_TEMPORARY` of linux/if_addr.h."""
_CONTAINERS: Final = re.compile(r"docker\d+|br-[0-9a-f]{12}|(cni-)?podman\d+|virbr\d+")
"""Interfaces that Docker, Podman and libvirt make for networks within this machine, and take away again."""


def own_hosts() -> list[str]:
    """Returns names and addresses in the house, each once: the host name, as mDNS says it too, then addresses.

    Without public addresses: who has one is asked for by it from everywhere, and IPv6 ones change every day. Without
    those of tunnels, too, for which the CA of this machine may not vouch; and without those that come and go while no
    phone knows them: for each the certificate is made anew, and who has clicked through its warning is asked anew.
    """
    name = socket.gethostname().lower().rstrip(".")
    short = name.partition(".")[0]
    names = [f"{short}.local", short] if short and short != "localhost" else []
    if name not in names and in_house(name):
        names.append(name)
    found = [*names, *filter(of_home, _addresses()), "localhost", "127.0.0.1", "::1"]
    return list(dict.fromkeys(found))


def address_to_type() -> str:
    """Returns the address that a phone on the same network reaches; the host name where there is no network."""
    for anywhere in ("0.0.0.0", "::"):  # noqa: S104 - asks, binds nothing
        bracketed = f"[{anywhere}]" if ":" in anywhere else anywhere
        if (found := reachable(f"http://{bracketed}")) != f"http://{bracketed}":
            return found.removeprefix("http://").strip("[]")
    return socket.gethostname()


def host_of(authority: str) -> str:
    """Returns the host of a Host header, in small letters, without brackets and port; empty where it is none."""
    try:
        return (urlsplit(f"//{authority}").hostname or "").rstrip(".")
    except ValueError:
        return ""


def _addresses() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for interface in _interfaces():
            with contextlib.suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
                yield socket.inet_ntoa(answer[20:24])
    with contextlib.suppress(OSError):  # a kernel without IPv6
        for line in _IF_INET6.read_text().splitlines():
            digits, _, _, _, flags, interface = line.split()
            address = ipaddress.IPv6Address(int(digits, 16))
            # A browser cannot write which interface a link-local one means.
            if not (address.is_link_local or int(flags, 16) & _TEMPORARY or _CONTAINERS.fullmatch(interface)):
                yield str(address)


def _interfaces() -> list[str]:
    """Returns the names of the interfaces but for `_CONTAINERS`; none where no file names them.

    Read from a file: a service may not ask the kernel by netlink, as `socket.if_nameindex` does.
    """
    try:
        lines = _DEV.read_text().splitlines()[2:]
    except OSError:
        return []
    names = sorted(line.partition(":")[0].strip() for line in lines)
    return [name for name in names if not _CONTAINERS.fullmatch(name)]
