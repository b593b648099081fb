"""Where the broker is and who we are to it: plain values, and the files they name, read once at the start."""

import ipaddress
import logging
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from monitord.errors import ConfigError
from service.settings.password import read_password

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files. Host name and chain are always verified."""

    ca_file: Path | None = None
    """Certificates to trust; None trusts what the system trusts."""
    cert_file: Path | None = None
    """Our certificate, for a broker that asks for one."""
    key_file: Path | None = None
    """Its key; None where it stands in `cert_file`."""


@dataclass(frozen=True, slots=True)
class MqttSettings:
    """The `mqtt` part of the configuration."""

    host: str = "localhost"
    port: int = 1883
    """TCP port; 8883 is usual with TLS."""
    username: str | None = None
    password_file: Path | None = None
    """Holds the password alone."""
    tls: TlsFiles | None = None

    @property
    def where(self) -> str:
        """For a person."""
        return f"mqtt {self.host}:{self.port}"

    @property
    def in_clear(self) -> str:
        """What of us everybody on the network could read, for a person; empty where nothing leaves this machine so."""
        if self.tls is not None or is_loopback(self.host):
            return ""
        what = "what it tells of the family" if self.password_file is None else "the password, and all it tells,"
        return (
            f"{self.where}: not encrypted: everybody on the way to it can read {what}; use mqtt.tls and the broker's"
            " port for it, usually 8883"
        )


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the files say. Never logged."""

    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None


def is_loopback(host: str) -> bool:
    """Whether what goes to this host never leaves this machine: by its address, or as `localhost`, which is reserved.

    A name is not looked up: who answers for it today may be another tomorrow.
    """
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def read_credentials(settings: MqttSettings) -> Credentials:
    """Reads the files that the settings name; warns where a password would go over the network in clear.

    Raises:
        ConfigError: One is missing, unreadable, empty, or not what it should be.
    """
    if settings.password_file is not None and settings.in_clear:
        _log.warning("%s", settings.in_clear)
    return Credentials(_password(settings), _context(settings.tls))


def _password(settings: MqttSettings) -> str | None:
    path = settings.password_file
    if path is None:
        return None
    if settings.username is None:
        raise ConfigError("mqtt.password_file without mqtt.username: give both")
    return read_password(path)


def _context(files: TlsFiles | None) -> ssl.SSLContext | None:
    if files is None:
        return None
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"mqtt.tls.ca_file: cannot use {files.ca_file} ({error})") from error
    if files.cert_file is not None:
        try:
            # An empty pass phrase: a protected key is refused at once instead of asking on the terminal.
            context.load_cert_chain(files.cert_file, files.key_file, password="")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"mqtt.tls.cert_file, key_file: cannot use {files.cert_file}, {files.key_file or 'no key_file'}"
                f" ({error}); they must be PEM, belong together and need no pass phrase"
            ) from error
    elif files.key_file is not None:
        raise ConfigError("mqtt.tls.key_file without mqtt.tls.cert_file: give both")
    return context
