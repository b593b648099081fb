"""The `web` part of the configuration: where the family's page is served, and under which names. Imports no server."""

import ipaddress
import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from service.settings.addresses import of_home
from service.settings.base import ExistingFile, Part, Text
from service.settings.hosts import host_mistake
from service.web.past.settings import ClipSettings

_ORIGIN = re.compile(r"https?://[^/\s;,'\"]+")
"""Scheme, host and port: what a browser calls an origin (RFC 6454), and what cannot end the header it stands in."""


def _host(text: str) -> str:
    if mistake := host_mistake(text):
        raise ValueError(mistake)
    name = text.lower().rstrip(".")
    return name if name.isascii() else name.encode("idna").decode()  # as browsers ask for it


def _origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("must be scheme, host and port alone, such as http://homeassistant.local:8123")
    return text


Port = Annotated[int, Field(ge=1, le=65_535)]


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError(f"{text} is no IP address") from None


class IngressSettings(Part):
    """The page inside Home Assistant, for whoever is logged in there."""

    port: Port = 8_099
    """TCP port of plain http (Home Assistant's own default)."""
    owners: tuple[Annotated[Text, AfterValidator(str.lower)], ...] = Field(default=(), strict=False)
    """User names in Home Assistant of who may pair and remove devices; everybody else is a parent."""
    supervisor: Annotated[Text, AfterValidator(_address)] = "172.30.32.2"
    """The one address that is answered, and whose word on who asks is taken (the Supervisor's, in Home Assistant's
    developer documentation, *Presenting your app*)."""


class WebSettings(Part):
    """The family's page."""

    host: Annotated[Text, AfterValidator(_host)] | None = None
    """Address of this machine on which it listens; None, `0.0.0.0` and `::`: all of them."""
    port: Port | None = None
    """TCP port of https; None: 8443, or the next that is free."""
    http_port: Port | None = None
    """TCP port of plain http, which serves this machine's CA, how to trust it, and the way on; not with `cert_file`.
    None: 8080, or the next that is free."""
    names: tuple[Annotated[Text, AfterValidator(_host)], ...] = Field(default=(), strict=False)
    """Names and addresses under which it is reached, besides those that this machine knows of itself."""
    cert_file: ExistingFile | None = None
    """The family's own certificate, with its chain (PEM); None: one that is made here."""
    key_file: ExistingFile | None = None
    """The key of `cert_file` (PEM); None where it stands in there too."""
    metrics_token_file: ExistingFile | None = None
    """Holds what Prometheus must show on `/metrics` where it runs on another machine; None: none there may ask."""
    frame_ancestors: tuple[Annotated[Text, AfterValidator(_origin)], ...] = Field(default=(), strict=False)
    """Origins that may show the page in a frame, such as Home Assistant's; none else may."""
    ingress: IngressSettings | None = None
    """The page in Home Assistant's own frame; None: only by https."""

    clips: ClipSettings | None = None
    """Clips of crying, kept on this machine; None: no sound is kept."""

    @field_validator("host")
    @classmethod
    def _all_of_them(cls, value: str | None) -> str | None:
        return None if value in {"0.0.0.0", "::"} else value  # noqa: S104 - which is no address of anybody

    @model_validator(mode="after")
    def _whose(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file needs the cert_file that it belongs to")
        if self.port is not None and self.port == self.http_port:
            raise ValueError(f"port and http_port are both {self.port}; give each its own")
        if self.ingress is not None and self.ingress.port in {self.port, self.http_port}:
            raise ValueError(f"ingress.port is that of the page, {self.ingress.port}; give each its own")
        named = [("names", name) for name in self.names] + [("host", name) for name in (self.host,) if name]
        if self.cert_file is None and (strange := [(key, name) for key, name in named if not of_home(name)]):
            key, name = strange[0]
            raise ValueError(
                f"{key}: {name} is no name or address of a home network, so the CA of this machine may not sign"
                " it; give cert_file and key_file"
            )
        return self
