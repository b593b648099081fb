"""Under which addresses the page is reached: the names of this machine, the ports in use, and links to them."""

import contextlib
import logging
import socket
from pathlib import Path
from typing import Final

from service.web.address.certificate import OwnCertificate
from service.web.address.own_names import address_to_type, host_of, own_hosts
from service.web.settings import WebSettings

HTTPS_PORT, HTTP_PORT = 8_443, 8_080
"""Where nobody says so: the usual ones beside 443 and 80, which are the administrator's."""
PORTS: Final = 20
"""Ports that are tried from there on."""
FOLDER: Final = "web"
"""In the state directory: the certificate, and which port is in use."""

_log = logging.getLogger(__name__)


class Addresses:
    """Of one page; opens nothing.

    Args:
        settings: From the configuration.
        state_dir: Where the certificate is kept, and the port for who makes links in another process.
    """

    def __init__(self, settings: WebSettings, state_dir: Path) -> None:
        self._settings = settings
        self._port_file = _port_file(state_dir)
        self._port: int | None = settings.port
        self.http_port: int | None = None
        """Where the way to https is served; None: nowhere."""
        self.certificate = None if settings.cert_file else OwnCertificate(state_dir / FOLDER, socket.gethostname())
        """Made here; None: the family's own."""
        self.hosts: list[str] = []
        """Names and addresses, each once."""
        self.look_again()

    def look_again(self) -> None:
        """Asks this machine what it is called today."""
        given = [*self._settings.names, *([self._settings.host] if self._settings.host else [])]
        self.hosts = list(dict.fromkeys([*given, *own_hosts()]))

    def listens(self, port: int, http_port: int | None) -> None:
        """Notes the ports in use."""
        self._port, self.http_port = port, http_port
        try:
            self._port_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._port_file.write_text(f"{port}\n")
        except OSError as error:  # no reason not to hear
            _log.warning(
                "%s cannot be written (%s), so links that are made beside this may lead to another port",
                self._port_file,
                error.strerror,
            )

    @property
    def port_before(self) -> int | None:
        """The port in use, or that of the last time; None where there was none."""
        with contextlib.suppress(OSError, ValueError):
            return self._port or int(self._port_file.read_text())
        return None

    @property
    def page(self) -> str:
        """The address that a person types into a phone."""
        return f"https://{_bracketed(self._host)}:{self._used_port()}/"

    def link(self, token: str) -> str:
        """Returns the address that pairs a device. The token stands where browsers send nothing of it to a server."""
        return f"{self.page}pair#{token}"

    def https(self, authority: str) -> str:
        """Returns where https is, for a browser that came with this Host header."""
        host = host_of(authority)
        return f"https://{_bracketed(host if host in self.hosts else self._host)}:{self._used_port()}/"

    @property
    def way(self) -> str | None:
        """The address on plain http that says how to trust this machine; None: there is none."""
        return None if self.http_port is None else f"http://{_bracketed(self._host)}:{self.http_port}/"

    @property
    def _host(self) -> str:
        return next(iter(self._settings.names), self._settings.host or address_to_type())

    def _used_port(self) -> int:
        return self.port_before or HTTPS_PORT


def page_was_served(state_dir: Path) -> bool:
    """Whether a daemon with this state directory has ever served a page."""
    return _port_file(state_dir).exists()


def _port_file(state_dir: Path) -> Path:
    return state_dir / FOLDER / "port"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
