"""The `mqtt` part of the configuration: where the broker is, who we are to it, and the files that it names."""

import ipaddress
import logging
import ssl
from dataclasses import dataclass, field
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from monitord.errors import ConfigError
from service.settings.base import ExistingFile, Part, Text
from service.settings.hosts import host_mistake
from service.settings.password import read_password

_log = logging.getLogger(__name__)


def _host(text: str) -> str:
    if mistake := host_mistake(text):
        raise ValueError(mistake)
    return text


class TlsSettings(Part):
    """An encrypted way to the broker; `{}` trusts what the system trusts. Host name and chain are always verified."""

    ca_file: ExistingFile | None = None
    """The authority that signed the broker's certificate (PEM); None trusts what the system trusts."""
    cert_file: ExistingFile | None = None
    """Our own certificate, where the broker wants one (PEM)."""
    key_file: ExistingFile | None = None
    """The key of `cert_file` (PEM); None where it stands in there too."""

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs the cert_file that it belongs to")
        return self


class MqttSettings(Part):
    """The broker: the family's own, or a private one that the daemon starts."""

    embedded: bool = False
    """Whether a private broker serves 127.0.0.1; nothing else may be given then."""
    host: Annotated[Text, AfterValidator(_host)] = "localhost"
    """Name or address."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 1_883
    """TCP port. Left out: 1883, or 8883 with `tls` (the two ports that IANA registered for MQTT); with `websockets` 80
    or 443 (RFC 6455, 11.1)."""
    transport: Literal["tcp", "websockets"] = "tcp"
    """`websockets`: for a broker that is behind a web server, or behind a firewall that lets nothing else through."""
    path: Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=200)] = "/mqtt"
    """Of the address, with `websockets` (MQTT's usual one)."""
    username: Text | None = None
    password_file: ExistingFile | None = None
    """Holds the password alone."""
    tls: TlsSettings | None = None
    """None: not encrypted."""

    @model_validator(mode="before")
    @classmethod
    def _defaults(cls, given: object) -> object:
        if isinstance(given, dict):
            others = sorted(str(key) for key in given if key != "embedded")
            if given.get("embedded") is True and others:
                raise ValueError(f"embedded stands alone: remove it, or remove {', '.join(others)}")
            if given.get("embedded") is True:
                return {**given, "host": "127.0.0.1"}  # not each machine can look localhost up
            if "path" in given and given.get("transport") != "websockets":
                raise ValueError("path belongs to `transport: websockets`")
            web, tls = given.get("transport") == "websockets", given.get("tls") is not None
            if "port" not in given and (web or tls):
                return {**given, "port": (443 if tls else 80) if web else 8_883}
        return given

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.password_file is not None and self.username is None:
            raise ValueError("password_file needs a username")
        return self

    @property
    def where(self) -> str:
        """For a person."""
        if self.transport == "websockets":
            return f"mqtt {self.url}"
        return f"mqtt {self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Where a WebSocket is opened."""
        return f"{'ws' if self.tls is None else 'wss'}://{self.address}{self.path}"

    @property
    def address(self) -> str:
        """Host and port as one writes them, `[::1]:1883`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

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
    password = None if settings.password_file is None else read_password(settings.password_file)
    return Credentials(password, None if settings.tls is None else _context(settings.tls))


def _context(files: TlsSettings) -> ssl.SSLContext:
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
    return context
